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
)

// head is a record's header. Its slices share memory with the value.
type head struct {
	status              uint8
	inc                 driver.Incarnation
	version, nextSeq    uint64
	created, minute     int64
	due, expires        int64
	messages, bytes     uint64
	epoch               uint64
	user                []byte
	labels              []byte // name, value, name, value …
	nlabels, labelBytes int
	end                 int // offset of the body in the value
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
	b = appendU32(appendOpen(b, recordElements), 0)
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
func parseHead(v []byte, h *head) (sum uint32, ok bool) {
	w := open(v, recordElements-1)
	sum = w.u32()
	h.status, h.inc = w.u8(), w.bin16()
	h.version, h.nextSeq = w.u64(), w.u64()
	h.created, h.minute = w.i64(), w.i64()
	h.due, h.expires = w.i64(), w.i64()
	h.messages, h.bytes = w.u64(), w.u64()
	h.epoch, h.user = w.u64(), w.str()
	h.parseLabels(&w)
	h.end = len(v) - len(w.b)
	return sum, !w.bad && h.status < driver.Statuses
}

func (h *head) parseLabels(w *wire) {
	n := w.take(wireMap16, 2)
	if n == nil {
		return
	}
	h.nlabels, h.labelBytes = int(binary.BigEndian.Uint16(n)), 0
	h.labels = w.b
	keep := w.n
	for range 2 * h.nlabels {
		h.labelBytes += len(w.str())
		if w.bad {
			return
		}
	}
	h.labels, w.n = h.labels[:len(h.labels)-len(w.b)], keep
}

// readHead reads and verifies the header of the record v at key.
func readHead(key, v []byte, h *head) bool {
	sum, ok := parseHead(v, h)
	return ok && sum == checksum(key, v[headStart:h.end])
}

// readRecord reads the header of v and verifies the whole of it.
func readRecord(key, v []byte, h *head) (body []byte, ok bool) {
	w := openSealed(key, v, recordElements-1)
	if w.bad {
		return nil, false
	}
	if _, ok := parseHead(v, h); !ok {
		return nil, false
	}
	w.b, w.n = v[h.end:], w.n-(recordElements-2)
	body = w.bin()
	return body, w.done()
}

// fill copies the record into r, reusing its memory: User and the labels lie
// behind the body in Body's buffer.
func (h *head) fill(r *driver.Record, body []byte) {
	r.Incarnation, r.Version, r.NextSeq = h.inc, h.version, h.nextSeq
	r.Status, r.Created, r.ActiveMinute = h.status, h.created, h.minute
	r.Due, r.Expires = h.due, h.expires
	r.Messages, r.Bytes = h.messages, h.bytes
	b := slices.Grow(r.Body[:0], len(body)+len(h.user)+h.labelBytes)
	b = append(append(b, body...), h.user...)
	r.User = text(b[len(body):])
	r.Labels = r.Labels[:0]
	w := wire{b: h.labels, n: 2 * h.nlabels}
	for range h.nlabels {
		var l driver.Label
		b, l.Name = appendText(b, w.str())
		b, l.Value = appendText(b, w.str())
		r.Labels = append(r.Labels, l)
	}
	r.Body = b[:len(body)]
}

func appendText(b, s []byte) ([]byte, string) {
	n := len(b)
	b = append(b, s...)
	return b, text(b[n:])
}

// hasLabel reports whether the record has exactly that label.
func (h *head) hasLabel(l driver.Label) bool {
	w := wire{b: h.labels, n: 2 * h.nlabels}
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
