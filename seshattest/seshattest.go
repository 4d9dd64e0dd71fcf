// Package seshattest opens stores for unit tests, in memory or in a file. The
// test moves the store's clock. When the test ends, the store is checked and
// closed.
//
// Time stands still until the test calls [Clock.Advance], so a test reaches a
// deadline to the millisecond and without waiting. The background sweeper is
// off unless the options enable it. Expired sessions are invisible all the
// same, and [seshat.Store.Sweep] does the sweeper's work when the test calls
// it.
//
// [Store.MustTenant], [MustCreate], [MustAppend] and [MustGet] set up data and
// read it. [AssertLog] compares a log with the wanted one. [Store.Reopen]
// closes a store in a file and opens it again. [Store.FailWrite] and
// [Store.FailRead] simulate a failing disk.
//
// # Concurrency
//
// Any number of goroutines may use a Store and its Clock. As in package
// testing, only the test's own goroutine may call functions that can end the
// test (all that take a testing.TB). No other call may run during Reopen.
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

// Store is a store of one test, with its clock.
type Store struct {
	*seshat.Store
	Clock *Clock // stands still until the test moves it
	Path  string // "" = in memory, or on an engine of the caller

	options seshat.Options // with defaults, for Reopen
	faults  *faults        // nil = the engine is the caller's
}

// Open opens a new store in memory. At most one Options may be given. Its Now
// must be nil, because the store uses its Clock. If its SweepEvery is zero, it
// means Never.
//
// When the test and its subtests end, the store is checked and closed. A
// finding of [seshat.Store.Check] fails the test. If the test closes the store
// itself, there is no check.
func Open(t testing.TB, o ...seshat.Options) *Store {
	t.Helper()
	return newStore(t, o, func(s *Store) error { return s.openMemory() })
}

// OpenFile is like Open, but the store is in a file in a directory that is
// removed when the test ends.
func OpenFile(t testing.TB, o ...seshat.Options) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seshat.db")
	return newStore(t, o, func(s *Store) error {
		s.Path = path
		return s.openFile()
	})
}

// OpenDriver is like Open, but the store uses d and closes it.
func OpenDriver(t testing.TB, d driver.Driver, o ...seshat.Options) *Store {
	t.Helper()
	return newStore(t, o, func(s *Store) (err error) {
		s.Store, err = seshat.OpenDriver(d, s.options)
		return err
	})
}

// newStore opens a store, and checks and closes it when the test ends.
func newStore(t testing.TB, given []seshat.Options, open func(*Store) error) *Store {
	t.Helper()
	s := &Store{Clock: NewClock()}
	s.setOptions(t, given)
	if err := open(s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { CheckAndClose(t, s.Store) }) // Reopen may have replaced s.Store
	return s
}

// setOptions stores the given options, if any, with defaults added.
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

// openFile opens the file twice in sequence, because only seshat.Open can make
// an engine from a file and options. The first store runs no sweeper and is
// dropped. The second store owns the engine.
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
// and opens it again with o or, without o, with its old options. The clock
// keeps its time, and planned faults end.
//
// The Store variable stays the same. The test's tenants belong to the closed
// store and return ErrClosed: get them again with MustTenant. On a store in
// memory, Reopen fails the test.
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

// Adopt takes over a store that the test opened with the error err. It checks
// and closes the store when the test ends, like Open. If err is not nil, it
// ends the test.
func Adopt(t testing.TB, s *seshat.Store, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { CheckAndClose(t, s) })
}

// CheckAndClose fails t if the store's Check has findings, and closes the
// store. It ignores a store that is closed.
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
