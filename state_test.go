package seshat_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/seshattest"
)

// interrupted is a driver that calls meanwhile once: before the next read of
// entries of a session or a user, or before the next write.
type interrupted struct {
	*memdriver.Driver
	atRead, atWrite func()
}

func (d *interrupted) Entries(ctx context.Context, q driver.EntryQuery) ([]driver.Entry, error) {
	if fn := d.atRead; fn != nil && q.Kind&(driver.KindSession|driver.KindUser) != 0 {
		d.atRead = nil
		fn()
	}
	return d.Driver.Entries(ctx, q)
}

func (d *interrupted) Mutate(ctx context.Context, ops ...*driver.Op) error {
	if fn := d.atWrite; fn != nil {
		d.atWrite = nil
		fn()
	}
	return d.Driver.Mutate(ctx, ops...)
}

func openInterrupted(t *testing.T) (*interrupted, *seshat.Tenant) {
	d := &interrupted{Driver: memdriver.Open()}
	return d, seshattest.OpenDriver(t, d).MustTenant(t, "acme")
}

func appendTurn(t *testing.T, tn *seshat.Tenant, id string, turn seshat.Turn) {
	t.Helper()
	turn.Messages = []seshat.Message{{Role: seshat.RoleUser, Content: "hi"}}
	_, err := tn.AppendTurn(t.Context(), id, turn)
	must(t, err)
}

func TestStateOfASessionThatEndsMeanwhileIsNotFound(t *testing.T) {
	ctx := t.Context()
	d, tn := openInterrupted(t)
	remove := func() {
		_, err := tn.Delete(ctx, "x")
		must(t, err)
	}
	replace := func() {
		remove()
		seshattest.MustCreate(t, tn, seshat.NewSession{ID: "x", State: map[string]any{"k": "of another life"}})
	}
	reads := map[string]func() (map[string]any, error){
		"State":   func() (map[string]any, error) { return tn.State(ctx, seshat.SessionScope("x")) },
		"StateAt": func() (map[string]any, error) { return tn.StateAt(ctx, "x", 1) },
		"before":  func() (map[string]any, error) { return tn.StateAt(ctx, "x", 0) },
	}
	for name, read := range reads {
		for _, meanwhile := range []func(){remove, replace} {
			seshattest.MustCreate(t, tn, seshat.NewSession{ID: "x", State: map[string]any{"k": 1}})
			appendTurn(t, tn, "x", seshat.Turn{})
			d.atRead = meanwhile
			if m, err := read(); !errors.Is(err, seshat.ErrNotFound) {
				t.Errorf("%s: got %v, %v; want ErrNotFound", name, m, err)
			}
			if _, err := tn.Delete(ctx, "x"); err != nil && !errors.Is(err, seshat.ErrNotFound) {
				t.Fatal(err)
			}
		}
	}
}

func TestStateAtTheNewestMessageIsOfOneMoment(t *testing.T) {
	d, tn := openInterrupted(t)
	seshattest.MustCreate(t, tn, seshat.NewSession{ID: "x"})
	appendTurn(t, tn, "x", seshat.Turn{State: map[string]any{"a": 1, "b": 1}})
	d.atRead = func() {
		must(t, tn.MergeState(t.Context(), seshat.SessionScope("x"), map[string]any{"a": 2, "b": 2}))
		appendTurn(t, tn, "x", seshat.Turn{State: map[string]any{"a": 3, "b": 3}})
	}
	got, err := tn.StateAt(t.Context(), "x", 1)
	must(t, err)
	if want := map[string]any{"a": int64(2), "b": int64(2)}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestUserStateOfATurnGoesToTheUserWhoHasTheSession(t *testing.T) {
	ctx := t.Context()
	d, tn := openInterrupted(t)
	seshattest.MustCreate(t, tn, seshat.NewSession{ID: "x", UserID: "mia"})
	d.atWrite = func() {
		_, err := tn.Delete(ctx, "x")
		must(t, err)
		seshattest.MustCreate(t, tn, seshat.NewSession{ID: "x", UserID: "noa"})
	}
	appendTurn(t, tn, "x", seshat.Turn{UserState: map[string]any{"k": 1}})
	for user, want := range map[string]map[string]any{"mia": {}, "noa": {"k": int64(1)}} {
		got, err := tn.State(ctx, seshat.UserScope(user))
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("state of %s: got %v, want %v", user, got, want)
		}
	}
}

func TestMergeThatChangesNothingWritesNothing(t *testing.T) {
	ctx := t.Context()
	d, tn := openInterrupted(t)
	must(t, tn.MergeState(ctx, seshat.NamespaceScope(), map[string]any{"k": []string{"a"}}))
	before := stored(t, d.Driver)
	must(t, tn.MergeState(ctx, seshat.NamespaceScope(), map[string]any{"k": []any{"a"}, "none": nil}))
	if after := stored(t, d.Driver); !reflect.DeepEqual(after, before) {
		t.Errorf("got %v, want %v", after, before)
	}
}

// stored returns the stored values of the first namespace's state.
func stored(t *testing.T, d *memdriver.Driver) []driver.Entry {
	t.Helper()
	entries, err := d.Entries(t.Context(), driver.EntryQuery{Namespace: 1, Kind: 0x05, Limit: 10})
	must(t, err)
	if len(entries) != 2 {
		t.Fatalf("%d entries are stored, want the key and the size", len(entries))
	}
	return entries
}

func TestDamagedStateIsCorruptAndNotWrong(t *testing.T) {
	ctx := t.Context()
	d, tn := openInterrupted(t)
	scope := seshat.NamespaceScope()
	must(t, tn.MergeState(ctx, scope, map[string]any{"k": 1}))
	for _, e := range stored(t, d.Driver) {
		damaged := e
		damaged.Value = []byte{0xc1}
		put(t, d.Driver, damaged)
		_, readErr := tn.State(ctx, scope)
		mergeErr := tn.MergeState(ctx, scope, map[string]any{"k": 2})
		if !errors.Is(errors.Join(readErr, mergeErr), seshat.ErrCorrupt) {
			t.Errorf("entry %q damaged: got %v and %v, want ErrCorrupt", e.Name, readErr, mergeErr)
		}
		put(t, d.Driver, e)
	}
	must(t, d.Close()) // its data is damaged now and must not be checked
}

func put(t *testing.T, d *memdriver.Driver, e driver.Entry) {
	t.Helper()
	must(t, d.Mutate(t.Context(), &driver.Op{
		Clock: func() int64 { return 0 },
		Plan: func(driver.View) (driver.Change, error) {
			return driver.Change{Entries: []driver.Entry{e}}, nil
		},
	}))
}
