package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// env is a store under test.
type env struct {
	*testing.T
	*seshat.Store
	h     Harness
	ctx   context.Context
	clock *seshattest.Clock
	o     seshat.Options
}

func newEnv(t *testing.T, h Harness, o seshat.Options) *env {
	e := &env{T: t, h: h, ctx: context.Background(), clock: seshattest.NewClock(), o: o}
	e.o.Now = e.clock.Now
	if o.SweepEvery == 0 {
		e.o.SweepEvery = seshat.Never
	}
	e.Store = h.Open(t, e.o)
	t.Cleanup(func() { seshattest.CheckAndClose(t, e.Store) })
	return e
}

// reopen checks and closes the store, and opens its data in a new one.
func (e *env) reopen() {
	e.Helper()
	if e.h.Reopen == nil {
		e.Skip("the data ends with the store")
	}
	old := e.Store
	seshattest.CheckAndClose(e.T, old)
	e.Store = e.h.Reopen(e.T, old, e.o)
}

// tenant returns a namespace of the default organization.
func (e *env) tenant(name string) *seshat.Tenant {
	e.Helper()
	t, err := e.EnsureTenant(e.ctx, seshat.Namespace{Name: name})
	e.must(err)
	return t
}

func (e *env) create(t *seshat.Tenant, n seshat.NewSession) *seshat.Session {
	e.Helper()
	s, err := t.Create(e.ctx, n)
	e.must(err)
	return s
}

func (e *env) get(t *seshat.Tenant, id string) *seshat.Session {
	e.Helper()
	s, err := t.Get(e.ctx, id)
	e.must(err)
	return s
}

// move transitions a session explicitly.
func (e *env) move(t *seshat.Tenant, id string, to seshat.Status) *seshat.Session {
	e.Helper()
	s, err := t.Transition(e.ctx, id, to, seshat.TransitionOptions{})
	e.must(err)
	return s
}

func (e *env) update(t *seshat.Tenant, id string, fn func(*seshat.Session)) *seshat.Session {
	e.Helper()
	s, err := t.Update(e.ctx, id, func(s *seshat.Session) error {
		fn(s)
		return nil
	}, seshat.UpdateOptions{})
	e.must(err)
	return s
}

func (e *env) sweep() seshat.SweepReport {
	e.Helper()
	r, err := e.Sweep(e.ctx, seshat.SweepOptions{})
	e.must(err)
	e.must(r.Err)
	return r
}

func (e *env) count(t *seshat.Tenant, q seshat.Query) uint64 {
	e.Helper()
	n, err := t.Count(e.ctx, q)
	e.must(err)
	return n
}

// ids returns the ids that q selects, in order.
func (e *env) ids(t *seshat.Tenant, q seshat.Query) []string {
	e.Helper()
	var ids []string
	for s, err := range t.Sessions(e.ctx, q) {
		e.must(err)
		ids = append(ids, s.ID)
	}
	return ids
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// isError fails the test unless err matches want.
func (e *env) isError(err, want error) {
	e.Helper()
	if !errors.Is(err, want) {
		e.Fatalf("got error %v, want %v", err, want)
	}
	if err != nil {
		e.isShort(err)
	}
}

// isInvalid fails the test unless err is an InvalidError of that field.
func (e *env) isInvalid(err error, field string) {
	e.Helper()
	var invalid *seshat.InvalidError
	if !errors.As(err, &invalid) || !errors.Is(err, seshat.ErrInvalid) {
		e.Fatalf("got error %v, want an InvalidError of %s", err, field)
	}
	if invalid.Field != field {
		e.Fatalf("got an InvalidError of %s, want %s", invalid.Field, field)
	}
	e.isShort(err)
}

// isShort fails the test if the text of an error is too long for a line of a
// log. It must be short whatever the arguments were.
func (e *env) isShort(err error) {
	e.Helper()
	const most = 2 << 10
	text := err.Error()
	isControl := func(r rune) bool { return unicode.Is(unicode.Cc, r) }
	if len(text) > most || !utf8.ValidString(text) || strings.ContainsFunc(text, isControl) {
		e.Fatalf("an error of %d bytes, want one line of at most %d: %.300q", len(text), most, text)
	}
}

// isGone fails the test if any call finds a session at id.
func (e *env) isGone(t *seshat.Tenant, id string) {
	e.Helper()
	for name, call := range onSession {
		if err := call(e.ctx, t, id); !errors.Is(err, seshat.ErrNotFound) {
			e.Fatalf("%s of %q: got error %v, want %v", name, id, err, seshat.ErrNotFound)
		}
	}
}

// onSession are all calls on one session. Each changes as little as it can.
var onSession = map[string]func(context.Context, *seshat.Tenant, string) error{
	"Get":   func(ctx context.Context, t *seshat.Tenant, id string) error { return second(t.Get(ctx, id)) },
	"Touch": func(ctx context.Context, t *seshat.Tenant, id string) error { return second(t.Touch(ctx, id)) },
	"Update": func(ctx context.Context, t *seshat.Tenant, id string) error {
		return second(t.Update(ctx, id, func(*seshat.Session) error { return nil }, seshat.UpdateOptions{}))
	},
	"Transition": func(ctx context.Context, t *seshat.Tenant, id string) error {
		return second(t.Transition(ctx, id, seshat.StatusActive, seshat.TransitionOptions{}))
	},
	"Append": func(ctx context.Context, t *seshat.Tenant, id string) error {
		return second(t.Append(ctx, id, seshat.Message{Role: seshat.RoleUser, Content: "?"}))
	},
	"Delete": func(ctx context.Context, t *seshat.Tenant, id string) error { return second(t.Delete(ctx, id)) },
}

func second[T any](_ T, err error) error { return err }

// equal fails the test unless got equals want.
func equal[T comparable](e *env, what string, got, want T) {
	e.Helper()
	if got != want {
		e.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

const (
	ms     = time.Millisecond
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)
