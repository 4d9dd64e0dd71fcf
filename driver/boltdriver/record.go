package boltdriver

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/seshatdb/seshat/driver"
)

// A record's value:
//
//	[checksum, header checksum,
//	 status, incarnation, version, next_seq, created, active_minute, due,
//	 expires, messages, bytes, epoch, user, labels, body]
//
// The header checksum covers the key and all between itself and the body, so
// that a page is filtered by verified headers without reading bodies. The epoch
// is the erase epoch of the namespace when the record was written.
const (
	recordElements = 16
	headStart      = sumEnd + 5
	fixedHeadLen   = 2 + 18 + 9*9
	userAt         = headStart + fixedHeadLen
	headElements   = 13 // before the user
)

// recordHeader is a record's header. Its slices share memory with the value.
type recordHeader struct {
	status           uint8
	inc              driver.Incarnation
	version, nextSeq uint64
	created, minute  int64
	due, expires     int64
	messages, bytes  uint64
	epoch            uint64
	headerTexts
	end int // offset of the body in the value
}

// headerTexts are the texts of a header.
type headerTexts struct {
	raw     []byte // as the value has them: the user, then the labels
	user    []byte
	nlabels int
}

// recordSize is the length of the value that appendRecord appends.
func recordSize(r *driver.Record) int {
	n := headStart + fixedHeadLen + 2 + len(r.User) + 3 + 5 + len(r.Body)
	for _, l := range r.Labels {
		n += 4 + len(l.Name) + len(l.Value)
	}
	return n
}

func appendRecord(b, key []byte, r *driver.Record, epoch uint64) []byte {
	start := len(b)
	b = appendU32(appendEnvelope(b, recordElements), 0)
	b = appendBin16(appendU8(b, r.Status), r.Incarnation)
	b = appendU64(appendU64(b, r.Version), r.NextSeq)
	b = appendI64(appendI64(b, r.Created), r.ActiveMinute)
	b = appendI64(appendI64(b, r.Due), r.Expires)
	b = appendU64(appendU64(b, r.Messages), r.Bytes)
	b = appendStr(appendU64(b, epoch), r.User)
	b = append(b, wireMap16, byte(len(r.Labels)>>8), byte(len(r.Labels)))
	for _, l := range r.Labels {
		b = appendStr(appendStr(b, l.Name), l.Value)
	}
	end := len(b)
	b = appendBin(b, r.Body)
	doc := b[start:]
	binary.BigEndian.PutUint32(doc[sumEnd+1:], checksum(key, b[start+headStart:end]))
	seal(key, doc)
	return b
}

// parseHead reads the header of v without verifying it.
func parseHead(v []byte, h *recordHeader) (sum uint32, ok bool) {
	w, ok := parseToUser(v, h)
	if !ok {
		return 0, false
	}
	h.parseLabels(&w)
	h.end = len(v) - len(w.b)
	h.raw = v[userAt:h.end]
	return binary.BigEndian.Uint32(v[9:]), !w.bad && h.status < driver.Statuses
}

// parsePlaces reads of the header what says where a record is in the indexes.
// v may be cut short behind that, at placesLen.
func parsePlaces(v []byte, h *recordHeader) bool {
	w, ok := parseToUser(v, h)
	return ok && !w.bad
}

const placesLen = userAt + 2 + 255

// parseToUser reads the header up to the user. All before that lies at fixed
// places: see appendRecord.
func parseToUser(v []byte, h *recordHeader) (rest fixedReader, ok bool) {
	if len(v) < userAt || !hasHeadForms((*[userAt]byte)(v)) {
		return fixedReader{}, false
	}
	u64 := func(at int) uint64 { return binary.BigEndian.Uint64(v[at : at+8]) }
	h.status, h.inc = v[14], driver.Incarnation(v[17:33])
	h.version, h.nextSeq = u64(34), u64(43)
	h.created, h.minute = int64(u64(52)), int64(u64(61))
	h.due, h.expires = int64(u64(70)), int64(u64(79))
	h.messages, h.bytes, h.epoch = u64(88), u64(97), u64(106)
	rest = fixedReader{b: v[userAt:], n: int(binary.BigEndian.Uint16(v[1:])) - headElements}
	h.user = rest.str()
	return rest, true
}

// hasHeadForms reports whether a value begins with the forms of a record's
// elements up to the user.
func hasHeadForms(v *[userAt]byte) bool {
	return v[0] == wireArray16 && binary.BigEndian.Uint16(v[1:]) >= recordElements &&
		v[3] == wireUint32 && v[8] == wireUint32 && v[13] == wireUint8 && v[15] == wireBin8 && v[16] == 16 &&
		v[33] == wireUint64 && v[42] == wireUint64 &&
		v[51] == wireInt64 && v[60] == wireInt64 && v[69] == wireInt64 && v[78] == wireInt64 &&
		v[87] == wireUint64 && v[96] == wireUint64 && v[105] == wireUint64
}

func (h *recordHeader) parseLabels(w *fixedReader) {
	n := w.take(wireMap16, 2)
	if n == nil {
		return
	}
	h.nlabels = int(binary.BigEndian.Uint16(n))
	keep := w.n
	for range 2 * h.nlabels {
		if w.str(); w.bad {
			return
		}
	}
	w.n = keep
}

// labels are name, value, name, value …
func (n *headerTexts) labels() fixedReader {
	return fixedReader{b: n.raw[2+len(n.user)+3:], n: 2 * n.nlabels}
}

// readHead reads and verifies the header of the record v at key.
func readHead(key, v []byte, h *recordHeader) bool {
	sum, ok := parseHead(v, h)
	return ok && sum == checksum(key, v[headStart:h.end])
}

// readRecord reads the header of v and verifies the whole of it.
func readRecord(key, v []byte, h *recordHeader) (body []byte, ok bool) {
	if _, ok := parseHead(v, h); !ok {
		return nil, false
	}
	return h.body(key, v)
}

// body verifies the whole of v, whose header h is, and returns its body.
func (h *recordHeader) body(key, v []byte) (body []byte, ok bool) {
	w := openSealed(key, v, recordElements-1)
	if w.bad {
		return nil, false
	}
	w.b, w.n = v[h.end:], w.n-(recordElements-2)
	body = w.bin()
	return body, w.done()
}

// decodeInto copies the record into r, reusing its memory: User and the labels
// lie behind the body in Body's buffer.
func (h *recordHeader) decodeInto(r *driver.Record, body []byte) {
	h.numbers(r)
	b := slices.Grow(r.Body[:0], len(body)+len(h.raw))
	r.Labels = r.Labels[:0]
	h.take(append(b, body...), r)
	r.Body = b[:len(body)]
}

// numbers copies all but the texts.
func (h *recordHeader) numbers(r *driver.Record) {
	r.Incarnation, r.Version, r.NextSeq = h.inc, h.version, h.nextSeq
	r.Status, r.Created, r.ActiveMinute = h.status, h.created, h.minute
	r.Due, r.Expires = h.due, h.expires
	r.Messages, r.Bytes = h.messages, h.bytes
}

// take copies the names into r and the end of b, which has room for them.
func (n *headerTexts) take(b []byte, r *driver.Record) []byte {
	at := len(b)
	b = append(b, n.raw...)
	rest := unsafeString(b[at:])
	r.User, rest = rest[2:2+len(n.user)], rest[2+len(n.user)+3:]
	for range n.nlabels {
		var l driver.Label
		l.Name, rest = cutStr(rest)
		l.Value, rest = cutStr(rest)
		r.Labels = append(r.Labels, l)
	}
	return b
}

// cutStr splits s behind the string that it begins with: see appendStr.
func cutStr(s string) (str, rest string) {
	n := 2 + int(s[1])
	return s[2:n], s[n:]
}

func appendText(b, s []byte) ([]byte, string) {
	n := len(b)
	b = append(b, s...)
	return b, unsafeString(b[n:])
}

// hasLabel reports whether the record has exactly that label.
func (h *recordHeader) hasLabel(l driver.Label) bool {
	w := h.labels()
	for range h.nlabels {
		name, value := w.str(), w.str()
		if string(name) == l.Name {
			return string(value) == l.Value
		}
	}
	return false
}

// corruptRecord names a damaged record.
func corruptRecord(key []byte) error {
	k, _ := parseRecordKey(key)
	return fmt.Errorf("%w: record %q in namespace %d", driver.ErrCorrupt, k.ID, k.Namespace)
}
