package sessionhttp

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/internal/msgpack"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonout"
)

// appendDocument appends the JSON of d directly from its stored form. A map in
// between would cost a third of reading a session.
func appendDocument(b []byte, d seshat.Document) ([]byte, error) {
	if d.IsZero() {
		return jsonout.Null(b), nil
	}
	enc, err := d.MarshalBinary()
	if err != nil {
		return nil, err
	}
	r := msgpack.NewReader(string(enc))
	b = appendValue(b, &r)
	return b, r.Err()
}

// appendValue appends the next value of r. A document is at most
// seshat.MaxDocumentDepth levels deep.
func appendValue(b []byte, r *msgpack.Reader) []byte {
	switch r.Peek() {
	case msgpack.Bool:
		return strconv.AppendBool(b, r.Bool())
	case msgpack.Uint:
		return jsonout.Uint(b, r.Uint())
	case msgpack.Int:
		return strconv.AppendInt(b, r.Int(), 10)
	case msgpack.Float:
		return jsonout.Float(b, r.Float())
	case msgpack.Text:
		return jsonout.Text(b, r.Text())
	case msgpack.Bin:
		b = base64.StdEncoding.AppendEncode(append(b, '"'), []byte(r.Bin()))
		return append(b, '"')
	case msgpack.Ext:
		return r.Time().AppendFormat(b, `"`+time.RFC3339Nano+`"`)
	case msgpack.Array:
		return appendList(b, r)
	case msgpack.Map:
		return appendMap(b, r)
	}
	r.Nil()
	return jsonout.Null(b)
}

func appendList(b []byte, r *msgpack.Reader) []byte {
	b = append(b, '[')
	for i, n := 0, r.Array(); i < n && r.Err() == nil; i++ {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, r)
	}
	return append(b, ']')
}

func appendMap(b []byte, r *msgpack.Reader) []byte {
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
