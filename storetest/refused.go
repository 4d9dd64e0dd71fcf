package storetest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/seshatdb/seshat"
)

var refusedArguments = []promise{
	{name: "a session id is refused by its name", test: refusedIDs},
	{name: "each field of a message is refused by its name", test: refusedMessages},
	{name: "each field of a session is refused by its name", test: refusedSessions},
	{name: "each field of an edit is refused by its name", test: refusedEdits},
	{name: "each field of a restored session is refused by its name", test: refusedSnapshots},
	{name: "each field of a namespace is refused by its name", test: refusedNamespaces},
	{name: "each field of a query is refused by its name", test: refusedQueries},
	{name: "each field of an API key is refused by its name", test: refusedKeys},
	{name: "each other argument is refused by its name", test: refusedOthers},
	{name: "no error holds content", test: errorsWithoutContent},
}

// refusedTries is how often each call is made: often enough to notice an error
// that depends on the iteration order of a map.
const refusedTries = 50

// refusal makes one value invalid. field is the field that the error names. If
// spoil makes two faults, the error must name the same one each time.
type refusal[T any] struct {
	why   string
	field string
	spoil func(*T)
}

// refuseAll fails the test unless call refuses each spoiled copy of good by
// field and changes nothing. place is the prefix of the field, such as
// "messages[0].".
func refuseAll[T any](e *env, t *seshat.Tenant, method, place string, good T, call func(T) error,
	rows ...[]refusal[T],
) {
	e.Helper()
	before := e.fingerprint(t)
	for _, group := range rows {
		for _, row := range group {
			bad := good
			row.spoil(&bad)
			for range refusedTries {
				e.isInvalidNamed(method+", "+row.why, call(bad), place+row.field)
			}
		}
	}
	equal(e, "the store after refused calls of "+method, e.fingerprint(t), before)
}

// isInvalidNamed is isInvalid, with a name for the call in failures.
func (e *env) isInvalidNamed(what string, err error, field string) {
	e.Helper()
	if err == nil {
		e.Fatalf("%s: accepted; want an InvalidError of %s", what, field)
	}
	defer func() {
		if e.Failed() {
			e.Log("in", what)
		}
	}()
	e.isInvalid(err, field)
}

// fingerprint prints everything in a tenant and its store that a refused call
// could have changed.
func (e *env) fingerprint(t *seshat.Tenant) string {
	e.Helper()
	var b strings.Builder
	report, err := e.Check(e.ctx)
	e.must(err)
	usage, err := t.Usage(e.ctx)
	e.must(err)
	head, err := t.FeedHead(e.ctx)
	e.must(err)
	_, _ = fmt.Fprintf(&b, "%+v %+v %d\n", report, usage, head)
	for s, err := range t.Sessions(e.ctx, seshat.Query{}) {
		e.must(err)
		state, err := t.State(e.ctx, seshat.SessionScope(s.ID))
		e.must(err)
		_, _ = fmt.Fprintf(&b, "%s %v %v\n", asJSON(s), asJSON(e.log(t, s.ID)), state)
	}
	for _, scope := range []seshat.Scope{seshat.UserScope("mia"), seshat.NamespaceScope()} {
		state, err := t.State(e.ctx, scope)
		e.must(err)
		_, _ = fmt.Fprintln(&b, state)
	}
	for n, err := range e.AllNamespaces(e.ctx) {
		e.must(err)
		_, _ = fmt.Fprintf(&b, "%s\n", asJSON(n))
	}
	for k, err := range e.APIKeys(e.ctx, "") {
		e.must(err)
		_, _ = fmt.Fprintf(&b, "%+v\n", k)
	}
	return b.String()
}

// refusedStore returns a tenant with a session "s" of the user mia, which has
// one message.
func (e *env) refusedStore() *seshat.Tenant {
	e.Helper()
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", UserID: "mia", State: map[string]any{"k": 1}})
	e.append(t, "s", seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "hello", Latency: ms})
	return t
}

// asJSON returns v as JSON.
func asJSON(v any) string {
	b, err := json.Marshal(v)
	return fmt.Sprintf("%s %v", b, err)
}
