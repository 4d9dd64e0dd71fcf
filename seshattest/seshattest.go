// Package seshattest opens stores for unit tests: in memory or in a file of
// the test, with a clock that the test moves, checked and closed when the test
// ends.
//
// Time stands still until the test calls [Clock.Advance], so a deadline is met
// to the millisecond and without waiting for it. The background sweeper is off
// unless the options ask for it: what has expired is invisible all the same,
// and [seshat.Store.Sweep] does the sweeper's work when the test wants it.
package seshattest

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
)

// Store is a store of one test, and its clock.
type Store struct {
	*seshat.Store
	Clock *Clock // stands still until the test moves it
	Path  string // its file, to be opened again after Close; "" = in memory
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
	return open(t, o, seshat.OpenMemory)
}

// OpenFile is Open for a store in a file, in a directory that is removed when
// the test is over.
func OpenFile(t testing.TB, o ...seshat.Options) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seshat.db")
	s := open(t, o, func(o seshat.Options) (*seshat.Store, error) { return seshat.Open(path, o) })
	s.Path = path
	return s
}

// OpenDriver is Open for a store on an engine, which the store closes.
func OpenDriver(t testing.TB, d driver.Driver, o ...seshat.Options) *Store {
	t.Helper()
	return open(t, o, func(o seshat.Options) (*seshat.Store, error) { return seshat.OpenDriver(d, o) })
}

func open(t testing.TB, given []seshat.Options, open func(seshat.Options) (*seshat.Store, error)) *Store {
	t.Helper()
	var o seshat.Options
	switch {
	case len(given) > 1:
		t.Fatal("seshattest: more than one Options")
	case len(given) == 1:
		o = given[0]
	}
	if o.Now != nil {
		t.Fatal("seshattest: Options.Now must be nil; move the store's Clock instead")
	}
	s := &Store{Clock: NewClock()}
	o.Now = s.Clock.Now
	if o.SweepEvery == 0 {
		o.SweepEvery = seshat.Never
	}
	var err error
	if s.Store, err = open(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { CheckAndClose(t, s.Store) })
	return s
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
