package seshat

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
)

// faulty is an engine that can fail in one method.
type faulty struct {
	driver.Driver
	fail map[string]error // by method
}

func (f *faulty) Mutate(ctx context.Context, ops ...*driver.Op) error {
	if err := f.fail["Mutate"]; err != nil {
		for _, o := range ops {
			o.Err = err
		}
		return err
	}
	return f.Driver.Mutate(ctx, ops...)
}

func (f *faulty) Entries(ctx context.Context, q driver.EntryQuery) ([]driver.Entry, error) {
	if err := f.fail["Entries"]; err != nil {
		return nil, err
	}
	return f.Driver.Entries(ctx, q)
}

func (f *faulty) List(ctx context.Context, q driver.Query) (driver.Page, error) {
	if err := f.fail["List"]; err != nil {
		return driver.Page{}, err
	}
	return f.Driver.List(ctx, q)
}

func (f *faulty) Count(ctx context.Context, q driver.Query) (driver.Usage, error) {
	if err := f.fail["Count"]; err != nil {
		return driver.Usage{}, err
	}
	return f.Driver.Count(ctx, q)
}

func (f *faulty) Get(ctx context.Context, k driver.Key, now int64, into *driver.Record) error {
	if err := f.fail["Get"]; err != nil {
		return err
	}
	return f.Driver.Get(ctx, k, now, into)
}

func (f *faulty) Due(ctx context.Context, q driver.DueQuery) ([]driver.Due, error) {
	if err := f.fail["Due"]; err != nil {
		return nil, err
	}
	return f.Driver.Due(ctx, q)
}

func (f *faulty) Reclaim(ctx context.Context, now int64, limit int) (driver.Reclaimed, error) {
	if err := f.fail["Reclaim"]; err != nil {
		return driver.Reclaimed{}, err
	}
	return f.Driver.Reclaim(ctx, now, limit)
}

func (f *faulty) Close() error { return errors.Join(f.Driver.Close(), f.fail["Close"]) }

// onFaulty returns a store with one due session, on an engine that the test can
// make fail.
func onFaulty(t *testing.T) (*faulty, *Store, *Tenant) {
	t.Helper()
	f := &faulty{Driver: memdriver.Open(), fail: map[string]error{}}
	now := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	// By hand: the engine fails as the test tells it, at Close too.
	s, err := OpenDriver(f, Options{SweepEvery: Never, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	n := mustTenant(t, s)
	if _, err := n.Create(t.Context(), NewSession{ID: "s", Lifecycle: Lifecycle{TTL: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	return f, s, n
}

// meeting returns, for each method of the engine, the calls of the store that
// use it.
func meeting(ctx context.Context, s *Store, n *Tenant) map[string]map[string]func() error {
	list := func() error { _, err := n.List(ctx, Query{}); return err }
	count := func() error { _, err := n.Count(ctx, Query{}); return err }
	usage := func() error { _, err := n.Usage(ctx); return err }
	sweep := func() error { _, err := s.Sweep(ctx, SweepOptions{}); return err }
	dryRun := func() error {
		s.knownIDs = knownIDs{} // as in a process that has not opened the tenant
		_, err := s.Sweep(ctx, SweepOptions{DryRun: true})
		return err
	}
	deleteUser := func() error { _, err := n.DeleteUser(ctx, "mia"); return err }
	return map[string]map[string]func() error{
		"Mutate": {
			"Create":       func() error { _, err := n.Create(ctx, NewSession{}); return err },
			"Rename":       func() error { return n.Rename(ctx, "x") },
			"CreateTenant": func() error { _, err := s.CreateTenant(ctx, Namespace{Name: "x"}); return err },
			"DeleteUser":   deleteUser,
			"Sweep":        sweep,
		},
		"Entries": {
			"Tenant":       func() error { _, err := s.Tenant(ctx, Namespace{Name: "t"}); return err },
			"Namespace":    func() error { _, err := n.Namespace(ctx); return err },
			"EnsureTenant": func() error { _, err := s.EnsureTenant(ctx, Namespace{Name: "x"}); return err },
			"Usage":        usage,
			"Count":        count,
			"List":         list,
			"dry run":      dryRun,
		},
		"List":  {"List": list},
		"Count": {"Usage": usage, "Count": count},
		"Get": {
			"Get":    func() error { _, err := n.Get(ctx, "s"); return err },
			"Ensure": func() error { _, _, err := n.Ensure(ctx, NewSession{ID: "s"}); return err },
			"Update": func() error {
				_, err := n.Update(ctx, "s", func(*Session) error { return nil }, UpdateOptions{})
				return err
			},
			"dry run": dryRun,
		},
		"Due": {
			"Stats":   func() error { _, err := s.Stats(ctx); return err },
			"Sweep":   sweep,
			"dry run": dryRun,
		},
		"Reclaim": {"DeleteUser": deleteUser, "Sweep": sweep},
	}
}

// Promise: every call returns an error of the engine unchanged, and works again
// when the engine does.
func TestEngineErrorsReachTheCaller(t *testing.T) {
	for method := range meeting(t.Context(), nil, nil) {
		f, s, n := onFaulty(t)
		calls := meeting(t.Context(), s, n)[method]
		f.fail[method] = fmt.Errorf("%s: %w", method, ErrFailed)
		for name, call := range calls {
			var e *Error
			if err := call(); !errors.As(err, &e) || !errors.Is(err, ErrFailed) {
				t.Errorf("%s, when %s fails: got error %v", name, method, err)
			}
		}
		delete(f.fail, method)
		if _, err := n.Create(t.Context(), NewSession{ID: "after"}); err != nil {
			t.Errorf("after %s had failed: got error %v", method, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Promise: an erasure counts only what it removed itself, not the remains of an
// interrupted one.
func TestErasuresCountTheirOwn(t *testing.T) {
	f, s, n := onFaulty(t)
	defer func() { _ = s.Close() }()
	for _, user := range []string{"mia", "mia", "mia", "noa"} {
		if _, err := n.Create(t.Context(), NewSession{UserID: user}); err != nil {
			t.Fatal(err)
		}
	}
	f.fail["Reclaim"] = ErrFailed
	if _, err := n.DeleteUser(t.Context(), "mia"); !errors.Is(err, ErrFailed) {
		t.Fatalf("got error %v, want %v", err, ErrFailed)
	}
	delete(f.fail, "Reclaim")
	e, err := n.DeleteUser(t.Context(), "noa")
	if err != nil || e.Sessions != 1 {
		t.Errorf("got %+v, %v, want one session", e, err)
	}
}

// Promise: Close returns the engine's error each time.
func TestCloseReturnsTheEnginesError(t *testing.T) {
	f, s, _ := onFaulty(t)
	f.fail["Close"] = ErrUnknown
	for range 2 {
		if err := s.Close(); !errors.Is(err, ErrUnknown) {
			t.Errorf("got error %v, want %v", err, ErrUnknown)
		}
	}
}

// Promise: if a store cannot be opened, it closes the engine that it was given.
func TestFailedOpenClosesTheEngine(t *testing.T) {
	for name, o := range map[string]Options{"engine": {}, "options": {SweepEvery: -2}} {
		d := memdriver.Open()
		f := &faulty{Driver: d, fail: map[string]error{"Entries": ErrCorrupt}}
		s, err := OpenDriver(f, o) // by hand: it must not open
		if s != nil || err == nil {
			t.Fatalf("%s: got %v, %v", name, s, err)
		}
		if _, err := d.Due(t.Context(), driver.DueQuery{}); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: the engine is still open: %v", name, err)
		}
	}
}

// Promise: a handle sees the changes that another handle makes to the
// namespace.
func TestHandlesAgree(t *testing.T) {
	p := plant(t)
	ctx := t.Context()
	other, err := p.s.Tenant(ctx, Namespace{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Rename(ctx, "renamed"); err != nil {
		t.Fatal(err)
	}
	if err := other.SetQuotas(ctx, NamespaceQuotas{MaxSessions: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.n.Create(ctx, NewSession{}); !errors.Is(err, ErrQuota) {
		t.Errorf("the old handle: got error %v, want %v", err, ErrQuota)
	}
	var e *Error
	if _, err := p.n.Get(ctx, "absent"); !errors.As(err, &e) || e.Tenant != "renamed" {
		t.Errorf("the old handle calls itself %+v", e)
	}
	n, err := p.n.Namespace(ctx)
	if err != nil || n.Name != "renamed" || p.n.ID() != other.ID() || p.s.Driver() == nil {
		t.Errorf("got %+v, %v", n, err)
	}
}

// Promise: deleting a namespace frees the name that it has at that time and no
// other name, even if another call has just read an older state of it.
func TestDeleteNamespaceFreesItsOwnName(t *testing.T) {
	ctx := t.Context()
	s, err := OpenMemory(Options{SweepEvery: Never})
	adopt(t, s, err)
	create := func(name string) *Tenant {
		n, err := s.CreateTenant(ctx, Namespace{Name: name})
		if err != nil {
			t.Fatal(name, err)
		}
		return n
	}
	for range 2000 {
		n := create("old")
		before := n.cache.Load()
		if err := n.Rename(ctx, "new"); err != nil {
			t.Fatal(err)
		}
		other := create("old")
		var stop atomic.Bool
		begun := make(chan struct{})
		ended := make(chan struct{})
		// These calls read the namespace before it was renamed.
		go func() {
			defer close(ended)
			n.cache.Store(before)
			for close(begun); !stop.Load(); {
				n.cache.Store(before)
			}
		}()
		<-begun
		_, err := n.DeleteNamespace(ctx)
		stop.Store(true)
		<-ended
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Tenant(ctx, Namespace{Name: "old"}); err != nil {
			t.Fatal("another namespace lost its name:", err)
		}
		for _, n := range []*Tenant{other, create("new")} {
			if _, err := n.DeleteNamespace(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// around is an engine that calls functions before and after its next write.
type around struct {
	driver.Driver
	before, after func()
}

func (a *around) Mutate(ctx context.Context, ops ...*driver.Op) error {
	before := a.before
	after := a.after
	if a.before, a.after = nil, nil; before != nil {
		before()
	}
	err := a.Driver.Mutate(ctx, ops...)
	if after != nil {
		after()
	}
	return err
}

// Promise: if others create and delete a namespace at the same time, it exists
// when EnsureTenant returns, and CreateTenant fails only if it existed.
func TestTenantThatComesAndGoes(t *testing.T) {
	ctx := t.Context()
	a := &around{Driver: memdriver.Open()}
	s, err := OpenDriver(a, Options{SweepEvery: Never})
	adopt(t, s, err)
	for name, want := range map[string]error{"ensured": nil, "created": ErrExists} {
		var other *Tenant
		a.before = func() { other, err = s.CreateTenant(ctx, Namespace{Name: name}) }
		a.after = func() { _, err = other.DeleteNamespace(ctx) }
		do := s.EnsureTenant
		if want != nil {
			do = s.CreateTenant
		}
		got, failed := do(ctx, Namespace{Name: name})
		if err != nil || !errors.Is(failed, want) {
			t.Errorf("%s: %v, want %v; the other call: %v", name, failed, want, err)
		}
		if want == nil && failed == nil {
			if _, err := got.Create(ctx, NewSession{}); err != nil {
				t.Error(err)
			}
		}
	}
}
