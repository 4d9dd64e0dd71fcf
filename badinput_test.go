package seshat_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// method is one exported method of Store or Tenant, and how it is misused. The
// table is in badinput_table_test.go.
type method struct {
	// call is a call that would succeed on the session id. nil: the method
	// takes no context and cannot fail.
	call func(w *world, ctx context.Context, id string) error

	session bool  // it is about the session id
	ended   error // what it returns for a session that is terminated

	// refused are calls that are not allowed, by the field that the error
	// names. Several of one field are told apart by what follows a space.
	refused map[string]func(w *world, ctx context.Context) error
}

// world is a store on which methods are misused. None of that changes it.
type world struct {
	s      *seshat.Store
	t      *seshat.Tenant
	secret string // of an API key
	keyID  string
}

// newWorld makes a tenant "t" with the sessions "s", which is active, and
// "ended", which is terminated, and a tenant "other" with "foreign".
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, seshattest.Open(t).Store)
}

// newWorldOn is newWorld on a store that is open, and empty.
func newWorldOn(t *testing.T, s *seshat.Store) *world {
	t.Helper()
	w := &world{s: s}
	ctx := t.Context()
	for name, ids := range map[string][]string{"t": {"s", "ended"}, "other": {"foreign"}} {
		tenant, err := w.s.EnsureTenant(ctx, seshat.Namespace{Name: name})
		must(t, err)
		if name == "t" {
			w.t = tenant
		}
		for _, id := range ids {
			must(t, only(tenant.Create(ctx, seshat.NewSession{ID: id, UserID: "mia"})))
			must(t, only(tenant.Append(ctx, id, seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "hello"})))
		}
	}
	must(t, only(w.t.Transition(ctx, "ended", seshat.StatusTerminated, seshat.TransitionOptions{})))
	k, secret, err := w.s.CreateAPIKey(ctx, seshat.APIKey{})
	must(t, err)
	w.keyID, w.secret = k.ID, secret
	return w
}

// first returns the first error of an iterator, and looks no further than its
// first element.
func first[T any](seq iter.Seq2[T, error]) error {
	for _, err := range seq {
		return err
	}
	return nil
}

// digest is what a store holds, so far as misuse could change it.
func (w *world) digest(t *testing.T) string {
	t.Helper()
	r, err := w.s.Check(t.Context())
	must(t, err)
	if len(r.Findings) > 0 {
		t.Fatalf("check: %v", r.Findings)
	}
	u, err := w.t.Usage(t.Context())
	must(t, err)
	s, err := w.t.Get(t.Context(), "s")
	must(t, err)
	return fmt.Sprintf("%+v %+v %v %d", r, u, s.UpdatedAt, s.Version)
}

// forEach runs fn on each method that can fail, and expects that the store is
// as before.
func forEach(t *testing.T, fn func(t *testing.T, w *world, m method)) {
	t.Helper()
	for name, m := range methods {
		if m.call == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			before := w.digest(t)
			fn(t, w, m)
			if after := w.digest(t); after != before {
				t.Errorf("the store changed from\n%s\nto\n%s", before, after)
			}
		})
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

// wantField expects an InvalidError of the field.
func wantField(t *testing.T, what string, err error, field string) {
	t.Helper()
	var invalid *seshat.InvalidError
	if !errors.As(err, &invalid) {
		t.Errorf("%s: got error %v, want an InvalidError of %s", what, err, field)
		return
	}
	if invalid.Field != field {
		t.Errorf("%s: got an InvalidError of %s, want %s", what, invalid.Field, field)
	}
	wantError(t, what, err, seshat.ErrInvalid)
}

// Promise: the table below misses no exported method.
func TestBadInputCoversEveryMethod(t *testing.T) {
	missing := map[string]bool{}
	for name := range methods {
		missing[name] = true
	}
	for prefix, typ := range map[string]reflect.Type{
		"Store.": reflect.TypeFor[*seshat.Store](), "Tenant.": reflect.TypeFor[*seshat.Tenant](),
	} {
		for i := range typ.NumMethod() {
			name := prefix + typ.Method(i).Name
			if _, ok := methods[name]; !ok {
				t.Errorf("%s is not in the table", name)
			}
			delete(missing, name)
		}
	}
	for name := range missing {
		t.Errorf("%s is in the table, but there is no such method", name)
	}
}

// Promise: what the table calls right use is that, so that its misuse differs
// from it in the one thing that is wrong.
func TestEveryMethodOfTheTableSucceeds(t *testing.T) {
	for name, m := range methods {
		if m.call == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if err := m.call(w, t.Context(), "s"); err != nil && !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("got error %v", err)
			}
		})
	}
}

func TestNoContext(t *testing.T) {
	forEach(t, func(t *testing.T, w *world, m method) {
		wantField(t, "without a context", m.call(w, nil, "s"), "ctx")
	})
}

func TestCancelledContext(t *testing.T) {
	forEach(t, func(t *testing.T, w *world, m method) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		wantError(t, "with a cancelled context", m.call(w, ctx, "s"), context.Canceled)
	})
}

func TestClosedStore(t *testing.T) {
	for name, m := range methods {
		if m.call == nil {
			continue
		}
		w := newWorld(t)
		must(t, w.s.Close())
		if err := m.call(w, t.Context(), "s"); !errors.Is(err, errors.ErrUnsupported) {
			wantError(t, name+" on a closed store", err, seshat.ErrClosed)
		}
	}
}

func TestForeignSession(t *testing.T) {
	forEach(t, func(t *testing.T, w *world, m method) {
		if !m.session {
			return
		}
		foreign, absent := m.call(w, t.Context(), "foreign"), m.call(w, t.Context(), "no such")
		wantError(t, "of another tenant's session", foreign, seshat.ErrNotFound)
		wantError(t, "of a session that is not there", absent, seshat.ErrNotFound)
		if got, want := fmt.Sprint(foreign), strings.ReplaceAll(fmt.Sprint(absent), "no such", "foreign"); got != want {
			t.Errorf("a foreign id shows: got error %s, of an absent one %s", got, want)
		}
	})
}

func TestIllegalSessionID(t *testing.T) {
	forEach(t, func(t *testing.T, w *world, m method) {
		if !m.session {
			return
		}
		for why, id := range map[string]string{
			"empty": "", "NUL": "a\x00", "DEL": "\x7f", "C1": "\u0085", "not UTF-8": "\xff",
			"too long": strings.Repeat("x", seshat.MaxNameBytes+1), "huge": strings.Repeat("x", 1<<20),
		} {
			wantField(t, "of an id that is "+why, m.call(w, t.Context(), id), "session_id")
		}
	})
}

func TestEndedSession(t *testing.T) {
	forEach(t, func(t *testing.T, w *world, m method) {
		if m.session && m.ended != nil {
			wantError(t, "of a terminated session", m.call(w, t.Context(), "ended"), m.ended)
		}
	})
}

func TestRefusedArguments(t *testing.T) {
	forEach(t, func(t *testing.T, w *world, m method) {
		for field, call := range m.refused {
			name, _, _ := strings.Cut(field, " ")
			wantField(t, field, call(w, t.Context()), name)
		}
	})
}

// Promise: a handle on a namespace that was deleted finds nothing.
func TestStaleTenant(t *testing.T) {
	for name, m := range methods {
		if m.call == nil || !strings.HasPrefix(name, "Tenant.") {
			continue
		}
		w := newWorld(t)
		must(t, only(w.t.DeleteNamespace(t.Context())))
		wantError(t, name, m.call(w, t.Context(), "s"), seshat.ErrNotFound)
	}
}
