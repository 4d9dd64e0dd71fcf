package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/seshatdb/seshat"
)

var atomicity = []promise{
	{name: "a failed call changes nothing", test: failedCalls},
	{name: "a failed call changes nothing that the caller handed in", test: failedInput},
	{name: "a panic of the caller's function changes nothing", test: panics},
	{name: "a context that is done changes nothing", test: doneContext},
	{name: "a record and its indexes change together", test: together},
}

// state returns everything that a tenant's reads show.
func (e *env) state(t *seshat.Tenant) string {
	e.Helper()
	var b strings.Builder
	for _, q := range []seshat.Query{
		{},
		{Order: seshat.OrderByActivity},
		{UserID: "mia"},
		{Labels: map[string]string{"lang": "de"}},
	} {
		for s, err := range t.Sessions(e.ctx, q) {
			e.must(err)
			fmt.Fprintln(&b, show(s))
		}
		fmt.Fprintln(&b, e.count(t, q))
	}
	u, err := t.Usage(e.ctx)
	e.must(err)
	fmt.Fprintf(&b, "%+v\n%+v\n", u, e.namespaces())
	return b.String()
}

func failedCalls(e *env) {
	t := e.tenant("t")
	e.create(t, fullSession())
	e.create(t, seshat.NewSession{ID: "done"})
	e.move(t, "done", seshat.StatusTerminated)
	e.tenant("taken")
	for name, call := range map[string]func() error{
		"create, taken":   func() error { return second(t.Create(e.ctx, fullSession())) },
		"create, illegal": func() error { return second(t.Create(e.ctx, seshat.NewSession{Name: "\n"})) },
		"update, illegal": func() error { return second(t.Update(e.ctx, "s", rename("\n"), seshat.UpdateOptions{})) },
		"update, stale": func() error {
			return second(t.Update(e.ctx, "s", rename("x"),
				seshat.UpdateOptions{IfVersion: 9}))
		},
		"update, absent": func() error {
			return second(t.Update(e.ctx, "absent", rename("x"),
				seshat.UpdateOptions{}))
		},
		"update, read-only": func() error {
			return second(t.Update(e.ctx, "done", rename("x"),
				seshat.UpdateOptions{}))
		},
		"touch, read-only": func() error { return second(t.Touch(e.ctx, "done")) },
		"transition": func() error {
			return second(t.Transition(e.ctx, "done", seshat.StatusActive, seshat.TransitionOptions{}))
		},
		"transition, why": func() error {
			return second(t.Transition(e.ctx, "s", seshat.StatusIdle,
				seshat.TransitionOptions{Reason: strings.Repeat("x", 1025)}))
		},
		"append, quota": func() error {
			m := seshat.Message{Role: seshat.RoleUser, Content: "?"}
			return second(t.Append(e.ctx, "s", m, m))
		},
		"rename, taken": func() error { return t.Rename(e.ctx, "taken") },
		"rename":        func() error { return t.Rename(e.ctx, "\n") },
		"lifecycle":     func() error { return t.SetLifecycle(e.ctx, seshat.Lifecycle{TTL: -2}) },
		"create tenant": func() error { return second(e.CreateTenant(e.ctx, seshat.Namespace{Name: "taken"})) },
		"delete user":   func() error { return second(t.DeleteUser(e.ctx, "\x00")) },
		"delete":        func() error { return second(t.Delete(e.ctx, "absent")) },
	} {
		before := e.state(t)
		e.clock.Advance(ms)
		if err := call(); err == nil {
			e.Fatalf("%s: no error", name)
		}
		if after := e.state(t); after != before {
			e.Fatalf("%s: failed, but changed\n%s\nto\n%s", name, before, after)
		}
	}
}

func failedInput(e *env) {
	t := e.tenant("t")
	e.create(t, fullSession())
	n := fullSession()
	want := fullSession()
	e.isError(second(t.Create(e.ctx, n)), seshat.ErrExists)
	if !reflect.DeepEqual(n, want) {
		e.Fatalf("a failed create changed its argument to %+v", n)
	}
	ms := []seshat.Message{{Role: seshat.RoleUser, Content: "a"}, {Role: seshat.RoleUser, Content: "b"}}
	_, err := t.Append(e.ctx, "s", ms...)
	e.isError(err, seshat.ErrQuota)
	if ms[0].ID != "" || ms[0].Seq != 0 || !ms[1].Timestamp.IsZero() {
		e.Fatalf("a failed append changed its argument to %+v", ms)
	}
	q := seshat.Query{Statuses: []seshat.Status{seshat.StatusActive}, Labels: map[string]string{"a": "b"}, Cursor: "x"}
	e.isError(second(t.List(e.ctx, q)), seshat.ErrInvalid)
	if q.Limit != 0 || len(q.Statuses) != 1 || len(q.Labels) != 1 {
		e.Fatalf("a failed list changed its argument to %+v", q)
	}
}

func panics(e *env) {
	t := e.tenant("t")
	e.create(t, fullSession())
	before := e.state(t)
	func() {
		defer func() {
			if recover() == nil {
				e.Error("the panic of the caller's function did not reach the caller")
			}
		}()
		_ = second(t.Update(e.ctx, "s", func(s *seshat.Session) error {
			s.Name = "half"
			panic("mine")
		}, seshat.UpdateOptions{}))
	}()
	if after := e.state(t); after != before {
		e.Fatalf("a panic changed\n%s\nto\n%s", before, after)
	}
	e.update(t, "s", func(s *seshat.Session) { s.Name = "after" })
}

func doneContext(e *env) {
	t := e.tenant("t")
	e.create(t, fullSession())
	ctx, cancel := context.WithCancel(e.ctx)
	before := e.state(t)
	_, err := t.Update(ctx, "s", func(s *seshat.Session) error {
		s.Name = "late"
		cancel()
		return nil
	}, seshat.UpdateOptions{})
	e.isError(err, context.Canceled)
	for name, call := range onSession {
		if err := call(ctx, t, "s"); !errors.Is(err, context.Canceled) {
			e.Fatalf("%s: got error %v, want %v", name, err, context.Canceled)
		}
	}
	if after := e.state(t); after != before {
		e.Fatalf("a cancelled call changed\n%s\nto\n%s", before, after)
	}
}

func together(e *env) {
	t := e.tenant("t")
	e.create(t, fullSession())
	for range 3 {
		for _, status := range []seshat.Status{seshat.StatusIdle, seshat.StatusArchived, seshat.StatusActive} {
			e.clock.Advance(minute)
			s := e.move(t, "s", status)
			for _, other := range []seshat.Status{
				seshat.StatusActive, seshat.StatusIdle, seshat.StatusArchived,
				seshat.StatusTerminated,
			} {
				want := uint64(0)
				if other == status {
					want = 1
				}
				q := seshat.Query{Statuses: []seshat.Status{other}}
				equal(e, "sessions counted as "+other.String(), e.count(t, q), want)
				equal(e, "sessions listed as "+other.String(), uint64(len(e.ids(t, q))), want)
			}
			q := seshat.Query{ActiveFrom: s.LastActivityAt, ActiveTo: s.LastActivityAt.Add(minute)}
			equal(e, "sessions of its minute", e.count(t, q), 1)
		}
	}
}
