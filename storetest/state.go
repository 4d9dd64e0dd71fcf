package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

var state = []promise{
	{name: "merge sets replaces and deletes", test: stateMerges},
	{name: "values come back normalized", test: stateValues},
	{name: "a refused merge changes no key", test: stateRefused},
	{name: "scopes do not touch", test: stateScopes},
	{name: "users with state are listed once", test: stateUsers},
	{name: "needs no session but its own", test: stateWithoutSession},
	{name: "bounds hold and shrinking always works", test: stateBounds},
	{name: "merge is a write that conflicts with nothing", test: stateIsAWrite},
	{name: "archived and terminated take no merge", test: stateReadOnly},
	{name: "turn and its deltas are one", test: stateOfTurn},
	{name: "repeated turn merges nothing", test: stateOfRepeatedTurn},
	{name: "states of many are those of each", test: statesOfMany},
	{name: "states of ended lives are nil", test: statesOfEnded},
	{name: "state at every number", test: stateAt},
	{name: "state at over many pages", test: stateAtPages},
	{name: "initial state is kept", test: stateInitial},
	{name: "a reused id starts empty", test: stateReused},
	{name: "erasing a user erases the users state", test: stateErased},
	{name: "concurrent merges lose nothing", test: stateRaces},
	{name: "survives reopening", test: stateReopened},
}

func (e *env) merge(t *seshat.Tenant, s seshat.Scope, delta map[string]any) {
	e.Helper()
	e.must(t.MergeState(e.ctx, s, delta))
}

// expectState fails the test unless the state of a scope is want.
func (e *env) expectState(t *seshat.Tenant, s seshat.Scope, want map[string]any) {
	e.Helper()
	got, err := t.State(e.ctx, s)
	e.must(err)
	if !reflect.DeepEqual(got, want) {
		e.Fatalf("state: got %v, want %v", got, want)
	}
}

// expectStateAt fails the test unless the state of a session as of a number is
// want.
func (e *env) expectStateAt(t *seshat.Tenant, id string, seq uint64, want map[string]any) {
	e.Helper()
	got, err := t.StateAt(e.ctx, id, seq)
	e.must(err)
	if !reflect.DeepEqual(got, want) {
		e.Fatalf("state at %d: got %v, want %v", seq, got, want)
	}
}

func (e *env) turn(t *seshat.Tenant, id string, turn seshat.Turn) seshat.AppendResult {
	e.Helper()
	a, err := t.AppendTurn(e.ctx, id, turn)
	e.must(err)
	return a
}

func says(texts ...string) (ms []seshat.Message) {
	for _, s := range texts {
		ms = append(ms, seshat.Message{Role: seshat.RoleUser, Content: s})
	}
	return ms
}

type kv = map[string]any

// allScopes returns a new session and all its scopes, the shared ones included.
func (e *env) allScopes(t *seshat.Tenant) (*seshat.Session, []seshat.Scope) {
	s := e.create(t, seshat.NewSession{UserID: "mia"})
	return s, []seshat.Scope{seshat.SessionScope(s.ID), seshat.UserScope("mia"), seshat.NamespaceScope()}
}

func stateMerges(e *env) {
	t := e.tenant("a")
	_, scopes := e.allScopes(t)
	for _, s := range scopes {
		e.expectState(t, s, kv{})
		e.merge(t, s, kv{"a": 1, "b": "x", "no such key": nil})
		e.expectState(t, s, kv{"a": int64(1), "b": "x"})
		e.merge(t, s, kv{"b": kv{"in": nil}, "c": true, "a": nil})
		e.expectState(t, s, kv{"b": kv{"in": nil}, "c": true})
		e.merge(t, s, nil)
		e.merge(t, s, kv{"b": map[string]any(nil), "c": []byte(nil)}) // nil of any type
		e.expectState(t, s, kv{})
	}
}

func stateValues(e *env) {
	t := e.tenant("a")
	_, scopes := e.allScopes(t)
	at := time.Date(2026, 2, 3, 4, 5, 6, 7, time.FixedZone("x", 3600))
	for _, s := range scopes {
		given := kv{"n": uint8(7), "f": float32(0.5), "t": at, "b": []byte{0}, "l": []string{"ä"}, "a/b c\u00e9": ""}
		e.merge(t, s, given)
		given["n"] = 8 // the caller's map is its own again
		want := kv{"n": int64(7), "f": 0.5, "t": at.UTC(), "b": []byte{0}, "l": []any{"ä"}, "a/b c\u00e9": ""}
		e.expectState(t, s, want)
		got, err := t.State(e.ctx, s)
		e.must(err)
		got["l"].([]any)[0] = "changed"
		e.expectState(t, s, want)
	}
}

func stateRefused(e *env) {
	t := e.tenant("a")
	_, scopes := e.allScopes(t)
	for _, s := range scopes {
		e.merge(t, s, kv{"k": 1})
		for field, bad := range map[string]kv{
			"state.z":       {"k": 2, "z": func() {}},
			"state.z[1]":    {"k": 2, "z": []any{1, make(chan int)}},
			"state.large":   {"k": 2, "large": strings.Repeat("x", seshat.MaxDocumentBytes)},
			"state":         {"k": 2, "": 1},
			"state.bad\xff": nil,
		} {
			if bad == nil {
				field = "state"
				bad = kv{"k": 2, "bad\xff": 1}
			}
			e.isInvalid(t.MergeState(e.ctx, s, bad), field)
		}
		e.isInvalid(t.MergeState(e.ctx, s, kv{"k": 2, strings.Repeat("x", seshat.MaxNameBytes+1): 1}), "state")
		e.expectState(t, s, kv{"k": int64(1)})
	}
	e.isInvalid(t.MergeState(e.ctx, seshat.Scope{}, kv{"k": 1}), "scope")
	e.isInvalid(t.MergeState(e.ctx, seshat.UserScope(""), kv{"k": 1}), "user_id")
	e.isInvalid(second(t.State(e.ctx, seshat.SessionScope("\n"))), "session_id")
}

func stateScopes(e *env) {
	t := e.tenant("a")
	other := e.tenant("b")
	for _, id := range []string{"x", "xy"} {
		for _, t := range []*seshat.Tenant{t, other} {
			e.create(t, seshat.NewSession{ID: id, UserID: id})
			e.merge(t, seshat.SessionScope(id), kv{"of": "session " + id})
			e.merge(t, seshat.UserScope(id), kv{"of": "user " + id})
		}
	}
	e.merge(t, seshat.NamespaceScope(), kv{"of": "namespace"})
	e.expectState(other, seshat.NamespaceScope(), kv{})
	for _, id := range []string{"x", "xy"} {
		e.expectState(t, seshat.SessionScope(id), kv{"of": "session " + id})
		e.expectState(t, seshat.UserScope(id), kv{"of": "user " + id})
	}
	e.merge(t, seshat.SessionScope("x"), kv{"of": nil})
	e.expectState(other, seshat.SessionScope("x"), kv{"of": "session x"})
	e.expectState(t, seshat.UserScope("x"), kv{"of": "user x"})
}

func stateUsers(e *env) {
	t := e.tenant("a")
	other := e.tenant("b")
	e.merge(other, seshat.UserScope("elsewhere"), kv{"k": 1})
	users := []string{"b", "a", "ab", "\U0010ffff", strings.Repeat("z", seshat.MaxNameBytes)}
	for i, user := range users {
		e.create(t, seshat.NewSession{UserID: "has no state " + fmt.Sprint(i)})
		e.merge(t, seshat.UserScope(user), kv{"k": 1, "\U0010ffff": 2})
	}
	e.merge(t, seshat.UserScope("emptied"), kv{"k": 1})
	e.merge(t, seshat.UserScope("emptied"), kv{"k": nil})
	e.merge(t, seshat.UserScope("erased"), kv{"k": 1})
	e.must(second(t.DeleteUser(e.ctx, "erased")))
	var got []string
	for user, err := range t.StateUsers(e.ctx) {
		e.must(err)
		got = append(got, user)
	}
	slices.Sort(got)
	slices.Sort(users)
	if !slices.Equal(got, users) {
		e.Fatalf("got users %q, want %q", got, users)
	}
	e.must(second(t.DeleteNamespace(e.ctx)))
	for _, err := range t.StateUsers(e.ctx) {
		e.isError(err, seshat.ErrNotFound)
	}
}

func stateWithoutSession(e *env) {
	t := e.tenant("a")
	e.merge(t, seshat.UserScope("nobody yet"), kv{"k": 1})
	e.expectState(t, seshat.UserScope("nobody yet"), kv{"k": int64(1)})
	none := seshat.SessionScope("none")
	e.isError(t.MergeState(e.ctx, none, kv{"k": 1}), seshat.ErrNotFound)
	e.isError(second(t.State(e.ctx, none)), seshat.ErrNotFound)
	e.isError(second(t.StateAt(e.ctx, "none", 0)), seshat.ErrNotFound)

	e.must(second(t.DeleteNamespace(e.ctx)))
	for _, s := range []seshat.Scope{seshat.UserScope("nobody yet"), seshat.NamespaceScope()} {
		e.isError(second(t.State(e.ctx, s)), seshat.ErrNotFound)
		e.isError(t.MergeState(e.ctx, s, kv{"k": 1}), seshat.ErrNotFound)
	}
	e.expectState(e.tenant("a"), seshat.UserScope("nobody yet"), kv{})
}

func stateBounds(e *env) {
	t := e.tenant("a")
	_, scopes := e.allScopes(t)
	for _, s := range scopes {
		full := kv{}
		for i := range seshat.MaxStateKeys {
			full[fmt.Sprint(i)] = int64(i)
		}
		e.merge(t, s, full)
		e.isQuotaOf(t.MergeState(e.ctx, s, kv{"0": "changed", "one more": 1}), "state.keys", seshat.MaxStateKeys)
		e.expectState(t, s, full)
		e.merge(t, s, kv{"0": nil, "one more": 1}) // the number of keys stays the same
		clear(full)
		e.isInvalid(t.MergeState(e.ctx, s, tooManyKeys()), "state")
		for i := range seshat.MaxStateKeys {
			full[fmt.Sprint(i)] = nil
		}
		e.merge(t, s, full)
		large := strings.Repeat("x", seshat.MaxDocumentBytes-100)
		for i := range seshat.MaxStateBytes / seshat.MaxDocumentBytes {
			e.merge(t, s, kv{fmt.Sprint("large", i): large})
		}
		e.isQuotaOf(t.MergeState(e.ctx, s, kv{"one too large": large}), "state.bytes", seshat.MaxStateBytes)
		e.merge(t, s, kv{"large0": nil, "fits again": large})
	}
}

func tooManyKeys() kv {
	m := kv{}
	for i := range seshat.MaxStateKeys + 1 {
		m[fmt.Sprint(i)] = nil
	}
	return m
}

// isQuotaOf fails the test unless err is a QuotaError with this quota and
// limit.
func (e *env) isQuotaOf(err error, quota string, limit uint64) {
	e.Helper()
	var q *seshat.QuotaError
	if !errors.As(err, &q) || !errors.Is(err, seshat.ErrQuota) || q.Quota != quota || q.Limit != limit {
		e.Fatalf("got error %v, want a QuotaError of %s %d", err, quota, limit)
	}
}

func stateIsAWrite(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{Lifecycle: seshat.Lifecycle{TTL: hour}})
	e.clock.Advance(minute)
	stale := e.get(t, s.ID)
	e.merge(t, seshat.SessionScope(s.ID), kv{"k": 1})
	got := e.get(t, s.ID)
	equal(e, "version", got.Version, s.Version)
	equal(e, "updated_at", got.UpdatedAt, s.UpdatedAt.Add(minute))
	equal(e, "expires_at", got.ExpiresAt, s.ExpiresAt.Add(minute))
	equal(e, "last_activity_at", got.LastActivityAt, s.LastActivityAt)
	rename := func(s *seshat.Session) error { s.Name = "n"; return nil }
	e.must(second(t.Update(e.ctx, s.ID, rename, seshat.UpdateOptions{IfVersion: stale.Version})))
}

func stateReadOnly(e *env) {
	t := e.tenant("a")
	s, _ := e.allScopes(t)
	scope := seshat.SessionScope(s.ID)
	e.merge(t, scope, kv{"k": 1})
	for _, status := range []seshat.Status{seshat.StatusArchived, seshat.StatusTerminated} {
		e.move(t, s.ID, status)
		e.isError(t.MergeState(e.ctx, scope, kv{"k": 2}), seshat.ErrReadOnly)
		e.expectState(t, scope, kv{"k": int64(1)})
		e.expectStateAt(t, s.ID, 0, kv{"k": int64(1)})
	}
	e.merge(t, seshat.UserScope("mia"), kv{"k": 3}) // belongs to no session
}

func stateOfTurn(e *env) {
	t := e.tenant("a")
	s, scopes := e.allScopes(t)
	delta := func(v any) seshat.Turn {
		return seshat.Turn{Messages: says("hi"), State: kv{"s": v}, UserState: kv{"u": v}, NamespaceState: kv{"n": v}}
	}
	e.turn(t, s.ID, delta(1))
	expect := func() {
		e.Helper()
		for i, key := range []string{"s", "u", "n"} {
			e.expectState(t, scopes[i], kv{key: int64(1)})
		}
		equal(e, "messages", e.get(t, s.ID).MessageCount, 1)
	}
	expect()
	bad := delta(2)
	bad.NamespaceState = kv{"n": func() {}}
	_, err := t.AppendTurn(e.ctx, s.ID, bad)
	e.isInvalid(err, "namespace_state.n")
	bad = delta(2)
	bad.Lease = 99
	e.isError(second(t.AppendTurn(e.ctx, s.ID, bad)), seshat.ErrLease)
	bad = delta(2)
	bad.Messages = nil
	e.isError(second(t.AppendTurn(e.ctx, s.ID, bad)), seshat.ErrInvalid)
	expect()

	alone := e.create(t, seshat.NewSession{})
	_, err = t.AppendTurn(e.ctx, alone.ID, delta(2))
	e.isInvalid(err, "user_state")
	equal(e, "messages", e.get(t, alone.ID).MessageCount, 0)
	expect()
}

func stateOfRepeatedTurn(e *env) {
	t := e.tenant("a")
	s, scopes := e.allScopes(t)
	turn := seshat.Turn{
		Messages: []seshat.Message{{ID: "m1", Role: seshat.RoleUser, Content: "hi"}},
		State:    kv{"k": 1}, UserState: kv{"k": 1}, NamespaceState: kv{"k": 1},
	}
	e.turn(t, s.ID, turn)
	for _, scope := range scopes {
		e.merge(t, scope, kv{"k": 2})
	}
	if a := e.turn(t, s.ID, turn); !a.Repeated {
		e.Fatal("the turn was not known")
	}
	for _, scope := range scopes {
		e.expectState(t, scope, kv{"k": int64(2)})
	}
}

func stateAt(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{State: kv{"a": "initial", "gone": 1}})
	scope := seshat.SessionScope(s.ID)
	e.turn(t, s.ID, seshat.Turn{Messages: says("1")})
	e.turn(t, s.ID, seshat.Turn{Messages: says("2", "3"), State: kv{"a": "turn", "gone": nil}})
	e.merge(t, scope, kv{"a": "alone", "b": 1})
	e.merge(t, scope, kv{"a": "again"})
	e.turn(t, s.ID, seshat.Turn{Messages: says("4"), State: kv{"b": nil, "gone": "back"}})
	e.merge(t, scope, kv{"gone": nil})
	want := []kv{
		{"a": "initial", "gone": int64(1)},
		{"a": "initial", "gone": int64(1)},
		{"a": "initial", "gone": int64(1)}, // within the turn that ends with 3
		{"a": "again", "b": int64(1)},
		{"a": "again"},
	}
	expect := func() {
		e.Helper()
		for seq, w := range want {
			e.expectStateAt(t, s.ID, uint64(seq), w)
		}
	}
	expect()
	e.expectState(t, scope, want[4])
	_, err := t.StateAt(e.ctx, s.ID, 5)
	e.isInvalid(err, "seq")
	e.must(second(t.Truncate(e.ctx, s.ID, 1)))
	expect()
	e.turn(t, s.ID, seshat.Turn{Messages: says("5")})
	e.expectStateAt(t, s.ID, 5, want[4])
	expect()
}

func stateAtPages(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{})
	const n = 300
	for i := range n {
		e.turn(t, s.ID, seshat.Turn{Messages: says("x"), State: kv{"n": i + 1, fmt.Sprint(i % 7): i + 1}})
	}
	for _, seq := range []int{1, 127, 128, 129, 256, n - 1, n} {
		want := kv{"n": int64(seq)}
		for i := max(0, seq-7); i < seq; i++ {
			want[fmt.Sprint(i%7)] = int64(i + 1)
		}
		e.expectStateAt(t, s.ID, uint64(seq), want)
	}
}

func stateInitial(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{State: kv{"k": 1, "none": nil}})
	e.expectState(t, seshat.SessionScope(s.ID), kv{"k": int64(1)})
	e.isInvalid(second(t.Create(e.ctx, seshat.NewSession{ID: "bad", State: kv{"k": func() {}}})), "state.k")
	e.isGone(t, "bad")
	_, created, err := t.Ensure(e.ctx, seshat.NewSession{ID: s.ID, State: kv{"k": 2}})
	e.must(err)
	equal(e, "created", created, false)
	e.merge(t, seshat.SessionScope(s.ID), kv{"k": 3})
	e.turn(t, s.ID, seshat.Turn{Messages: says("1"), State: kv{"k": 4}})
	e.expectStateAt(t, s.ID, 0, kv{"k": int64(3)})
	e.expectState(t, seshat.SessionScope(s.ID), kv{"k": int64(4)})
}

func stateReused(e *env) {
	t := e.tenant("a")
	n := seshat.NewSession{ID: "x", State: kv{"k": 1}, Lifecycle: seshat.Lifecycle{TTL: hour}}
	e.create(t, n)
	e.merge(t, seshat.SessionScope("x"), kv{"secret": 1})
	e.must(second(t.Delete(e.ctx, "x")))
	e.isError(second(t.State(e.ctx, seshat.SessionScope("x"))), seshat.ErrNotFound)
	n.State = nil
	e.create(t, n)
	e.expectState(t, seshat.SessionScope("x"), kv{})
	e.merge(t, seshat.SessionScope("x"), kv{"secret": 2})
	e.clock.Advance(hour) // expired, but not swept
	e.isError(second(t.StateAt(e.ctx, "x", 0)), seshat.ErrNotFound)
	n.State = kv{"new": true}
	e.create(t, n)
	e.expectState(t, seshat.SessionScope("x"), kv{"new": true})
	e.expectStateAt(t, "x", 0, kv{"new": true})
	e.sweep()
	e.expectState(t, seshat.SessionScope("x"), kv{"new": true})
}

func stateErased(e *env) {
	t := e.tenant("a")
	other := e.tenant("b")
	s, _ := e.allScopes(t)
	mia := seshat.UserScope("mia")
	e.merge(t, mia, kv{"k": 1})
	e.merge(t, seshat.UserScope("mi"), kv{"k": 2})
	e.merge(other, mia, kv{"k": 3})
	e.must(second(t.Delete(e.ctx, s.ID)))
	e.expectState(t, mia, kv{"k": int64(1)})
	erased, err := t.DeleteUser(e.ctx, "mia")
	e.must(err)
	if erased.Entries == 0 {
		e.Fatal("the erasure counts no state")
	}
	e.expectState(t, mia, kv{})
	e.expectState(t, seshat.UserScope("mi"), kv{"k": int64(2)})
	e.expectState(other, mia, kv{"k": int64(3)})
	full := kv{}
	for i := range seshat.MaxStateKeys {
		full[fmt.Sprint(i)] = int64(i)
	}
	e.merge(t, mia, full) // erased state no longer counts
	e.expectState(t, mia, full)
}
