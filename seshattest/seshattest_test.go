package seshattest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/seshattest"
)

// recorder is a test that fails without failing the one around it.
type recorder struct {
	testing.TB
	failures []string
	cleanups []func()
}

// fatal is what Fatal panics with, as it must not return.
type fatal struct{}

func (r *recorder) Helper()           {}
func (r *recorder) Cleanup(fn func()) { r.cleanups = append(r.cleanups, fn) }
func (r *recorder) Error(args ...any) { r.failures = append(r.failures, fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any) { r.Error(args...); panic(fatal{}) }
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// run runs fn as a test of its own, and returns how it failed.
func run(t *testing.T, fn func(t testing.TB)) []string {
	r := &recorder{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != (fatal{}) {
				panic(p)
			}
		}()
		fn(r)
	}()
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
	return r.failures
}

// Promise: when the test is over its store is closed, and nothing has failed.
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

// Promise: a test may close the store itself, and open the file again.
func TestStoreMayBeClosedEarlier(t *testing.T) {
	s := seshattest.OpenFile(t)
	if _, err := s.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"}); err != nil {
		t.Fatal(err)
	}
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

// Promise: nothing sweeps unless the options say so.
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

func TestMisuseFailsTheTest(t *testing.T) {
	for name, fn := range map[string]func(testing.TB){
		"two options": func(tb testing.TB) { seshattest.Open(tb, seshat.Options{}, seshat.Options{}) },
		"a clock":     func(tb testing.TB) { seshattest.Open(tb, seshat.Options{Now: time.Now}) },
		"an illegal option": func(tb testing.TB) {
			seshattest.Open(tb, seshat.Options{SweepEvery: -2})
		},
	} {
		if failures := run(t, fn); len(failures) != 1 {
			t.Errorf("%s: got %q, want one failure", name, failures)
		}
	}
}

// spoiled is an engine whose check and close go wrong.
type spoiled struct {
	*memdriver.Driver
	err error
}

func (s spoiled) Check(context.Context, int, driver.Visitor) (driver.Checked, error) {
	return driver.Checked{Findings: []driver.Finding{{Where: "session 1/\"s\"", What: "is spoiled"}}}, s.err
}

func (s spoiled) Close() error { return s.err }

// Promise: what Check finds fails the test, and so does an error of Close.
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
