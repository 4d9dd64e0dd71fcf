package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/seshatdb/seshat"
)

// statesOfMany compares States with State, for sessions stored near each other
// and far apart, in any order, with much state and with none.
func statesOfMany(e *env) {
	t := e.tenant("a")
	var all []*seshat.Session
	for i := range 60 {
		n := seshat.NewSession{ID: fmt.Sprint(i), State: kv{}}
		for k := range []int{0, 1, 5, 2, 40}[i%5] {
			n.State[fmt.Sprint("key", k)] = int64(i)
		}
		all = append(all, e.create(t, n))
	}
	full := kv{}
	for i := range seshat.MaxStateKeys {
		full[fmt.Sprint("key", i)] = int64(i)
	}
	for _, i := range []int{20, 21, 59} {
		e.merge(t, seshat.SessionScope(all[i].ID), full)
	}
	e.merge(t, seshat.SessionScope("7"), kv{"key0": nil, "key1": nil, "key2": nil, "key3": nil, "key4": nil})
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	for name, some := range map[string][]*seshat.Session{
		"all": all, "reversed": reversed, "none": nil, "far apart": {all[57], all[2], all[31], all[20]},
		"full ones": {all[20], all[21]}, "the same twice": {all[4], all[3], all[4]},
		"without state": {all[0], all[5], all[10]}, "the last": {all[59]},
	} {
		e.sameStates(name, t, some)
	}
}

// sameStates fails the test unless States returns the state that State returns
// for each session, and nil if State finds none.
func (e *env) sameStates(name string, t *seshat.Tenant, some []*seshat.Session) {
	e.Helper()
	got, err := t.States(e.ctx, some)
	e.must(err)
	if len(got) != len(some) {
		e.Fatalf("%s: got %d states of %d sessions", name, len(got), len(some))
	}
	for i, s := range some {
		want, err := t.State(e.ctx, seshat.SessionScope(s.ID))
		if err != nil && !errors.Is(err, seshat.ErrNotFound) {
			e.Fatal(err)
		}
		if !reflect.DeepEqual(got[i], want) {
			e.Fatalf("%s: state of %q: got %v, want %v", name, s.ID, got[i], want)
		}
	}
}

// statesOfEnded expects nil for sessions that have ended for any reason.
func statesOfEnded(e *env) {
	t := e.tenant("a")
	other := e.tenant("b")
	var all []*seshat.Session
	for i, id := range []string{"kept", "deleted", "expired", "extended", "replaced", "erased"} {
		n := seshat.NewSession{ID: id, State: kv{"k": int64(i)}}
		if id == "erased" {
			n.UserID = "mia"
		}
		if id == "expired" || id == "extended" {
			n.Lifecycle.TTL = time.Minute
		}
		all = append(all, e.create(t, n))
	}
	foreign := e.create(other, seshat.NewSession{ID: "kept", State: kv{"k": "foreign"}})
	e.must(second(t.Delete(e.ctx, "deleted")))
	e.must(second(t.Delete(e.ctx, "replaced")))
	e.create(t, seshat.NewSession{ID: "replaced", State: kv{"k": "of another life"}})
	e.must(second(t.DeleteUser(e.ctx, "mia")))
	e.clock.Advance(30 * time.Second)
	e.must(second(t.Touch(e.ctx, "extended")))
	e.clock.Advance(40 * time.Second)
	got, err := t.States(e.ctx, append(all, foreign))
	e.must(err)
	want := []map[string]any{{"k": int64(0)}, nil, nil, {"k": int64(3)}, nil, nil, nil}
	if !reflect.DeepEqual(got, want) {
		e.Fatalf("got %v, want %v", got, want)
	}
	e.isInvalid(second(t.States(e.ctx, []*seshat.Session{all[0], nil})), "sessions")
	e.isInvalid(second(t.States(e.ctx, []*seshat.Session{{ID: "kept"}})), "sessions")
	e.must(second(t.DeleteNamespace(e.ctx)))
	e.isError(second(t.States(e.ctx, all[:1])), seshat.ErrNotFound)
}
