package seshat

import (
	"errors"
	"fmt"

	"github.com/seshatdb/seshat/internal/document"
)

var documentLimits = document.Limits{Bytes: MaxDocument, Depth: MaxDocumentDepth}

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
