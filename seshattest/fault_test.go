package seshattest_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/seshattest"
)

// onBoth runs fn on a store in memory and on a store in a file. Both have a
// tenant acme with a session "s".
func onBoth(t *testing.T, fn func(*testing.T, *seshattest.Store, *seshat.Tenant)) {
	for name, open := range map[string]func(testing.TB, ...seshat.Options) *seshattest.Store{
		"memory": seshattest.Open, "file": seshattest.OpenFile,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			tenant := s.MustTenant(t, "acme")
			seshattest.MustCreate(t, tenant, seshat.NewSession{ID: "s"})
			fn(t, s, tenant)
		})
	}
}

func say(t testing.TB, tenant *seshat.Tenant, text string) error {
	t.Helper()
	_, err := tenant.Append(context.Background(), "s", seshat.Message{ID: text, Role: seshat.RoleUser, Content: text})
	return err
}

// Promise: exactly the n-th write fails. It returns the planned error and
// changes nothing.
func TestNthWriteFails(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store, tenant *seshat.Tenant) {
		fault := s.FailWrite(t, seshattest.Fault{Nth: 2, Err: syscall.ENOSPC})
		if err := say(t, tenant, "one"); err != nil || fault.Fired() {
			t.Fatalf("the first write: error %v, fired %v", err, fault.Fired())
		}
		if err := say(t, tenant, "two"); !errors.Is(err, syscall.ENOSPC) || !fault.Fired() {
			t.Fatalf("the second write: error %v, fired %v", err, fault.Fired())
		}
		if err := say(t, tenant, "three"); err != nil {
			t.Fatalf("the third write: error %v", err)
		}
		seshattest.AssertLog(t, tenant, "s", `
			1 user id=one "one"
			2 user id=three "three"
		`)
	})
}

// Promise: exactly the n-th read fails, and writes do not count as reads.
func TestNthReadFails(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store, tenant *seshat.Tenant) {
		s.FailRead(t, seshattest.Fault{Nth: 2, Err: seshat.ErrCorrupt})
		seshattest.MustGet(t, tenant, "s")
		seshattest.MustAppend(t, tenant, "s", seshattest.Conversation("Hi")...)
		if _, err := tenant.Get(t.Context(), "s"); !errors.Is(err, seshat.ErrCorrupt) {
			t.Fatalf("the second read: got error %v, want %v", err, seshat.ErrCorrupt)
		}
		seshattest.MustGet(t, tenant, "s")
	})
}

// Promise: every kind of read can fail and returns the planned error.
func TestEveryKindOfReadFails(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store, tenant *seshat.Tenant) {
		ctx := t.Context()
		if _, err := tenant.Namespace(ctx); err != nil { // caches the namespace
			t.Fatal(err)
		}
		for name, read := range map[string]func() error{
			"Get":    func() error { _, err := tenant.Get(ctx, "s"); return err },
			"List":   func() error { _, err := tenant.List(ctx, seshat.Query{}); return err },
			"Count":  func() error { _, err := tenant.Count(ctx, seshat.Query{}); return err },
			"State":  func() error { _, err := tenant.State(ctx, seshat.UserScope("mia")); return err },
			"Events": func() error { _, _, err := tenant.Events(ctx, 0, 10); return err },
			"Stats":  func() error { _, err := s.Stats(ctx); return err },
			"History": func() error {
				for _, err := range tenant.Messages(ctx, "s", seshat.HistoryQuery{}) {
					return err
				}
				return nil
			},
		} {
			reached := 0
			for nth := 1; ; nth++ {
				fault := s.FailRead(t, seshattest.Fault{Nth: nth, Err: syscall.EIO})
				err := read()
				if unreached := fault.Cancel(); unreached {
					if err != nil {
						t.Errorf("%s without a fault: %v", name, err)
					}
					break
				}
				reached++
				if !errors.Is(err, syscall.EIO) {
					t.Errorf("%s, read %d: got error %v, want %v", name, nth, err, syscall.EIO)
				}
			}
			if reached == 0 {
				t.Errorf("%s reads nothing", name)
			}
		}
	})
}

// Promise: a sticky fault lasts until it is canceled. Then the store works
// again.
func TestStickyFaultStaysUntilCanceled(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store, tenant *seshat.Tenant) {
		fault := s.FailWrite(t, seshattest.Fault{Err: seshat.ErrFailed, Sticky: true})
		for range 3 {
			if err := say(t, tenant, "x"); !errors.Is(err, seshat.ErrFailed) {
				t.Fatalf("got error %v, want %v", err, seshat.ErrFailed)
			}
		}
		seshattest.MustGet(t, tenant, "s")
		if fault.Cancel() {
			t.Error("Cancel says that the fault was not reached")
		}
		if err := say(t, tenant, "x"); err != nil {
			t.Error(err)
		}
	})
}

// Promise: a lost write happens, returns ErrUnknown and can be repeated. A
// write that fails by itself returns its own error.
func TestLostWriteHappens(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store, tenant *seshat.Tenant) {
		s.FailWrite(t, seshattest.Fault{Lost: true})
		if err := say(t, tenant, "one"); !errors.Is(err, seshat.ErrUnknown) {
			t.Fatalf("got error %v, want %v", err, seshat.ErrUnknown)
		}
		if err := say(t, tenant, "one"); err != nil {
			t.Fatal(err)
		}
		seshattest.AssertLog(t, tenant, "s", `1 user id=one "one"`)

		s.FailWrite(t, seshattest.Fault{Lost: true})
		if _, err := tenant.Touch(t.Context(), "absent"); !errors.Is(err, seshat.ErrNotFound) {
			t.Fatalf("got error %v, want %v", err, seshat.ErrNotFound)
		}
	})
}

// Promise: an erasure can be interrupted and continued later.
func TestReclaimFails(t *testing.T) {
	for name, fault := range map[string]seshattest.Fault{
		"failed": {Nth: 2, Err: syscall.EIO}, "lost": {Nth: 2, Lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *seshattest.Store, tenant *seshat.Tenant) {
				seshattest.MustCreate(t, tenant, seshat.NewSession{ID: "of mia", UserID: "mia"})
				s.FailWrite(t, fault)
				if _, err := tenant.DeleteUser(t.Context(), "mia"); err == nil {
					t.Error("an erasure that was cut short says nothing")
				}
				if _, err := tenant.Get(t.Context(), "of mia"); !errors.Is(err, seshat.ErrNotFound) {
					t.Errorf("got error %v, want %v", err, seshat.ErrNotFound)
				}
				if _, err := tenant.DeleteUser(t.Context(), "mia"); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Promise: Reopen ends all faults of the store.
func TestReopenEndsFaults(t *testing.T) {
	s := seshattest.OpenFile(t)
	tenant := s.MustTenant(t, "acme")
	seshattest.MustCreate(t, tenant, seshat.NewSession{ID: "s"})
	s.FailWrite(t, seshattest.Fault{Err: seshat.ErrUnknown})
	s.FailWrite(t, seshattest.Fault{Nth: 2, Err: seshat.ErrFailed, Sticky: true})
	for _, want := range []error{seshat.ErrUnknown, seshat.ErrFailed, seshat.ErrFailed} {
		if err := say(t, tenant, "x"); !errors.Is(err, want) {
			t.Fatalf("got error %v, want %v", err, want)
		}
	}
	s.Reopen(t)
	tenant = s.MustTenant(t, "acme")
	if err := say(t, tenant, "x"); err != nil {
		t.Fatal(err)
	}
	seshattest.AssertLog(t, tenant, "s", `1 user id=x "x"`)
}

// Promise: if many goroutines call the store, exactly one of the calls fails.
func TestOneOfManyCallersFails(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store, tenant *seshat.Tenant) {
		s.FailWrite(t, seshattest.Fault{Nth: 5, Err: syscall.EIO})
		failed := make(chan error, 8)
		var wg sync.WaitGroup
		for n := range 8 {
			wg.Go(func() {
				if err := say(t, tenant, string(rune('a'+n))); err != nil {
					failed <- err
				}
			})
		}
		wg.Wait()
		close(failed)
		if err := <-failed; !errors.Is(err, syscall.EIO) || len(failed) > 0 {
			t.Errorf("got error %v, and %d more", err, len(failed))
		}
		if got := seshattest.MustGet(t, tenant, "s"); got.MessageCount != 7 {
			t.Errorf("got %d messages, want 7", got.MessageCount)
		}
	})
}

// Promise: a fault that is neither reached nor canceled fails the test.
func TestUnreachedFaultFailsTheTest(t *testing.T) {
	s := seshattest.Open(t)
	tenant := s.MustTenant(t, "acme")
	seshattest.MustCreate(t, tenant, seshat.NewSession{ID: "s"})
	failures := run(t, func(tb testing.TB) {
		s.FailWrite(tb, seshattest.Fault{Nth: 2, Err: syscall.EIO})
		if err := say(t, tenant, "x"); err != nil {
			t.Error(err)
		}
	})
	if len(failures) != 1 || !strings.Contains(failures[0], "write 2 was to fail with") ||
		!strings.Contains(failures[0], "there were 1") {
		t.Errorf("a write that was not made: got failures %q", failures)
	}
	failures = run(t, func(tb testing.TB) { s.FailRead(tb, seshattest.Fault{Err: syscall.EIO}) })
	if len(failures) != 1 || !strings.Contains(failures[0], "read 1 was to fail") {
		t.Errorf("a read that was not made: got failures %q", failures)
	}
	failures = run(t, func(tb testing.TB) {
		if !s.FailWrite(tb, seshattest.Fault{Nth: 100, Err: syscall.EIO}).Cancel() {
			t.Error("Cancel says that the fault was reached")
		}
	})
	if len(failures) > 0 {
		t.Errorf("a canceled fault: got failures %q", failures)
	}
	seshattest.MustGet(t, tenant, "s") // no fault outlives its test
}

// Promise: an invalid fault ends the test.
func TestFaultMisuseFailsTheTest(t *testing.T) {
	plan := func(f seshattest.Fault) func(testing.TB) {
		return func(tb testing.TB) { seshattest.Open(t).FailWrite(tb, f) }
	}
	for name, fn := range map[string]func(testing.TB){
		"no error":    plan(seshattest.Fault{}),
		"negative":    plan(seshattest.Fault{Nth: -1, Err: syscall.EIO}),
		"lost, known": plan(seshattest.Fault{Lost: true, Err: syscall.EIO}),
		"a lost read": func(tb testing.TB) { seshattest.Open(t).FailRead(tb, seshattest.Fault{Lost: true}) },
		"of an engine": func(tb testing.TB) {
			seshattest.OpenDriver(t, memdriver.Open()).FailWrite(tb, seshattest.Fault{Err: syscall.EIO})
		},
	} {
		if failures := run(t, fn); len(failures) != 1 || !strings.HasPrefix(failures[0], "seshattest: ") {
			t.Errorf("%s: got failures %q, want one", name, failures)
		}
	}
}

// Promise: an engine with faults has the same optional interfaces as without.
func TestFaultsHideNoAbility(t *testing.T) {
	file, err := boltdriver.Open(t.TempDir()+"/plain.db", boltdriver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, c := range []struct {
		name          string
		plain, faulty driver.Driver
	}{
		{"memory", memdriver.Open(), seshattest.Open(t).Driver()},
		{"file", file, seshattest.OpenFile(t).Driver()},
	} {
		if plain, faulty := abilities(c.plain), abilities(c.faulty); plain != faulty {
			t.Errorf("%s: got %+v with faults, %+v without", c.name, faulty, plain)
		}
	}
}

// ability lists the optional interfaces that an engine has.
type ability struct{ checker, backuper, compacter, dumper, loader, notifier, statser bool }

func abilities(d driver.Driver) (a ability) {
	_, a.checker = d.(driver.Checker)
	_, a.backuper = d.(driver.Backuper)
	_, a.compacter = d.(driver.Compacter)
	_, a.dumper = d.(driver.Dumper)
	_, a.loader = d.(driver.Loader)
	_, a.notifier = d.(driver.Notifier)
	_, a.statser = d.(driver.Statser)
	return a
}
