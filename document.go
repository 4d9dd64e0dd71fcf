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
	enc string      // msgpack of a map in normal form; "" = empty
	err *fieldError // why NewDocument could not make one; the call that stores it returns it
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
	enc, err := document.Encode(m, documentLimits)
	return Document{enc: enc, err: refuseDocument(err)}
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
		return nil, d.err.at("document").err()
	}
	return json.Marshal(d.Map())
}

// UnmarshalJSON reads a JSON object or null. Numbers without fraction and
// exponent that fit become integers, all others float64. ErrInvalid: see Doc;
// also a key that is given twice.
func (d *Document) UnmarshalJSON(data []byte) error {
	m, err := document.FromJSON(data, documentLimits)
	if err != nil {
		return refuseDocument(err).at("document").err()
	}
	*d = NewDocument(m)
	return d.check("document").err()
}

// check refuses a document that NewDocument could not make. The field of the
// error is the path of the bad value, such as "metadata.prefs.colors[3]".
func (d *Document) check(field string) *fieldError { return d.err.at(field) }

// DocumentAs decodes a document into a T, by the rules of msgpack's struct
// tags (vmihailenco/msgpack): numbers are converted as Go converts them, times
// are in the local zone, and an integer in an interface has the smallest type
// that holds it. ErrInvalid: it does not fit.
func DocumentAs[T any](d Document) (T, error) {
	var v T
	if d.err != nil {
		return v, d.err.at("document").err()
	}
	return v, decodeDocumentInto(d.enc, &v)
}

// MarshalBinary returns the document as msgpack, which keeps what JSON does
// not: bytes, times, and the kinds of numbers.
func (d Document) MarshalBinary() ([]byte, error) {
	if d.err != nil {
		return nil, d.err.at("document").err()
	}
	return []byte(d.enc), nil
}

// UnmarshalBinary reads what MarshalBinary wrote, and copies it. ErrInvalid:
// anything else.
func (d *Document) UnmarshalBinary(data []byte) error {
	enc := string(data)
	if checkDocument(enc) != nil {
		return invalid("document", "is not a document; only what MarshalBinary returned is allowed")
	}
	*d = Document{enc: enc}
	return nil
}

var documentLimits = document.Limits{Bytes: MaxDocumentBytes, Depth: MaxDocumentDepth}

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
	// The text of err may quote what the document holds.
	return invalid("document", "does not fit into the Go type %T", v)
}

// refuseDocument returns the error for a refusal of package document, whose
// path it keeps.
func refuseDocument(err error) *fieldError {
	if err == nil {
		return nil
	}
	var e *document.Error
	errors.As(err, &e) // it refuses with no other type
	return &fieldError{field: e.Path, reason: e.Reason}
}

// documentError returns the error for stored bytes that are no document.
// ErrCorrupt.
func documentError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}
