package sessionhttp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
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

// keysRead is how many keys of its file the driver visited; in memory none.
func (c *callLog) keysRead() uint64 {
	if e, ok := c.Driver.(driver.Statser); ok {
		return e.Stats().KeysRead
	}
	return 0
}

// cost is what a request asked of the driver.
type cost struct {
	calls []string
	keys  uint64
}

func (a cost) equal(b cost) bool { return a.keys == b.keys && slices.Equal(a.calls, b.calls) }

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

func newTwoTenants(t testing.TB) *twoTenants { return newTwoTenantsOn(t, memdriver.Open()) }

// newTwoTenantsInFile counts the keys that are read.
func newTwoTenantsInFile(t testing.TB) *twoTenants {
	t.Helper()
	d, err := boltdriver.Open(filepath.Join(t.TempDir(), "two.db"), boltdriver.Options{CountReads: true})
	if err != nil {
		t.Fatal(err)
	}
	return newTwoTenantsOn(t, d)
}

func newTwoTenantsOn(t testing.TB, d driver.Driver) *twoTenants {
	t.Helper()
	x := &twoTenants{calls: &callLog{Driver: d}}
	s := seshattest.OpenDriver(t, x.calls)
	x.handler = sessionhttp.Handler(s.Store, sessionhttp.Options{})
	tenant := func(org, name, session, words string) *seshat.Tenant {
		n, err := s.EnsureTenant(t.Context(), seshat.Namespace{OrganizationID: org, Name: name})
		if err == nil {
			_, err = n.Create(t.Context(),
				seshat.NewSession{ID: session, UserID: "mia", Metadata: map[string]any{"k": words}})
		}
		if err == nil {
			_, err = n.Append(t.Context(), session, seshat.Message{Role: seshat.RoleUser, Content: words})
		}
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	acme := tenant("int_a", "acme", "ours", "hello")
	x.inside, x.foreign = tenant("int_a", "inside", "foreign", hidden), tenant("int_b", "theirs", "foreign", hidden)
	var err error
	for to, k := range map[*string]seshat.APIKey{&x.secret: {}, &x.some: {Namespaces: []string{acme.ID()}}} {
		k.OrganizationID = "int_a"
		if _, *to, err = s.CreateAPIKey(t.Context(), k); err != nil {
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

// measure sends a request and returns what it cost.
func (x *twoTenants) measure(r *http.Request) (*httptest.ResponseRecorder, cost) {
	x.calls.take()
	before := x.calls.keysRead()
	w := x.send(r)
	return w, cost{x.calls.take(), x.calls.keysRead() - before}
}

// allocations returns the least average of several rounds.
func (x *twoTenants) allocations(r func() *http.Request) float64 {
	least := 1e9
	for range 5 {
		least = min(least, testing.AllocsPerRun(20, func() { x.send(r()) }))
		x.calls.take()
	}
	return least
}

// alike fails the test unless both requests answer 404, after the same calls
// of the engine, with as many keys visited and as many allocations. A request
// is made anew each time.
func (x *twoTenants) alike(t *testing.T, absent, foreign func() *http.Request) (answers [2]string) {
	t.Helper()
	var costs [2]cost
	var allocs [2]float64
	for i, r := range []func() *http.Request{absent, foreign} {
		w, c := x.measure(r())
		if w.Code != http.StatusNotFound {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		answers[i], costs[i], allocs[i] = w.Body.String(), c, x.allocations(r)
	}
	if !costs[0].equal(costs[1]) || len(costs[0].calls) == 0 {
		t.Errorf("absent: %v\nforeign: %v", costs[0], costs[1])
	}
	if !raceEnabled && allocs[0] != allocs[1] {
		t.Errorf("%v allocations for absent, %v for foreign", allocs[0], allocs[1])
	}
	return answers
}

// inBoth runs a test on the engine in memory and on that in a file.
func inBoth(t *testing.T, test func(t *testing.T, x *twoTenants)) {
	t.Run("memory", func(t *testing.T) { test(t, newTwoTenants(t)) })
	t.Run("file", func(t *testing.T) { test(t, newTwoTenantsInFile(t)) })
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

// Each operation of the description on one session is tried on a foreign one.
func TestEveryOperationOnASessionIsTriedOnAForeignOne(t *testing.T) {
	var description struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(sessionhttp.OpenAPI, &description); err != nil {
		t.Fatal(err)
	}
	found := 0
	for path, operations := range description.Paths {
		_, tail, onOne := strings.Cut(path, "/{session_id}")
		if !onOne {
			continue
		}
		for method := range operations {
			if method = strings.ToUpper(method); method == "PARAMETERS" {
				continue
			}
			found++
			if !slices.ContainsFunc(onSession, func(c struct{ method, tail, body string }) bool {
				return c.method == method && c.tail == tail
			}) {
				t.Errorf("onSession lacks %s %s", method, path)
			}
		}
	}
	if found == 0 {
		t.Error("the description has no operation on a session")
	}
}

// Promise: a session of another tenant answers like one that is nowhere, after
// the same calls of the engine, with as many keys visited and as many
// allocations.
func TestForeignIsLikeAbsent(t *testing.T) {
	inBoth(t, func(t *testing.T, x *twoTenants) {
		x.send(x.request(x.secret, "acme", "GET", "/v1/agents/sessions/ours", "")) // notes the use of the key
		for _, c := range onSession {
			t.Run(c.method+c.tail, func(t *testing.T) {
				on := func(id string) func() *http.Request {
					return func() *http.Request {
						return x.request(x.secret, "acme", c.method, "/v1/agents/sessions/"+id+c.tail, c.body)
					}
				}
				answers := x.alike(t, on("missing"), on("foreign"))
				absent := strings.ReplaceAll(answers[0], "missing", "foreign")
				if absent != answers[1] || !strings.Contains(absent, "NotFoundError") {
					t.Errorf("absent: %s\nforeign: %s", absent, answers[1])
				}
			})
		}
	})
}

// in returns requests for a session in a namespace.
func (x *twoTenants) in(secret, namespace string) func() *http.Request {
	return func() *http.Request { return x.request(secret, namespace, "GET", "/v1/agents/sessions/foreign", "") }
}

// Promise: likewise with the names of namespaces: of another organization's,
// and of one that a key does not open.
func TestForeignNamespaceIsLikeAbsent(t *testing.T) {
	inBoth(t, func(t *testing.T, x *twoTenants) {
		for _, secret := range []string{x.secret, x.some} {
			x.send(x.request(secret, "acme", "GET", "/v1/agents/sessions/ours", ""))
			x.alike(t, x.in(secret, "nobody"), x.in(secret, "theirs"))
		}
		x.alike(t, x.in(x.some, "nobody"), x.in(x.some, "inside"))
	})
}

// Promise: likewise with their ids. In memory only the calls are the same, as
// that engine looks at all to find the next.
func TestForeignNamespaceIDIsLikeAbsent(t *testing.T) {
	x := newTwoTenantsInFile(t)
	for _, secret := range []string{x.secret, x.some} {
		x.send(x.request(secret, "acme", "GET", "/v1/agents/sessions/ours", ""))
		for _, absent := range []string{oldest, before(x.foreign.ID())} {
			x.alike(t, x.in(secret, absent), x.in(secret, x.foreign.ID()))
		}
	}
	x.alike(t, x.in(x.some, oldest), x.in(x.some, x.inside.ID()))
}

const oldest = "ns_01ARZ3NDEKTSV4RRFFQ69G5FAV" // older than all that tests make

// before returns an id that sorts before another one, and after those made in
// earlier milliseconds.
func before(id string) string {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	for i := len(id) - 1; ; i-- {
		if at := strings.IndexByte(digits, id[i]); at > 0 {
			return id[:i] + digits[at-1:at] + id[i+1:]
		}
	}
}
