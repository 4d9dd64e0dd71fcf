// Package seshattest opens stores for unit tests: in memory or in a file of
// the test, with a clock that the test moves, checked and closed when the test
// ends.
//
// Time stands still until the test calls [Clock.Advance], so a deadline is met
// to the millisecond and without waiting for it. The background sweeper is off
// unless the options ask for it: what has expired is invisible all the same,
// and [seshat.Store.Sweep] does the sweeper's work when the test wants it.
//
// [Store.MustTenant], [MustCreate], [MustAppend] and [MustGet] set a scene.
// [AssertLog] compares what was said with what should have been said.
// [Store.Reopen] closes a store in a file and opens it again. [Store.FailWrite]
// and [Store.FailRead] let the code under test meet a failing disk.
//
// # Concurrency
//
// A Store and its Clock may be used from any number of goroutines. Two things
// are for the test's own goroutine, as in package testing: functions that may
// end the test (all that take a testing.TB), and Reopen, beside which no other
// call may run.
package seshattest

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
	"github.com/seshatdb/seshat/driver/memdriver"
)

// Store is a store of one test, and its clock.
type Store struct {
	*seshat.Store
	Clock *Clock // stands still until the test moves it
	Path  string // its file; "" = in memory, or on an engine of the caller

	options seshat.Options // complete, for Reopen
	faults  *faults        // nil: the engine is the caller's
}

// Open opens a new store in memory. At most one Options may be given; its Now
// must be nil, as the store's time is that of its Clock, and its SweepEvery
// means Never if it is zero.
//
// When the test and its subtests are over, the store is checked: a finding of
// [seshat.Store.Check] fails the test. Then it is closed. A test may close it
// itself, and forgoes the check.
func Open(t testing.TB, o ...seshat.Options) *Store {
	t.Helper()
	return newStore(t, o, func(s *Store) error { return s.openMemory() })
}

// OpenFile is Open for a store in a file, in a directory that is removed when
// the test is over.
func OpenFile(t testing.TB, o ...seshat.Options) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seshat.db")
	return newStore(t, o, func(s *Store) error {
		s.Path = path
		return s.openFile()
	})
}

// OpenDriver is Open for a store on an engine, which the store closes.
func OpenDriver(t testing.TB, d driver.Driver, o ...seshat.Options) *Store {
	t.Helper()
	return newStore(t, o, func(s *Store) (err error) {
		s.Store, err = seshat.OpenDriver(d, s.options)
		return err
	})
}

// newStore opens a store, and checks and closes it when the test is over.
func newStore(t testing.TB, given []seshat.Options, open func(*Store) error) *Store {
	t.Helper()
	s := &Store{Clock: NewClock()}
	s.setOptions(t, given)
	if err := open(s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { CheckAndClose(t, s.Store) }) // which Reopen may have replaced
	return s
}

// setOptions takes the options given, if any, and completes them.
func (s *Store) setOptions(t testing.TB, given []seshat.Options) {
	t.Helper()
	switch {
	case len(given) > 1:
		t.Fatal("seshattest: more than one Options")
	case len(given) == 1:
		s.options = given[0]
	}
	if s.options.Now != nil && len(given) == 1 {
		t.Fatal("seshattest: Options.Now must be nil; move the store's Clock instead")
	}
	s.options.Now = s.Clock.Now
	if s.options.SweepEvery == 0 {
		s.options.SweepEvery = seshat.Never
	}
}

func (s *Store) openMemory() (err error) {
	s.faults = &faults{}
	s.Store, err = seshat.OpenDriver(newMemoryEngine(memdriver.Open(), s.faults), s.options)
	return err
}

// openFile opens the file twice, one store after the other, as only
// seshat.Open knows how to make an engine of a file and options. The first
// store runs no sweeper and goes away; the second owns the engine.
func (s *Store) openFile() error {
	quiet := s.options
	quiet.SweepEvery = seshat.Never
	first, err := seshat.Open(s.Path, quiet)
	if err != nil {
		return err
	}
	s.faults = &faults{}
	engine := newFileEngine(first.Driver().(*boltdriver.Driver), s.faults)
	s.Store, err = seshat.OpenDriver(engine, s.options)
	return err
}

// Reopen checks and closes a store in a file, unless the test has closed it,
// and opens it again: with o, or with the options that it had. The clock goes
// on from where it stands, and faults that were planned end.
//
// The Store stays the same variable. Tenants that the test holds belong to the
// store that was closed, and answer ErrClosed: get them again with MustTenant.
// A store in memory has nothing to open again, which fails the test.
func (s *Store) Reopen(t testing.TB, o ...seshat.Options) {
	t.Helper()
	if s.Path == "" {
		t.Fatal("seshattest: only a store of OpenFile can be opened again")
	}
	CheckAndClose(t, s.Store)
	s.setOptions(t, o)
	if err := s.openFile(); err != nil {
		t.Fatal(err)
	}
}

// Adopt takes over a store that the test opened itself, for which err is what
// opening it gave: it checks and closes the store when the test is over, as if
// Open had opened it. If err is not nil it ends the test.
func Adopt(t testing.TB, s *seshat.Store, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { CheckAndClose(t, s) })
}

// CheckAndClose fails t if the store's Check has findings, and closes it. A
// store that was closed is left alone.
func CheckAndClose(t testing.TB, s *seshat.Store) {
	t.Helper()
	report, err := s.Check(context.Background())
	if errors.Is(err, seshat.ErrClosed) {
		return
	}
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	for _, f := range report.Findings {
		t.Errorf("check: %s: %s", f.Where, f.What)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
