package sessionhttp

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/internal/wire"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonout"
)

// appendDocument appends what the document's MarshalJSON says, straight from
// its stored form: building a map in between would be a third of what reading
// a session costs.
func appendDocument(b []byte, d seshat.Document) ([]byte, error) {
	if d.IsZero() {
		return jsonout.Null(b), nil
	}
	enc, err := d.MarshalBinary()
	if err != nil {
		return nil, err
	}
	r := wire.NewReader(string(enc))
	b = appendValue(b, &r)
	return b, r.Err()
}

// appendValue appends the value that r reads next. A document is never deeper
// than seshat.MaxDocumentDepth.
func appendValue(b []byte, r *wire.Reader) []byte {
	switch r.Peek() {
	case wire.Bool:
		return strconv.AppendBool(b, r.Bool())
	case wire.Uint:
		return jsonout.Uint(b, r.Uint())
	case wire.Int:
		return strconv.AppendInt(b, r.Int(), 10)
	case wire.Float:
		return jsonout.Float(b, r.Float())
	case wire.Text:
		return jsonout.Text(b, r.Text())
	case wire.Bin:
		b = base64.StdEncoding.AppendEncode(append(b, '"'), []byte(r.Bin()))
		return append(b, '"')
	case wire.Ext:
		return r.Time().AppendFormat(b, `"`+time.RFC3339Nano+`"`)
	case wire.Array:
		return appendList(b, r)
	case wire.Map:
		return appendMap(b, r)
	}
	r.Nil()
	return jsonout.Null(b)
}

func appendList(b []byte, r *wire.Reader) []byte {
	b = append(b, '[')
	for i, n := 0, r.Array(); i < n && r.Err() == nil; i++ {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, r)
	}
	return append(b, ']')
}

func appendMap(b []byte, r *wire.Reader) []byte {
	b = append(b, '{')
	for i, n := 0, r.Map(); i < n && r.Err() == nil; i++ {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(jsonout.Text(b, r.Text()), ':')
		b = appendValue(b, r)
	}
	return append(b, '}')
}
