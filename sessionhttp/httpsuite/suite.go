// Package httpsuite tests the promises of package sessionhttp, route by route.
// [Run] sends the requests of all tests to a handler over a store in memory,
// and [RunOn] over stores of the caller. Both pass each exchange to a function
// that can check it further, for instance against openapi.json.
package httpsuite

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/sessionhttp"
)

// Exchange is one request and its answer.
type Exchange struct {
	// The request.
	Route  string // pattern as in openapi.json, "" = none
	Method string
	Query  string      // of the URL, without the question mark
	Header http.Header // of the request
	Sent   []byte      // body of the request

	// The answer.
	Status int
	Answer http.Header
	Body   []byte
}

// Open opens a new, empty store for a test.
type Open func(testing.TB, ...seshat.Options) *seshattest.Store

// Run runs all tests as subtests of t, on stores in memory. If check is not
// nil, it gets each exchange.
func Run(t *testing.T, check func(testing.TB, *Exchange)) { RunOn(t, seshattest.Open, check) }

// RunOn is Run on the stores that open returns.
func RunOn(t *testing.T, open Open, check func(testing.TB, *Exchange)) {
	if check == nil {
		check = func(testing.TB, *Exchange) {}
	}
	for _, group := range []struct {
		name  string
		tests map[string]func(*env)
	}{
		{"create", creation},
		{"get", reading},
		{"patch", patches},
		{"delete", endings},
		{"transition", transitions},
		{"fork", forks},
		{"list", lists},
		{"history", histories},
		{"append", appends},
		{"users", users},
		{"watch", watches},
		{"open", openRoutes},
		{"keys", keys},
		{"refusals", refusals},
		{"paths", paths},
	} {
		t.Run(group.name, func(t *testing.T) {
			for name, test := range group.tests {
				t.Run(name, func(t *testing.T) { test(newEnv(t, open, check)) })
			}
		})
	}
}

// env is a handler under test with a key and a namespace.
type env struct {
	*testing.T
	ctx     context.Context
	open    Open
	store   *seshattest.Store
	options sessionhttp.Options
	handler http.Handler
	acme    *seshat.Tenant
	secret  string
	check   func(testing.TB, *Exchange)
	route   string // of the last request
	last    *httptest.ResponseRecorder
}

func newEnv(t *testing.T, open Open, check func(testing.TB, *Exchange)) *env {
	e := &env{T: t, ctx: context.Background(), open: open, store: open(t), check: check}
	e.options.Observe = func(o sessionhttp.Observation) { e.route = o.Route }
	e.handler = sessionhttp.Handler(e.store.Store, e.options)
	e.acme = e.namespace(seshat.Namespace{Name: "acme"})
	e.secret = e.key(seshat.APIKey{Name: "test"})
	return e
}

// rebuild makes a new handler for the store, with changed options.
func (e *env) rebuild(change func(*sessionhttp.Options)) {
	change(&e.options)
	e.handler = sessionhttp.Handler(e.store.Store, e.options)
}

func (e *env) namespace(n seshat.Namespace) *seshat.Tenant {
	e.Helper()
	t, err := e.store.EnsureTenant(e.ctx, n)
	e.must(err)
	return t
}

func (e *env) key(k seshat.APIKey) string {
	e.Helper()
	_, secret, err := e.store.CreateAPIKey(e.ctx, k)
	e.must(err)
	return secret
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

const (
	sessions = "/v1/agents/sessions"
	newBody  = `{"agent_config":{"model":"gpt-4o"}}`
	absent   = "\x00" // value of a header that is not sent
)

// request builds a request of the client acme. headers alternates names and
// values.
func (e *env) request(method, path, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body == "" {
		r.Body = http.NoBody
	}
	r.Header.Set("Authorization", "Bearer "+e.secret)
	r.Header.Set("X-Namespace", "acme")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == absent {
			r.Header.Del(headers[i])
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return r
}

// call sends a request, expects the status, and returns the body of the answer.
func (e *env) call(status int, method, path, body string, headers ...string) object {
	e.Helper()
	return e.send(status, e.request(method, path, body, headers...), body)
}

func (e *env) send(status int, r *http.Request, body string) object {
	e.Helper()
	w := httptest.NewRecorder()
	e.handler.ServeHTTP(w, r)
	e.last = w
	data := bytes.Clone(w.Body.Bytes())
	e.check(e, &Exchange{
		Route: e.route, Method: r.Method, Query: r.URL.RawQuery, Header: r.Header, Sent: []byte(body),
		Status: w.Code, Answer: w.Header(), Body: data,
	})
	if w.Code != status {
		e.Fatalf("%s %s: got status %d, want %d: %s", r.Method, r.URL, w.Code, status, data)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got := w.Header().Get(name); got != want {
			e.Fatalf("%s %s: %s is %q, want %q", r.Method, r.URL, name, got, want)
		}
	}
	if w.Header().Get("X-Request-Id") == "" {
		e.Fatalf("%s %s: no request id", r.Method, r.URL)
	}
	if len(data) == 0 || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		return nil
	}
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		e.Fatalf("%s %s: %v: %s", r.Method, r.URL, err, data)
	}
	return o
}

// object is the body of an answer.
type object map[string]any

// at returns the value at a path of keys and indexes.
func (o object) at(path ...any) any {
	var v any = map[string]any(o)
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			list, _ := v.([]any)
			if s >= len(list) {
				return nil
			}
			v = list[s]
		}
	}
	return v
}

// is expects the value at a path. Numbers are float64.
func (e *env) is(o object, want any, path ...any) {
	e.Helper()
	if got := o.at(path...); got != want {
		e.Fatalf("%v is %v, want %v in %v", path, got, want, o)
	}
}

// keysAre expects exactly these members.
func (e *env) keysAre(o any, names ...string) {
	e.Helper()
	m, ok := o.(map[string]any)
	if !ok {
		m, ok = o.(object)
	}
	for _, name := range names {
		if _, there := m[name]; !there {
			e.Fatalf("%s is missing in %v", name, o)
		}
	}
	if !ok || len(m) != len(names) {
		e.Fatalf("%d members, want %d in %v", len(m), len(names), o)
	}
}

// refused sends a request and expects an error of the status and type.
func (e *env) refused(status int, kind, method, path, body string, headers ...string) object {
	e.Helper()
	o := e.call(status, method, path, body, headers...)
	e.isError(o, status, kind)
	return o
}

func (e *env) isError(o object, status int, kind string) {
	e.Helper()
	e.keysAre(o, "success", "status", "error")
	e.is(o, false, "success")
	e.is(o, float64(status), "status")
	e.keysAre(o.at("error"), "message", "type", "details")
	e.is(o, kind, "error", "type")
	if o.at("error", "message") == "" {
		e.Fatal("an error without a message")
	}
}

// invalid expects a 422 that names exactly these fields.
func (e *env) invalid(method, path, body string, fields ...string) {
	e.Helper()
	o := e.refused(422, "ValidationError", method, path, body)
	list, _ := o.at("error", "details", "fields").([]any)
	if len(list) != len(fields) {
		e.Fatalf("%d fields are refused, want %v: %v", len(list), fields, list)
	}
	for i, want := range fields {
		e.is(o, want, "error", "details", "fields", i, "field")
	}
}

// create creates a session and returns its id.
func (e *env) create(id string) string {
	e.Helper()
	return e.created(seshat.NewSession{ID: id, Agent: seshat.AgentConfig{Model: "m"}})
}

func (e *env) created(n seshat.NewSession) string {
	e.Helper()
	s, err := e.acme.Create(e.ctx, n)
	e.must(err)
	return s.ID
}

// say appends n messages.
func (e *env) say(id string, n int) {
	e.Helper()
	ms := make([]seshat.Message, n)
	for i := range ms {
		ms[i] = seshat.Message{Role: seshat.RoleUser, Content: "hello"}
	}
	_, err := e.acme.Append(e.ctx, id, ms...)
	e.must(err)
}

func (e *env) get(id string) *seshat.Session {
	e.Helper()
	s, err := e.acme.Get(e.ctx, id)
	e.must(err)
	return s
}
