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

// Fault is a failure of the engine under a store, planned by a test.
type Fault struct {
	// Nth says which write (or read) fails, counted from the moment at which
	// the fault is planned: 1 is the next one, and so is 0.
	Nth int

	// Err is what it fails with. What real engines answer:
	//   - seshat.ErrUnknown: the write happened or it did not
	//   - seshat.ErrFailed: refused, as an earlier write failed; use Sticky
	//   - seshat.ErrCorrupt: what was read is damaged
	//   - an error of the file system, such as syscall.ENOSPC
	// Required, unless Lost is set.
	Err error

	// Sticky makes all later writes (or reads) fail too, until Cancel or
	// Reopen.
	Sticky bool

	// Lost makes the write happen all the same; only its answer is lost. Err
	// must be nil or match seshat.ErrUnknown, which it then is by default.
	Lost bool
}

// FailWrite plans that a write of the store fails. Unless the fault is Lost,
// the write changes nothing. Two or more faults may be planned at a time.
//
// Each call of a method that writes one session or namespace is one write,
// whether it would succeed or not. Methods that work in steps (Sweep,
// ApplyPolicy, DeleteUser, DeleteNamespace, a long Fork) make several, and so
// does the sweeper, if it runs.
//
// A fault that was not reached when the test ends fails the test, as it proved
// nothing; Cancel prevents that.
func (s *Store) FailWrite(t testing.TB, f Fault) *Injection {
	t.Helper()
	return s.plan(t, f, true)
}

// FailRead plans that a read of the store fails. One call of the store may read
// more than once, and not at all what it has in memory. To let each read of a
// call fail in turn, plan Nth = 1, 2, 3 … until Cancel reports that the fault
// was not reached. Check, Backup and Compact are not counted as reads.
//
// A fault that was not reached when the test ends fails the test.
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

// Injection is a fault that was planned for a store.
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

// Cancel ends the fault, and reports whether it was not reached. The test may
// then end without it.
func (i *Injection) Cancel() (unreached bool) {
	unreached = i.remove()
	i.faults.mu.Lock()
	defer i.faults.mu.Unlock()
	i.canceled = true
	return unreached
}

// remove takes the fault from its store, and reports whether it was not
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

// faults are those planned for one engine.
type faults struct {
	any     atomic.Bool // whether some are planned: without, calls share no lock
	mu      sync.Mutex
	planned []*Injection
}

func (f *faults) add(i *Injection) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.planned = append(f.planned, i)
	f.any.Store(true)
}

// next counts a call, and returns the fault that it meets, if any.
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

// read returns the error that a read meets.
func (f *faults) read(ctx context.Context) error {
	met, _ := f.next(ctx, false)
	return met.Err
}
