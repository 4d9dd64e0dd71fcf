package sessionhttp

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/seshatdb/seshat/sessionhttp/internal/jsonin"
)

const (
	jsonBody  = "application/json"
	mergeBody = "application/merge-patch+json"
)

// noBody rejects a body on a route without one.
func (x *exchange) noBody() error {
	if x.r.Body == nil || x.r.Body == http.NoBody || x.r.ContentLength == 0 {
		return nil
	}
	var b [1]byte
	if n, err := io.ReadFull(x.r.Body, b[:]); n > 0 || err != io.EOF {
		return errNoBytes
	}
	return nil
}

// contentType returns the media type of the body. It must be one of types.
func (x *exchange) contentType(types ...string) (string, error) {
	if e := x.r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return "", unsupported(types)
	}
	given, params, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if charset, ok := params["charset"]; err != nil || ok && !strings.EqualFold(charset, "utf-8") {
		return "", unsupported(types)
	}
	for _, t := range types {
		if given == t {
			return t, nil
		}
	}
	return "", unsupported(types)
}

func unsupported(types []string) error {
	return &problem{
		status:  http.StatusUnsupportedMediaType,
		message: "the body must be " + strings.Join(types, " or ") + " in UTF-8, without a content encoding",
	}
}

// read returns the body. It fails if the body is larger than Options.MaxBody.
func (x *exchange) read() ([]byte, error) {
	if x.r.Body == nil || x.r.Body == http.NoBody {
		return nil, nil
	}
	limited := http.MaxBytesReader(x.w, x.r.Body, x.o.MaxBody)
	if x.r.ContentLength > x.o.MaxBody {
		return nil, &http.MaxBytesError{Limit: x.o.MaxBody}
	}
	// The largest Content-Length for which a buffer is allocated in advance.
	const trusted = 64 << 10
	b := make([]byte, 0, min(max(x.r.ContentLength+1, 512), trusted))
	for {
		n, err := limited.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		x.got = int64(len(b))
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return nil, readError(err)
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}

func readError(err error) error {
	if e := (*http.MaxBytesError)(nil); errors.As(err, &e) {
		return e
	}
	return malformed("the body is incomplete")
}

// form parses the body as an object.
func (x *exchange) form() (*form, error) {
	if _, err := x.contentType(jsonBody); err != nil {
		return nil, err
	}
	return x.parse()
}

// optionalForm is form, and takes a missing body as {}.
func (x *exchange) optionalForm() (*form, error) {
	if x.r.ContentLength == 0 || x.r.Body == nil || x.r.Body == http.NoBody {
		return newForm(&problems{}, "", jsonin.Raw("{}")), nil
	}
	return x.form()
}

func (x *exchange) parse() (*form, error) {
	data, err := x.read()
	if err != nil {
		return nil, err
	}
	if err := jsonin.Check(data); err != nil {
		return nil, badJSON(err)
	}
	v := jsonin.Value(data)
	if v.Kind() != jsonin.Object {
		return nil, malformed("the body is " + string(v.Kind()) + "; an object is required")
	}
	return newForm(&problems{}, "", v), nil
}

func badJSON(err error) error {
	var e *jsonin.Error
	if !errors.As(err, &e) {
		return err
	}
	return &problem{
		status: http.StatusBadRequest, message: "the body is not valid JSON: " + e.Error(),
		details: []detail{optText("field", e.Path), num("offset", uint64(e.Offset)), text("reason", e.Reason)},
	}
}
