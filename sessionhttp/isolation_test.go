package sessionhttp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/sessionhttp"
)

// callLog is a driver that writes down what is asked of it.
type callLog struct {
	driver.Driver
	mu    sync.Mutex // guards calls
	calls []string
}

func (c *callLog) log(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, fmt.Sprintf(format, args...))
}

func (c *callLog) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.calls
	c.calls = nil
	return calls
}

func (c *callLog) Mutate(ctx context.Context, ops ...*driver.Op) error {
	for _, op := range ops {
		c.log("mutate %d, %d entries", op.Target.Key.Namespace, len(op.Target.Entries))
	}
	return c.Driver.Mutate(ctx, ops...)
}

func (c *callLog) Get(ctx context.Context, k driver.Key, now int64, into *driver.Record) error {
	c.log("get %d", k.Namespace)
	return c.Driver.Get(ctx, k, now, into)
}

func (c *callLog) List(ctx context.Context, q driver.Query) (driver.Page, error) {
	c.log("list %d", q.Namespace)
	return c.Driver.List(ctx, q)
}

func (c *callLog) Messages(ctx context.Context, q driver.LogQuery) ([]driver.Message, error) {
	c.log("messages %d", q.Namespace)
	return c.Driver.Messages(ctx, q)
}

func (c *callLog) Entries(ctx context.Context, q driver.EntryQuery) ([]driver.Entry, error) {
	c.log("entries %d of kind %x", q.Namespace, q.Kind)
	return c.Driver.Entries(ctx, q)
}

// hidden is what the other tenants' sessions say.
const hidden = "what others said"

// twoTenants is a server of which acme has a key, and others have a session.
type twoTenants struct {
	handler http.Handler
	calls   *callLog
	secret  string
	some    string // opens acme alone
	foreign *seshat.Tenant
	inside  *seshat.Tenant // another namespace of the same organization
}

func newTwoTenants(t testing.TB) *twoTenants {
	t.Helper()
	x := &twoTenants{calls: &callLog{Driver: memdriver.Open()}}
	s, err := seshat.OpenDriver(x.calls, seshat.Options{Now: seshattest.NewClock().Now, SweepEvery: seshat.Never})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { seshattest.CheckAndClose(t, s) })
	x.handler = sessionhttp.Handler(s, sessionhttp.Options{})
	tenant := func(org, name, session, words string) *seshat.Tenant {
		n, err := s.EnsureTenant(t.Context(), seshat.Namespace{InternalID: org, Name: name})
		if err == nil {
			_, err = n.Create(t.Context(), seshat.NewSession{ID: session, User: "mia", Metadata: map[string]any{"k": words}})
		}
		if err == nil {
			_, err = n.Append(t.Context(), session, seshat.Message{Role: seshat.User, Content: words})
		}
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	acme := tenant("int_a", "acme", "ours", "hello")
	x.inside, x.foreign = tenant("int_a", "inside", "foreign", hidden), tenant("int_b", "theirs", "foreign", hidden)
	for to, k := range map[*string]seshat.APIKey{&x.secret: {}, &x.some: {Namespaces: []string{acme.ID()}}} {
		k.InternalID = "int_a"
		if _, *to, err = s.CreateKey(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

func (x *twoTenants) request(secret, namespace, method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("X-Namespace", namespace)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	} else {
		r.Body = http.NoBody
	}
	return r
}

func (x *twoTenants) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	x.handler.ServeHTTP(w, r)
	return w
}

var onSession = []struct{ method, tail, body string }{
	{"GET", "", ""},
	{"PATCH", "", `{"user_memory":{}}`},
	{"DELETE", "", ""},
	{"DELETE", "?purge=true", ""},
	{"GET", "/history", ""},
	{"POST", "/messages", `{"messages":[{"role":"user"}]}`},
	{"POST", "/transition", `{"status":"idle"}`},
	{"POST", "/fork", `{}`},
}

// Promise: a session of another tenant answers like one that is nowhere, after
// the same calls of the engine and with as many allocations.
func TestForeignIsLikeAbsent(t *testing.T) {
	x := newTwoTenants(t)
	x.send(x.request(x.secret, "acme", "GET", "/v1/agents/sessions/ours", "")) // notes the use of the key
	for _, c := range onSession {
		t.Run(c.method+c.tail, func(t *testing.T) {
			var calls [2][]string
			var answers [2]string
			var allocs [2]float64
			for i, id := range []string{"missing", "foreign"} {
				path := "/v1/agents/sessions/" + id + c.tail
				x.calls.take()
				w := x.send(x.request(x.secret, "acme", c.method, path, c.body))
				calls[i], answers[i] = x.calls.take(), strings.ReplaceAll(w.Body.String(), id, "…")
				allocs[i] = x.allocations(c.method, path, c.body)
			}
			if !slices.Equal(calls[0], calls[1]) || len(calls[0]) == 0 {
				t.Errorf("absent: %v\nforeign: %v", calls[0], calls[1])
			}
			if answers[0] != answers[1] || !strings.Contains(answers[0], "NotFoundError") {
				t.Errorf("absent: %s\nforeign: %s", answers[0], answers[1])
			}
			if !raceEnabled && allocs[0] != allocs[1] {
				t.Errorf("%v allocations for absent, %v for foreign", allocs[0], allocs[1])
			}
		})
	}
}

// allocations returns the least average of several rounds.
func (x *twoTenants) allocations(method, path, body string) float64 {
	least := 1e9
	for range 5 {
		least = min(least, testing.AllocsPerRun(20, func() {
			x.send(x.request(x.secret, "acme", method, path, body))
		}))
		x.calls.take()
	}
	return least
}

// Promise: likewise with namespaces: those of another organization, and those
// that a key does not open.
func TestForeignNamespaceIsLikeAbsent(t *testing.T) {
	x := newTwoTenants(t)
	for name, secret := range map[string]string{"of all": x.secret, "of some": x.some} {
		ids := [][2]string{{"nobody", "theirs"}, {"ns_01ARZ3NDEKTSV4RRFFQ69G5FAV", x.foreign.ID()}}
		if secret == x.some {
			ids = append(ids, [2]string{"nobody", "inside"}, [2]string{"ns_01ARZ3NDEKTSV4RRFFQ69G5FAV", x.inside.ID()})
		}
		x.send(x.request(secret, "acme", "GET", "/v1/agents/sessions/ours", ""))
		for _, pair := range ids {
			var calls [2][]string
			for i, namespace := range pair {
				x.calls.take()
				w := x.send(x.request(secret, namespace, "GET", "/v1/agents/sessions/foreign", ""))
				if calls[i] = x.calls.take(); w.Code != http.StatusNotFound {
					t.Errorf("key %s, namespace %s: status %d", name, namespace, w.Code)
				}
			}
			if !slices.Equal(calls[0], calls[1]) {
				t.Errorf("key %s\nabsent: %v\n%s: %v", name, calls[0], pair[1], calls[1])
			}
		}
	}
}
