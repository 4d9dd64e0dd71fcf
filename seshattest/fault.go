package seshattest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seshatdb/seshat"
)

// Fault is a failure of a store's engine that a test plans.
type Fault struct {
	// Nth is the number of the write (or read) that fails, counted from the
	// moment at which the fault is planned. 1 is the next one. 0 means 1.
	Nth int

	// Err is the error of the call. It is required, unless Lost is set. Real
	// engines return:
	//   - seshat.ErrUnknown: the write may have happened
	//   - seshat.ErrFailed: an earlier write failed; use Sticky
	//   - seshat.ErrCorrupt: the read data is damaged
	//   - an error of the file system, such as syscall.ENOSPC
	Err error

	// Sticky makes all later writes (or reads) fail too, until Cancel or
	// Reopen.
	Sticky bool

	// Lost lets the write happen and loses only its answer. Err must then be
	// nil or match seshat.ErrUnknown. nil means seshat.ErrUnknown.
	Lost bool
}

// FailWrite makes a later write of the store fail. The write changes nothing,
// unless the fault is Lost. Several faults may be planned at the same time.
//
// Each call of a method that writes one session or namespace counts as one
// write, whether it would succeed or not. Methods that work in steps (Sweep,
// ApplyPolicy, DeleteUser, DeleteNamespace, a long Fork) make several writes.
// So does the sweeper, if it runs.
//
// If the test ends before the fault is reached, the test fails, because it
// proved nothing. Cancel prevents that.
func (s *Store) FailWrite(t testing.TB, f Fault) *Injection {
	t.Helper()
	return s.plan(t, f, true)
}

// FailRead makes a later read of the store fail. A call of the store may read
// several times, or not at all if its data is cached. To fail each read of a
// call in turn, plan Nth = 1, 2, 3 and so on, until Cancel reports that the
// fault was not reached. Check, Backup and Compact do not count as reads.
//
// If the test ends before the fault is reached, the test fails.
func (s *Store) FailRead(t testing.TB, f Fault) *Injection {
	t.Helper()
	if f.Lost {
		t.Fatal("seshattest: only a write can be Lost")
	}
	return s.plan(t, f, false)
}

func (s *Store) plan(t testing.TB, f Fault, write bool) *Injection {
	t.Helper()
	if f.Lost && f.Err == nil {
		f.Err = seshat.ErrUnknown
	}
	switch {
	case s.faults == nil:
		t.Fatal("seshattest: faults need a store of Open or OpenFile")
	case f.Nth < 0:
		t.Fatal("seshattest: Fault.Nth is negative")
	case f.Err == nil:
		t.Fatal("seshattest: Fault.Err is nil")
	case f.Lost && !errors.Is(f.Err, seshat.ErrUnknown):
		t.Fatal("seshattest: the outcome of a Lost write is unknown: Fault.Err must be nil or ErrUnknown")
	}
	i := &Injection{fault: f, faults: s.faults, write: write}
	s.faults.add(i)
	t.Cleanup(func() {
		if unreached := i.remove(); unreached && !i.canceled {
			t.Errorf("seshattest: a planned fault was not reached: %s %d was to fail with %v, and there were %d",
				i.kind(), max(f.Nth, 1), f.Err, i.seen)
		}
	})
	return i
}

// Injection is a planned fault of a store.
type Injection struct {
	fault  Fault
	faults *faults
	write  bool

	// Guarded by faults.mu.
	seen     int // calls since it was planned
	fired    bool
	canceled bool
}

// Fired reports whether the fault was reached.
func (i *Injection) Fired() bool {
	i.faults.mu.Lock()
	defer i.faults.mu.Unlock()
	return i.fired
}

// Cancel ends the fault and reports whether it was not reached. After Cancel,
// an unreached fault does not fail the test.
func (i *Injection) Cancel() (unreached bool) {
	unreached = i.remove()
	i.faults.mu.Lock()
	defer i.faults.mu.Unlock()
	i.canceled = true
	return unreached
}

// remove removes the fault from its store and reports whether it was not
// reached.
func (i *Injection) remove() (unreached bool) {
	i.faults.mu.Lock()
	defer i.faults.mu.Unlock()
	i.faults.planned = slices.DeleteFunc(i.faults.planned, func(p *Injection) bool { return p == i })
	i.faults.any.Store(len(i.faults.planned) > 0)
	return !i.fired
}

func (i *Injection) kind() string {
	if i.write {
		return "write"
	}
	return "read"
}

// faults are the planned faults of one engine.
type faults struct {
	any     atomic.Bool // whether any fault is planned; if not, calls take no lock
	mu      sync.Mutex
	planned []*Injection
}

func (f *faults) add(i *Injection) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.planned = append(f.planned, i)
	f.any.Store(true)
}

// next counts a call and returns the fault for it, if any.
func (f *faults) next(ctx context.Context, write bool) (met Fault, ok bool) {
	if !f.any.Load() || ctx.Err() != nil {
		return Fault{}, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, i := range f.planned {
		if i.write != write {
			continue
		}
		i.seen++
		nth := max(i.fault.Nth, 1)
		if i.seen == nth || i.fault.Sticky && i.seen > nth {
			i.fired = true
			if !ok {
				met = i.fault
				ok = true
			}
		}
	}
	return met, ok
}

// read returns the error for a read, if any.
func (f *faults) read(ctx context.Context) error {
	met, _ := f.next(ctx, false)
	return met.Err
}
