package sessionhttp

import (
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/seshatdb/seshat"
)

// Handler serves the sessions of a store.
//
//	POST   /v1/agents/sessions                          create
//	POST   /v1/agents/sessions/list                     list
//	GET    /v1/agents/sessions/watch                    server-sent events
//	GET    /v1/agents/sessions/{session_id}             read
//	PATCH  /v1/agents/sessions/{session_id}             change user_memory
//	DELETE /v1/agents/sessions/{session_id}             terminate or erase
//	GET    /v1/agents/sessions/{session_id}/history     read messages
//	POST   /v1/agents/sessions/{session_id}/messages    append messages
//	POST   /v1/agents/sessions/{session_id}/transition  change the status
//	POST   /v1/agents/sessions/{session_id}/fork        copy
//	DELETE /v1/agents/users/{user_id}                   erase a user's data
//	GET    /healthz, /readyz, /openapi.json
//
// Handler does not close the store. Close it after the server has shut down.
func Handler(store *seshat.Store, o Options) http.Handler {
	h := &handler{store: store, o: o.withDefaults(), ids: newRequestIDs()}
	if h.o.Authenticate == nil {
		h.o.Authenticate = h.bearer
	}
	return h
}

type handler struct {
	store *seshat.Store
	o     Options
	ids   *requestIDs
}

// exchange is one request and its answer.
type exchange struct {
	*handler
	w     http.ResponseWriter
	r     *http.Request
	route *route
	place
	id    string // id of the request
	grant Grant
	t     *seshat.Tenant // nil on open routes

	out    []byte // body of the answer
	status int    // 0 = not answered yet
	sent   int64
	got    int64
	cause  error // error that was answered, if any
}

// buffers pools the buffers of answers. Large buffers are not returned to it.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

const maxPooled = 256 << 10

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var began time.Time
	if h.o.AccessLog != nil || h.o.Observe != nil {
		began = time.Now()
	}
	buf := buffers.Get().(*[]byte)
	x := &exchange{handler: h, w: w, r: r, out: (*buf)[:0]}
	defer func() {
		if p := recover(); p != nil {
			x.answerPanic(p)
		}
		if !began.IsZero() {
			x.report(time.Since(began))
		}
		if cap(x.out) <= maxPooled {
			*buf = x.out
			buffers.Put(buf)
		}
	}()
	if err := x.run(); err != nil {
		x.fail(err)
	}
}

// Headers that are the same on every answer. They are shared because nothing
// changes them.
var (
	noStore  = []string{"no-store"}
	noSniff  = []string{"nosniff"}
	typeJSON = []string{"application/json"}
)

func (x *exchange) run() error {
	h := x.w.Header()
	h["Cache-Control"], h["X-Content-Type-Options"] = noStore, noSniff
	given, err := requestID(x.r.Header)
	if x.id = given; given == "" {
		x.id = x.ids.next()
	}
	h["X-Request-Id"] = []string{x.id}
	if err != nil {
		return err
	}
	if x.place, err = find(x.r.Method, x.r.URL.EscapedPath()); err != nil {
		return malformed("the path has an invalid escape")
	}
	if x.resource == nil {
		return errNoRoute
	}
	if x.route = x.routes[x.r.Method]; x.route == nil {
		h["Allow"] = []string{x.allow}
		return errMethod
	}
	if err := x.admit(); err != nil {
		return err
	}
	return x.route.serve(x)
}

// admit authorizes the request, and rejects headers and bodies that the route
// does not accept.
func (x *exchange) admit() (err error) {
	if err := x.checkHeaders(); err != nil {
		return err
	}
	if !x.route.open {
		if err := x.authorize(); err != nil {
			return err
		}
	}
	if !x.route.body {
		return x.noBody()
	}
	return nil
}

// reply sends x.out.
func (x *exchange) reply(status int) error {
	x.status = status
	h := x.w.Header()
	if status != http.StatusNotModified {
		h["Content-Type"] = typeJSON
		h["Content-Length"] = []string{strconv.Itoa(len(x.out))}
	}
	x.w.WriteHeader(status)
	if x.r.Method != http.MethodHead && len(x.out) > 0 {
		n, _ := x.w.Write(x.out) // the client may have left
		x.sent += int64(n)
	}
	return nil
}

// fail answers with an error, or ends an answer that has begun.
func (x *exchange) fail(err error) {
	x.cause = err
	p := problemOf(err, x)
	if p.status >= http.StatusInternalServerError && p != errShutdown && p != errCanceled {
		x.o.Logger.ErrorContext(x.r.Context(), "request failed",
			"request_id", x.id, "route", x.pattern(), "status", p.status, "error", err)
	}
	if x.status != 0 {
		return
	}
	p.headers(x.w.Header())
	x.out = p.append(x.out[:0])
	_ = x.reply(p.status)
}

// answerPanic answers with an error that shows only the request's id.
func (x *exchange) answerPanic(p any) {
	if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it in the same way
		panic(p)
	}
	// The panic's value may hold content. Its type and place do not.
	x.o.Logger.ErrorContext(x.r.Context(), "panic", "request_id", x.id, "route", x.pattern(),
		"type", typeName(p), "stack", string(debug.Stack()))
	if x.status != 0 {
		panic(http.ErrAbortHandler) // the client must not take the answer for complete
	}
	x.fail(errPanic)
}

func (x *exchange) pattern() string {
	if x.resource == nil {
		return ""
	}
	return x.resource.pattern
}
