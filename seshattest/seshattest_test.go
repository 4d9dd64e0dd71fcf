package seshattest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/seshattest"
)

// Promise: when the test ends, its store is closed and nothing has failed.
func TestStoreIsClosed(t *testing.T) {
	for name, open := range map[string]func(testing.TB, ...seshat.Options) *seshattest.Store{
		"memory": seshattest.Open, "file": seshattest.OpenFile,
		"driver": func(t testing.TB, o ...seshat.Options) *seshattest.Store {
			return seshattest.OpenDriver(t, memdriver.Open(), o...)
		},
	} {
		var s *seshattest.Store
		failures := run(t, func(tb testing.TB) {
			s = open(tb)
			if _, err := s.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"}); err != nil {
				t.Error(err)
			}
		})
		if len(failures) > 0 {
			t.Errorf("%s: %v", name, failures)
		}
		if _, err := s.Stats(t.Context()); !errors.Is(err, seshat.ErrClosed) {
			t.Errorf("%s: the store is open after its test: %v", name, err)
		}
		if (s.Path != "") != (name == "file") {
			t.Errorf("%s: path %q", name, s.Path)
		}
	}
}

// Promise: a test may close the store itself and open the file again.
func TestStoreMayBeClosedEarlier(t *testing.T) {
	s := seshattest.OpenFile(t)
	s.MustTenant(t, "t")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := seshat.Open(s.Path, seshat.Options{Now: s.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Tenant(t.Context(), seshat.Namespace{Name: "t"}); err != nil {
		t.Error(err)
	}
	seshattest.CheckAndClose(t, again)
}

// Promise: Reopen keeps the data, the clock and the options of a store.
func TestReopenKeepsDataClockAndOptions(t *testing.T) {
	s := seshattest.OpenFile(t, seshat.Options{Lifecycle: seshat.Lifecycle{TTL: time.Hour}})
	before := s.MustTenant(t, "t")
	made := seshattest.MustCreate(t, before, seshat.NewSession{ID: "s"})
	now := s.Clock.Advance(30 * time.Minute)

	s.Reopen(t)

	if _, err := before.Get(t.Context(), "s"); !errors.Is(err, seshat.ErrClosed) {
		t.Errorf("a tenant from before: got error %v, want %v", err, seshat.ErrClosed)
	}
	tenant := s.MustTenant(t, "t")
	if got := seshattest.MustGet(t, tenant, "s"); !got.CreatedAt.Equal(made.CreatedAt) {
		t.Errorf("created at %v, before at %v", got.CreatedAt, made.CreatedAt)
	}
	next := seshattest.MustCreate(t, tenant, seshat.NewSession{})
	if !next.CreatedAt.Equal(now) || next.Lifecycle.TTL != time.Hour {
		t.Errorf("a session made after: at %v, TTL %v", next.CreatedAt, next.Lifecycle.TTL)
	}
	s.Clock.Advance(30 * time.Minute)
	if _, err := tenant.Get(t.Context(), "s"); !errors.Is(err, seshat.ErrNotFound) {
		t.Errorf("after its hour: got error %v, want %v", err, seshat.ErrNotFound)
	}
}

// Promise: Reopen accepts other options, also after the test closed the store.
// The reopened store is checked and closed like a new one.
func TestReopenTakesOtherOptions(t *testing.T) {
	var s *seshattest.Store
	failures := run(t, func(tb testing.TB) {
		s = seshattest.OpenFile(tb)
		s.MustTenant(tb, "t")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s.Reopen(tb, seshat.Options{ReadOnly: true})
		if _, err := s.CreateTenant(t.Context(), seshat.Namespace{Name: "new"}); !errors.Is(err, seshat.ErrReadOnly) {
			t.Errorf("got error %v, want %v", err, seshat.ErrReadOnly)
		}
	})
	if len(failures) > 0 {
		t.Error(failures)
	}
	if _, err := s.Stats(t.Context()); !errors.Is(err, seshat.ErrClosed) {
		t.Errorf("the store is open after its test: %v", err)
	}
}

// Promise: OpenFile passes all options to the engine, like seshat.Open.
func TestFileOptionsReachTheEngine(t *testing.T) {
	s := seshattest.OpenFile(t, seshat.Options{File: seshat.FileOptions{MaxSize: 1 << 20}})
	tenant := s.MustTenant(t, "t")
	seshattest.MustCreate(t, tenant, seshat.NewSession{ID: "s"})
	var err error
	for range 3 {
		big := seshat.Message{Role: seshat.RoleUser, Content: strings.Repeat("x", 500_000)}
		if _, err = tenant.Append(t.Context(), "s", big); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("the file grew past its bound")
	}
}

// Promise: time stands still until the test moves it.
func TestClock(t *testing.T) {
	s := seshattest.Open(t)
	if got := s.Clock.Now(); !got.Equal(seshattest.Start) {
		t.Errorf("it begins at %v", got)
	}
	if got := s.Clock.Advance(time.Hour); !got.Equal(seshattest.Start.Add(time.Hour)) || !s.Clock.Now().Equal(got) {
		t.Errorf("after Advance: %v", got)
	}
	tenant, err := s.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	made, err := tenant.Create(t.Context(), seshat.NewSession{})
	if err != nil || !made.CreatedAt.Equal(s.Clock.Now()) {
		t.Errorf("created at %v, %v", made.CreatedAt, err)
	}
	s.Clock.Set(seshattest.Start)
	if got := s.Clock.Now(); !got.Equal(seshattest.Start) {
		t.Errorf("after Set: %v", got)
	}
}

// Promise: nothing sweeps unless the options enable it.
func TestSweeperIsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		off, on := seshattest.Open(t), seshattest.Open(t, seshat.Options{SweepEvery: time.Second})
		time.Sleep(time.Minute + time.Millisecond)
		synctest.Wait()
		for s, want := range map[*seshattest.Store]uint64{off: 0, on: 60} {
			st, err := s.Stats(t.Context())
			if err != nil || st.Sweeps != want {
				t.Errorf("got %d sweeps, %v, want %d", st.Sweeps, err, want)
			}
		}
	})
}

// Promise: Adopt checks and closes a store that the test opened. An error of
// opening ends the test.
func TestAdoptedStoreIsCheckedAndClosed(t *testing.T) {
	var s *seshat.Store
	failures := run(t, func(tb testing.TB) {
		var err error
		s, err = seshat.OpenDriver(spoiled{memdriver.Open(), nil}, seshat.Options{SweepEvery: seshat.Never})
		seshattest.Adopt(tb, s, err)
	})
	if len(failures) != 1 || !strings.Contains(failures[0], "is spoiled") {
		t.Errorf("got failures %q, want the finding", failures)
	}
	failures = run(t, func(tb testing.TB) {
		seshattest.Adopt(tb, nil, seshat.ErrLocked)
		t.Error("Adopt returned")
	})
	if len(failures) != 1 || !strings.Contains(failures[0], seshat.ErrLocked.Error()) {
		t.Errorf("got failures %q, want %v", failures, seshat.ErrLocked)
	}
}

// Promise: an invalid call ends the test and gives the reason.
func TestMisuseFailsTheTest(t *testing.T) {
	for name, fn := range map[string]func(testing.TB){
		"two options": func(tb testing.TB) { seshattest.Open(tb, seshat.Options{}, seshat.Options{}) },
		"a clock":     func(tb testing.TB) { seshattest.Open(tb, seshat.Options{Now: time.Now}) },
		"an illegal option": func(tb testing.TB) {
			seshattest.Open(tb, seshat.Options{SweepEvery: -2})
		},
		"an illegal option of a file": func(tb testing.TB) {
			seshattest.OpenFile(tb, seshat.Options{SweepEvery: -2})
		},
		"an option that only the file knows": func(tb testing.TB) {
			seshattest.OpenFile(tb, seshat.Options{File: seshat.FileOptions{MaxSize: -1}})
		},
		"memory, again":  func(tb testing.TB) { seshattest.Open(tb).Reopen(tb) },
		"a clock, again": func(tb testing.TB) { seshattest.OpenFile(tb).Reopen(tb, seshat.Options{Now: time.Now}) },
	} {
		if failures := run(t, fn); len(failures) != 1 {
			t.Errorf("%s: got %q, want one failure", name, failures)
		}
	}
}

// spoiled is an engine whose Check finds damage and whose Close fails.
type spoiled struct {
	*memdriver.Driver
	err error
}

func (s spoiled) Check(context.Context, int, driver.Visitor) (driver.Checked, error) {
	return driver.Checked{Findings: []driver.Finding{{Where: "session 1/\"s\"", What: "is spoiled"}}}, s.err
}

func (s spoiled) Close() error { return s.err }

// Promise: findings of Check and errors of Close fail the test.
func TestFindingsFailTheTest(t *testing.T) {
	check := func(err error) []string {
		s, openErr := seshat.OpenDriver(spoiled{memdriver.Open(), err}, seshat.Options{SweepEvery: seshat.Never})
		if openErr != nil {
			t.Fatal(openErr)
		}
		return run(t, func(tb testing.TB) { seshattest.CheckAndClose(tb, s) })
	}
	if got := check(nil); len(got) != 1 || !strings.Contains(got[0], "is spoiled") {
		t.Errorf("a finding: got failures %q", got)
	}
	if got := check(seshat.ErrFailed); len(got) != 2 {
		t.Errorf("an error: got failures %q", got)
	}
}
