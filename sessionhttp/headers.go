package sessionhttp

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"unicode/utf8"

	"github.com/seshatdb/seshat"
)

// Limits of the headers of a request, in bytes.
const (
	maxQuery = 4 << 10
	maxID    = 64  // of X-Request-Id
	maxKey   = 255 // of Idempotency-Key
)

// headers are the headers that the handler reads, with their largest lengths.
// Each may be given only once.
var headers = []struct {
	name string
	max  int
}{
	{"Authorization", 4 << 10},
	{"X-Namespace", seshat.MaxNameBytes},
	{"Content-Type", 256},
	{"Content-Encoding", 64},
	{"Idempotency-Key", maxKey},
	{"If-Match", 4 << 10},
	{"If-None-Match", 4 << 10},
	{"Last-Event-Id", 64},
}

// checkHeaders rejects headers and queries that are too long or given twice,
// and preconditions that the route would ignore.
func (x *exchange) checkHeaders() error {
	h := x.r.Header
	for i := range headers {
		name := headers[i].name
		switch v := h[name]; {
		case len(v) == 0:
		case len(v) > 1:
			return malformed("the header " + name + " is given twice")
		case len(v[0]) > headers[i].max:
			return tooLong(name, headers[i].max)
		}
	}
	switch {
	case len(x.r.URL.RawQuery) > maxQuery:
		return errLongQuery
	case h["If-Match"] != nil && !x.route.ifMatch:
		return malformed("the header If-Match is not allowed on this route")
	case h["Idempotency-Key"] != nil && !x.route.idempotent:
		return malformed("the header Idempotency-Key is not allowed on this route; give a session_id to make a " +
			"creation repeatable")
	}
	return x.checkKey(h.Get("Idempotency-Key"))
}

func (x *exchange) checkKey(key string) error {
	for i := range len(key) {
		if key[i] < '!' || key[i] > '~' {
			return malformed("the header Idempotency-Key must be visible ASCII")
		}
	}
	if key == "" && x.r.Header["Idempotency-Key"] != nil {
		return malformed("the header Idempotency-Key is empty")
	}
	return nil
}

// namespace returns the value of X-Namespace.
func (x *exchange) namespace() (string, error) {
	name := x.r.Header.Get("X-Namespace")
	if name == "" {
		return "", malformed("the header X-Namespace is required: the name or id of a namespace")
	}
	if !utf8.ValidString(name) {
		return "", malformed("the header X-Namespace is not valid UTF-8; use the namespace's id")
	}
	return name, nil
}

// requestID returns the id that the client chose for its request, if it is
// short and safe to log.
func requestID(h http.Header) (string, error) {
	v := h["X-Request-Id"]
	if len(v) == 0 {
		return "", nil
	}
	if len(v) > 1 {
		return "", malformed("the header X-Request-Id is given twice")
	}
	if v[0] == "" || len(v[0]) > maxID {
		return "", nil
	}
	for _, c := range []byte(v[0]) {
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-', c == '_', c == '.':
		default:
			return "", nil
		}
	}
	return v[0], nil
}

// requestIDs makes ids that are unique across processes.
type requestIDs struct {
	prefix string
	n      atomic.Uint64
}

func newRequestIDs() *requestIDs { return &requestIDs{prefix: "req_" + rand.Text()[:16] + "_"} }

func (r *requestIDs) next() string {
	var b [48]byte
	return string(strconv.AppendUint(append(b[:0], r.prefix...), r.n.Add(1), 10))
}

func typeName(v any) string { return fmt.Sprintf("%T", v) }
