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
	MaxDocumentDepth = 32       // levels of nested maps and lists
)

// Document is an immutable map of values, such as a session's user memory. Its
// values are decoded only when they are read, so copying a Document is cheap.
// Goroutines may share copies. The zero Document is empty.
type Document struct {
	enc string      // msgpack of a map in normal form; "" = empty
	err *fieldError // error of NewDocument, which the call that stores the document returns
}

// NewDocument returns a document with a copy of m. It accepts nil, booleans,
// strings, []byte, time.Time, integers, floats and json.Number, slices and
// arrays of these, and maps with string keys. It also accepts named types of
// these kinds. It converts times to UTC, floats to float64, integers to int64
// (or uint64 above the largest int64), arrays of bytes to []byte, and nil
// slices and maps to nil.
//
// NewDocument does not fail. If a value is not allowed, the call that stores
// the document returns ErrInvalid with the path of the value. Not allowed are
// other types, cycles, text that is not UTF-8, floats that are not finite,
// years outside 0 to 9999, more than MaxDocumentBytes bytes, and more than
// MaxDocumentDepth levels, of which m is the first.
func NewDocument(m map[string]any) Document {
	if len(m) == 0 {
		return Document{}
	}
	enc, err := document.Encode(m, documentLimits)
	return Document{enc: enc, err: refuseDocument(err)}
}

// IsZero reports whether the document is empty.
func (d Document) IsZero() bool { return d.enc == "" && d.err == nil }

// Map returns the document as a fresh map that belongs to the caller. Its
// values are int64, uint64 (above the largest int64), float64, string, bool,
// []byte, time.Time, nil, []any and map[string]any. If the document is empty,
// the map is nil.
func (d Document) Map() map[string]any {
	m, err := decodeDocument(d.enc)
	if err != nil {
		// NewDocument encoded the bytes, or a read checked them.
		return nil
	}
	return m
}

// Equal reports whether both documents hold the same values.
func (d Document) Equal(e Document) bool { return d.enc == e.enc && d.err == nil && e.err == nil }

// MarshalJSON returns the document as a JSON object, or null if it is empty. As
// in encoding/json, bytes become base64 and times RFC 3339.
func (d Document) MarshalJSON() ([]byte, error) {
	if d.err != nil {
		return nil, d.err.at("document").err()
	}
	return json.Marshal(d.Map())
}

// UnmarshalJSON reads a JSON object or null. Numbers without fraction and
// exponent that fit become integers, all others float64.
//
// Errors: ErrInvalid if NewDocument does not allow a value, or a key is given
// twice.
func (d *Document) UnmarshalJSON(data []byte) error {
	m, err := document.FromJSON(data, documentLimits)
	if err != nil {
		return refuseDocument(err).at("document").err()
	}
	*d = NewDocument(m)
	return d.check("document").err()
}

// check returns the error of NewDocument. Its field is the path of the bad
// value, such as "metadata.prefs.colors[3]".
func (d *Document) check(field string) *fieldError { return d.err.at(field) }

// DocumentAs decodes a document into a T, by the rules of msgpack's struct tags
// (vmihailenco/msgpack). Numbers are converted as Go converts them, times are
// in the local zone, and an integer in an interface has the smallest type that
// holds it.
//
// Errors: ErrInvalid if the document does not fit into a T; ErrCorrupt.
func DocumentAs[T any](d Document) (T, error) {
	var v T
	if d.err != nil {
		return v, d.err.at("document").err()
	}
	return v, decodeDocumentInto(d.enc, &v)
}

// MarshalBinary returns the document as msgpack. Unlike JSON, msgpack keeps
// bytes, times, and the types of numbers.
func (d Document) MarshalBinary() ([]byte, error) {
	if d.err != nil {
		return nil, d.err.at("document").err()
	}
	return []byte(d.enc), nil
}

// UnmarshalBinary reads the result of MarshalBinary, and copies it.
//
// Errors: ErrInvalid for any other bytes.
func (d *Document) UnmarshalBinary(data []byte) error {
	enc := string(data)
	if checkDocument(enc) != nil {
		return invalid("document", "is not a document; only the result of MarshalBinary is allowed")
	}
	*d = Document{enc: enc}
	return nil
}

var documentLimits = document.Limits{Bytes: MaxDocumentBytes, Depth: MaxDocumentDepth}

// decodeDocument returns fresh values; see Document.Map. Errors: ErrCorrupt.
func decodeDocument(enc string) (map[string]any, error) {
	m, err := document.Decode(enc, documentLimits)
	return m, documentError(err)
}

// checkDocument refuses bytes that NewDocument does not produce. Errors:
// ErrCorrupt.
func checkDocument(enc string) error { return documentError(document.Check(enc, documentLimits)) }

// decodeDocumentInto decodes into the value that v points to. Errors:
// ErrInvalid if it does not fit; ErrCorrupt.
func decodeDocumentInto(enc string, v any) error {
	err := document.DecodeInto(enc, documentLimits, v)
	if err == nil || errors.Is(err, document.ErrMalformed) {
		return documentError(err)
	}
	// The text of err may quote content of the document.
	return invalid("document", "does not fit into the Go type %T", v)
}

// refuseDocument converts an error of package document, and keeps its path.
func refuseDocument(err error) *fieldError {
	if err == nil {
		return nil
	}
	var e *document.Error
	errors.As(err, &e) // the package returns no other type
	return &fieldError{field: e.Path, reason: e.Reason}
}

// documentError returns ErrCorrupt for stored bytes that are not a document.
func documentError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}
