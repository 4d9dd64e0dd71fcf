package seshat

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seshatdb/seshat/internal/document"
)

// Bounds of a Document.
const (
	MaxDocumentBytes = 64 << 10 // bytes, encoded
	MaxDocumentDepth = 32       // maps and lists inside one another
)

// Document is an immutable map of values, such as a session's user memory. It
// is decoded only when asked for, so carrying one around is cheap, and copies
// may be shared between goroutines. The zero value is the empty document.
type Document struct {
	enc string // msgpack of a map in normal form; "" = empty
	err error  // why Doc could not make one; told by the call that stores it
}

// NewDocument makes a document of m, which is copied. Values are normalized: strings,
// booleans, nil, []byte, time.Time (to UTC), any integer (to int64, or uint64
// where it does not fit), any float (to float64), json.Number, and slices,
// arrays and maps with string keys of these, and of types made from them. Nil
// slices and maps become nil, arrays of bytes become []byte. Anything else, a
// cycle, text that is not UTF-8, a float that is not finite, a year outside 0
// to 9999, or more than MaxDocumentBytes bytes or MaxDocumentDepth levels (of which
// m is the first) is reported as ErrInvalid, naming the value's path, by the
// call that stores the document.
func NewDocument(m map[string]any) Document {
	if len(m) == 0 {
		return Document{}
	}
	enc, err := encodeDocument(m)
	return Document{enc: enc, err: err}
}

// IsZero reports whether the document is empty.
func (d Document) IsZero() bool { return d.enc == "" && d.err == nil }

// Map returns the document as a fresh map, which is the caller's: int64,
// uint64 (above the largest int64), float64, string, bool, []byte, time.Time,
// nil, []any and map[string]any. It is nil if the document is empty.
func (d Document) Map() map[string]any {
	m, err := decodeDocument(d.enc)
	if err != nil {
		// The bytes were made by Doc, or read under a checksum and checked.
		return nil
	}
	return m
}

// Equal reports whether both hold the same values.
func (d Document) Equal(e Document) bool { return d.enc == e.enc && d.err == nil && e.err == nil }

// MarshalJSON returns the document as a JSON object, null if it is empty.
// Bytes become base64 and times RFC 3339, as encoding/json does.
func (d Document) MarshalJSON() ([]byte, error) {
	if d.err != nil {
		return nil, d.err
	}
	return json.Marshal(d.Map())
}

// UnmarshalJSON reads a JSON object or null. Numbers without fraction and
// exponent that fit become integers, all others float64. ErrInvalid: see Doc;
// also a key that is given twice.
func (d *Document) UnmarshalJSON(data []byte) error {
	m, err := jsonObject(data)
	if err != nil {
		return Document{err: err}.check("document")
	}
	*d = NewDocument(m)
	return d.check("document")
}

// check names the field that holds a document which Doc could not make.
func (d Document) check(field string) error {
	if d.err == nil {
		return nil
	}
	if e, ok := d.err.(*InvalidError); ok {
		return &InvalidError{Field: field + e.Field, Reason: e.Reason}
	}
	return d.err
}

// MemoryAs is DocumentAs of a session's user memory.
func MemoryAs[T any](s *Session) (T, error) { return DocumentAs[T](s.UserMemory) }

// DocumentAs decodes a document into a T, by the rules of msgpack's struct
// tags (vmihailenco/msgpack): numbers are converted as Go converts them, times
// are in the local zone, and an integer in an interface has the smallest type
// that holds it. ErrInvalid: it does not fit.
func DocumentAs[T any](d Document) (T, error) {
	var v T
	if d.err != nil {
		return v, d.err
	}
	return v, decodeDocumentInto(d.enc, &v)
}

// MarshalBinary returns the document as msgpack, which keeps what JSON does
// not: bytes, times, and the kinds of numbers.
func (d Document) MarshalBinary() ([]byte, error) {
	if d.err != nil {
		return nil, d.err
	}
	return []byte(d.enc), nil
}

// UnmarshalBinary reads what MarshalBinary wrote, and copies it. ErrInvalid:
// anything else.
func (d *Document) UnmarshalBinary(data []byte) error {
	enc := string(data)
	if checkDocument(enc) != nil {
		return invalid("document", "is not what MarshalBinary writes")
	}
	*d = Document{enc: enc}
	return nil
}

var documentLimits = document.Limits{Bytes: MaxDocumentBytes, Depth: MaxDocumentDepth}

// encodeDocument returns the normal form of m; see Doc. The field of an
// *InvalidError is the path in m, such as ".prefs.colors[3]".
func encodeDocument(m map[string]any) (string, error) {
	enc, err := document.Encode(m, documentLimits)
	return enc, documentError(err)
}

// decodeDocument returns fresh values; see Document.Map. ErrCorrupt.
func decodeDocument(enc string) (map[string]any, error) {
	m, err := document.Decode(enc, documentLimits)
	return m, documentError(err)
}

// checkDocument refuses bytes from outside that encodeDocument does not make.
// ErrCorrupt.
func checkDocument(enc string) error { return documentError(document.Check(enc, documentLimits)) }

// decodeDocumentInto decodes into what v points at. ErrInvalid: it does not
// fit. ErrCorrupt.
func decodeDocumentInto(enc string, v any) error {
	err := document.DecodeInto(enc, documentLimits, v)
	if err == nil || errors.Is(err, document.ErrMalformed) {
		return documentError(err)
	}
	return invalid("document", "does not fit a %T: %v", v, err)
}

// jsonObject reads a JSON object or null; see Document.UnmarshalJSON.
func jsonObject(data []byte) (map[string]any, error) {
	m, err := document.FromJSON(data, documentLimits)
	return m, documentError(err)
}

// documentError says in the errors of this package what package document says
// in its own.
func documentError(err error) error {
	if err == nil {
		return nil
	}
	if e := (*document.Error)(nil); errors.As(err, &e) {
		return &InvalidError{Field: e.Path, Reason: e.Reason}
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}
