package format

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/msgpack"
)

// A record's value:
//
//	[checksum, header checksum,
//	 status, incarnation, version, next_seq, created, active_minute, due,
//	 expires, messages, bytes, epoch, user, labels, body]
//
// The header checksum covers the key and the elements between itself and the
// body, so a list filters by verified headers without reading bodies. The epoch
// is the erase epoch of the namespace when the record was written.
const (
	recordElements   = 16
	headerStart      = envelopeSize + 5
	fixedHeaderBytes = 2 + 18 + 9*9
	userOffset       = headerStart + fixedHeaderBytes
	headerElements   = 13 // before the user
)

// RecordHeader is a record's header: the fields of [driver.Record] that lists
// filter by. Its slices share memory with the value.
type RecordHeader struct {
	// Status, Incarnation, Version, NextSeq, Created, ActiveMinute, Due,
	// Expires, Messages and Bytes are those of driver.Record.
	Status                uint8
	Incarnation           driver.Incarnation
	Version, NextSeq      uint64
	Created, ActiveMinute int64
	Due, Expires          int64
	Messages, Bytes       uint64

	Epoch uint64 // the erase epoch of the namespace when the record was written

	HeaderTexts
	End int // offset of the body in the value
}

// HeaderTexts are the texts of a header.
type HeaderTexts struct {
	Raw        []byte // the bytes in the value: the user, then the labels
	UserID     []byte // a part of Raw
	LabelCount int    // labels in Raw
}

// RecordSize is the length of the value that AppendRecord appends.
func RecordSize(r *driver.Record) int {
	n := headerStart + fixedHeaderBytes + 2 + len(r.UserID) + 3 + 5 + len(r.Body)
	for _, l := range r.Labels {
		n += 4 + len(l.Name) + len(l.Value)
	}
	return n
}

// AppendRecord appends the value of a record at key. epoch is the current erase
// epoch of the namespace. The value has RecordSize bytes.
func AppendRecord(b, key []byte, r *driver.Record, epoch uint64) []byte {
	start := len(b)
	b = msgpack.AppendUint32(appendEnvelope(b, recordElements), 0)
	b = msgpack.AppendBin16(msgpack.AppendUint8(b, r.Status), r.Incarnation)
	b = msgpack.AppendUint64(msgpack.AppendUint64(b, r.Version), r.NextSeq)
	b = msgpack.AppendInt64(msgpack.AppendInt64(b, r.Created), r.ActiveMinute)
	b = msgpack.AppendInt64(msgpack.AppendInt64(b, r.Due), r.Expires)
	b = msgpack.AppendUint64(msgpack.AppendUint64(b, r.Messages), r.Bytes)
	b = msgpack.AppendStr8(msgpack.AppendUint64(b, epoch), r.UserID)
	b = msgpack.AppendMap16(b, len(r.Labels))
	for _, l := range r.Labels {
		b = msgpack.AppendStr8(msgpack.AppendStr8(b, l.Name), l.Value)
	}
	end := len(b)
	b = msgpack.AppendBin32(b, r.Body)
	doc := b[start:]
	binary.BigEndian.PutUint32(doc[envelopeSize+1:], checksum(key, b[start+headerStart:end]))
	seal(key, doc)
	return b
}

// ParseHeader reads the header of v without verifying it.
func ParseHeader(v []byte, h *RecordHeader) (sum uint32, ok bool) {
	w, ok := parseHeaderToUser(v, h)
	if !ok {
		return 0, false
	}
	h.parseLabels(&w)
	h.End = len(v) - w.Len()
	h.Raw = v[userOffset:h.End]
	return binary.BigEndian.Uint32(v[9:]), !w.Failed() && h.Status < driver.Statuses
}

// ParseIndexed reads the header fields that the index keys are made of. v may
// be only the first IndexedLen bytes of a value.
func ParseIndexed(v []byte, h *RecordHeader) bool {
	w, ok := parseHeaderToUser(v, h)
	return ok && !w.Failed()
}

// IndexedLen is the largest number of bytes that ParseIndexed reads.
const IndexedLen = userOffset + 2 + 255

// parseHeaderToUser reads the header up to the user. The elements before the
// user are at fixed offsets: see AppendRecord.
func parseHeaderToUser(v []byte, h *RecordHeader) (rest msgpack.FixedReader, ok bool) {
	if len(v) < userOffset || !hasHeaderCodes((*[userOffset]byte)(v)) {
		return msgpack.FixedReader{}, false
	}
	u64 := func(at int) uint64 { return binary.BigEndian.Uint64(v[at : at+8]) }
	h.Status = v[14]
	h.Incarnation = driver.Incarnation(v[17:33])
	h.Version = u64(34)
	h.NextSeq = u64(43)
	h.Created = int64(u64(52))
	h.ActiveMinute = int64(u64(61))
	h.Due = int64(u64(70))
	h.Expires = int64(u64(79))
	h.Messages = u64(88)
	h.Bytes = u64(97)
	h.Epoch = u64(106)
	rest = msgpack.NewFixedReader(v[userOffset:], int(binary.BigEndian.Uint16(v[1:]))-headerElements)
	h.UserID = rest.Str8()
	return rest, true
}

// hasHeaderCodes reports whether a value begins with the msgpack codes of a
// record's elements up to the user.
func hasHeaderCodes(v *[userOffset]byte) bool {
	return v[0] == msgpack.Array16Code && binary.BigEndian.Uint16(v[1:]) >= recordElements &&
		v[3] == msgpack.Uint32Code && v[8] == msgpack.Uint32Code &&
		v[13] == msgpack.Uint8Code && v[15] == msgpack.Bin8Code && v[16] == 16 &&
		v[33] == msgpack.Uint64Code && v[42] == msgpack.Uint64Code &&
		v[51] == msgpack.Int64Code && v[60] == msgpack.Int64Code &&
		v[69] == msgpack.Int64Code && v[78] == msgpack.Int64Code &&
		v[87] == msgpack.Uint64Code && v[96] == msgpack.Uint64Code && v[105] == msgpack.Uint64Code
}

func (h *RecordHeader) parseLabels(w *msgpack.FixedReader) {
	h.LabelCount = w.Map16()
	for range 2 * h.LabelCount {
		if w.Str8(); w.Failed() {
			return
		}
	}
}

// labels returns the labels: each name is followed by its value.
func (n *HeaderTexts) labels() msgpack.FixedReader {
	return msgpack.NewFixedReader(n.Raw[2+len(n.UserID)+3:], 2*n.LabelCount)
}

// ReadHeader reads and verifies the header of the record v at key.
func ReadHeader(key, v []byte, h *RecordHeader) bool {
	sum, ok := ParseHeader(v, h)
	return ok && h.Holds(key, v, sum)
}

// Holds reports whether sum is the checksum of the header of v at key.
// ParseHeader returned sum with h.
func (h *RecordHeader) Holds(key, v []byte, sum uint32) bool {
	return sum == checksum(key, v[headerStart:h.End])
}

// ReadRecord reads the header of v and verifies all of v.
func ReadRecord(key, v []byte, h *RecordHeader) (body []byte, ok bool) {
	if _, ok := ParseHeader(v, h); !ok {
		return nil, false
	}
	return h.Body(key, v)
}

// Body verifies all of v, whose header is h, and returns its body.
func (h *RecordHeader) Body(key, v []byte) (body []byte, ok bool) {
	w := openSealed(key, v, recordElements-1)
	if w.Failed() {
		return nil, false
	}
	w = msgpack.NewFixedReader(v[h.End:], w.Left()-(recordElements-2))
	body = w.Bin32()
	return body, w.Done()
}

// DecodeInto copies the record into r and reuses r's memory: UserID and the
// labels follow the body in the buffer of Body.
func (h *RecordHeader) DecodeInto(r *driver.Record, body []byte) {
	h.CopyNumbers(r)
	b := slices.Grow(r.Body[:0], len(body)+len(h.Raw))
	r.Labels = r.Labels[:0]
	h.CopyTo(append(b, body...), r)
	r.Body = b[:len(body)]
}

// CopyNumbers copies all fields except the texts.
func (h *RecordHeader) CopyNumbers(r *driver.Record) {
	r.Incarnation = h.Incarnation
	r.Version = h.Version
	r.NextSeq = h.NextSeq
	r.Status = h.Status
	r.Created = h.Created
	r.ActiveMinute = h.ActiveMinute
	r.Due = h.Due
	r.Expires = h.Expires
	r.Messages = h.Messages
	r.Bytes = h.Bytes
}

// CopyTo appends the texts to b, which has room for them, and sets the texts of
// r to that memory.
func (n *HeaderTexts) CopyTo(b []byte, r *driver.Record) []byte {
	at := len(b)
	b = append(b, n.Raw...)
	rest := UnsafeString(b[at:])
	r.UserID = rest[2 : 2+len(n.UserID)]
	rest = rest[2+len(n.UserID)+3:]
	for range n.LabelCount {
		var l driver.Label
		l.Name, rest = cutText(rest)
		l.Value, rest = cutText(rest)
		r.Labels = append(r.Labels, l)
	}
	return b
}

// cutText splits s after its first string, in the form of msgpack.AppendStr8.
func cutText(s string) (str, rest string) {
	n := 2 + int(s[1])
	return s[2:n], s[n:]
}

// AppendText appends s to b. It returns b, and s as a string that shares memory
// with b. b must have room for s, and these bytes must not change afterwards.
func AppendText(b, s []byte) ([]byte, string) {
	n := len(b)
	b = append(b, s...)
	return b, UnsafeString(b[n:])
}

// HasLabel reports whether the record has the label l with the same value.
func (h *RecordHeader) HasLabel(l driver.Label) bool {
	w := h.labels()
	for range h.LabelCount {
		name := w.Str8()
		value := w.Str8()
		if string(name) == l.Name {
			return string(value) == l.Value
		}
	}
	return false
}

// DamagedRecord names a damaged record.
func DamagedRecord(key []byte) error {
	k, _ := ParseRecordKey(key)
	return fmt.Errorf("%w: record %q in namespace %d", driver.ErrCorrupt, k.ID, k.Namespace)
}
