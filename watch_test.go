package seshat_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/seshattest"
)

// watched runs a watch in a goroutine.
type watched struct {
	mu     sync.Mutex // guards the fields below
	events []seshat.Event
	err    error
	ended  bool
}

func watch(ctx context.Context, tn *seshat.Tenant, since uint64) *watched {
	w := &watched{}
	go func() {
		for e, err := range tn.Watch(ctx, since) {
			w.note(e, err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = true
	}()
	return w
}

func (w *watched) note(e seshat.Event, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err = err; err == nil {
		w.events = append(w.events, e)
	}
}

// kinds returns the events of the watch when all goroutines are idle.
func (w *watched) kinds() (kinds []seshat.EventKind) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (w *watched) over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended
}

// endsWith fails unless the watch ends with want without time passing.
func (w *watched) endsWith(t *testing.T, want error) {
	t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended || !errors.Is(w.err, want) {
		t.Errorf("watch ended: %v, with %v; want %v", w.ended, w.err, want)
	}
}

// In a bubble, time stands still while any goroutine can run, and a goroutine
// that remains fails the test. So the tests below prove that watches wake
// without polling and leave nothing behind.

func TestWatchWakesAtOnceWithoutPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := seshat.OpenMemory(seshat.Options{SweepEvery: seshat.Never})
		tn := openTenant(t, s, err)
		ctx, cancel := context.WithCancel(t.Context())
		watches := []*watched{watch(ctx, tn, 0), watch(ctx, tn, 0)}
		start := time.Now()
		synctest.Wait()
		for i := range 3 {
			seshattest.MustCreate(t, tn, seshat.NewSession{})
			for _, w := range watches {
				if n := len(w.kinds()); n != i+1 {
					t.Fatalf("after %d changes the watch has seen %d", i+1, n)
				}
			}
		}
		if !time.Now().Equal(start) {
			t.Error("a watch waited for time to pass")
		}
		cancel()
		for _, w := range watches {
			w.endsWith(t, context.Canceled)
		}
	})
}

func TestWatchSeesTheSweeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := seshat.OpenMemory(seshat.Options{SweepEvery: time.Second})
		tn := openTenant(t, s, err)
		life := seshat.Lifecycle{IdleAfter: time.Minute, TTL: time.Hour}
		seshattest.MustCreate(t, tn, seshat.NewSession{Lifecycle: life})
		w := watch(t.Context(), tn, 1)
		time.Sleep(time.Minute + 2*time.Second)
		if k := w.kinds(); len(k) != 1 || k[0] != seshat.EventTransitioned {
			t.Fatalf("after idling: %v", k)
		}
		time.Sleep(time.Hour)
		if k := w.kinds(); len(k) != 2 || k[1] != seshat.EventExpired {
			t.Fatalf("after expiry: %v", k)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		w.endsWith(t, seshat.ErrClosed)
	})
}

func TestWatchEndsWithWhatItWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := seshat.OpenMemory(seshat.Options{SweepEvery: seshat.Never})
		tn := openTenant(t, s, err)
		other, err := s.EnsureTenant(t.Context(), seshat.Namespace{Name: "other"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		deleted := watch(t.Context(), tn, 0)
		late := watch(ctx, other, 0)
		closed := watch(t.Context(), other, 0)
		synctest.Wait()
		if _, err := tn.DeleteNamespace(t.Context()); err != nil {
			t.Fatal(err)
		}
		deleted.endsWith(t, seshat.ErrNotFound)
		time.Sleep(time.Minute)
		late.endsWith(t, context.DeadlineExceeded)
		if closed.kinds() != nil || closed.over() {
			t.Fatal("a watch ended with another's reason")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		closed.endsWith(t, seshat.ErrClosed)
	})
}

func TestSlowWatchHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := seshat.OpenMemory(seshat.Options{SweepEvery: seshat.Never})
		tn := openTenant(t, s, err)
		for range 4 {
			seshattest.MustCreate(t, tn, seshat.NewSession{})
		}
		stuck := make(chan struct{})
		seen := 0
		go func() {
			for _, err := range tn.Watch(t.Context(), 0) {
				if err != nil {
					t.Error(err)
					return
				}
				<-stuck
				if seen++; seen == 4 {
					return
				}
			}
		}()
		synctest.Wait()
		quick := watch(t.Context(), tn, 0)
		for range 3 {
			seshattest.MustCreate(t, tn, seshat.NewSession{})
		}
		if n := len(quick.kinds()); n != 7 {
			t.Fatalf("the quick watch has seen %d", n)
		}
		if err := s.Close(); err != nil { // does not wait for the loop body
			t.Fatal(err)
		}
		quick.endsWith(t, seshat.ErrClosed)
		close(stuck)
		synctest.Wait()
		if seen != 4 {
			t.Errorf("the slow watch lost what it had read: %d of 4", seen)
		}
	})
}

// shared is a driver whose data another store may change.
type shared struct{ *memdriver.Driver }

func (d shared) Caps() driver.Caps {
	c := d.Driver.Caps()
	c.Shared = true
	return c
}

// notified is a shared driver that reports those changes.
type notified struct {
	shared
	tell *func(uint64)
}

func (d notified) Notify(fn func(uint64)) { *d.tell = fn }

// openTwo opens two stores on the same data.
func openTwo(t *testing.T, d driver.Driver) (a, b *seshat.Store) {
	t.Helper()
	a, err := seshat.OpenDriver(d, seshat.Options{SweepEvery: seshat.Never})
	must(t, err) // by hand: openTenant adopts it
	b, err = seshat.OpenDriver(d, seshat.Options{SweepEvery: seshat.Never})
	must(t, err)
	return a, b
}

func TestWatchSeesOtherProcessesWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := openTwo(t, shared{memdriver.Open()})
		here := openTenant(t, a, nil)
		there := openTenant(t, b, nil)
		w := watch(t.Context(), here, 0)
		synctest.Wait()
		seshattest.MustCreate(t, there, seshat.NewSession{})
		time.Sleep(time.Second)
		if n := len(w.kinds()); n != 1 {
			t.Fatalf("after a second the watch has seen %d", n)
		}
		seshattest.MustCreate(t, here, seshat.NewSession{})
		if n := len(w.kinds()); n != 2 {
			t.Fatal("the store's own change had to wait")
		}
		if err := errors.Join(a.Close(), b.Close()); err != nil {
			t.Fatal(err)
		}
		w.endsWith(t, seshat.ErrClosed)
	})
}

func TestWatchListensToADriverThatNotifies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tell := new(func(uint64))
		a, b := openTwo(t, notified{shared{memdriver.Open()}, tell})
		here := openTenant(t, a, nil)
		there := openTenant(t, b, nil)
		if *tell != nil {
			t.Fatal("the store listens before anybody watches")
		}
		w := watch(t.Context(), here, 0)
		synctest.Wait()
		seshattest.MustCreate(t, there, seshat.NewSession{})
		time.Sleep(time.Hour)
		if n := len(w.kinds()); n != 0 {
			t.Fatal("the store polls although its driver notifies")
		}
		for i, ns := range []uint64{1, 0} { // the first namespace, and any
			(*tell)(ns)
			if n := len(w.kinds()); n != i+1 {
				t.Fatalf("after %d notices the watch has seen %d", i+1, n)
			}
			seshattest.MustCreate(t, there, seshat.NewSession{})
		}
		if err := errors.Join(a.Close(), b.Close()); err != nil {
			t.Fatal(err)
		}
		w.endsWith(t, seshat.ErrClosed)
	})
}

// unsure is a driver that commits and then returns ErrUnknown.
type unsure struct{ *memdriver.Driver }

func (d unsure) Mutate(ctx context.Context, ops ...*driver.Op) error {
	if err := d.Driver.Mutate(ctx, ops...); err != nil {
		return err
	}
	for _, o := range ops {
		o.Err = driver.ErrUnknown
	}
	return driver.ErrUnknown
}

func TestWatchSeesWhatAnUnknownOutcomeWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := memdriver.Open()
		a, err := seshat.OpenDriver(d, seshat.Options{SweepEvery: seshat.Never})
		openTenant(t, a, err)
		s, err := seshat.OpenDriver(unsure{d}, seshat.Options{SweepEvery: seshat.Never})
		tn := openTenant(t, s, err)
		w := watch(t.Context(), tn, 0)
		synctest.Wait()
		if _, err := tn.Create(t.Context(), seshat.NewSession{}); !errors.Is(err, seshat.ErrUnknown) {
			t.Fatalf("got %v, want ErrUnknown", err)
		}
		if n := len(w.kinds()); n != 1 {
			t.Errorf("the watch has seen %d", n)
		}
		if err := errors.Join(a.Close(), s.Close()); err != nil {
			t.Fatal(err)
		}
		w.endsWith(t, seshat.ErrClosed)
	})
}
