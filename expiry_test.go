package seshat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
)

// overdue returns a store with n expired sessions.
func overdue(t *testing.T, n int, o Options) (*Store, *Tenant) {
	t.Helper()
	now := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	if o.Now == nil {
		o.Now = func() time.Time { return now }
	}
	if o.SweepEvery == 0 {
		o.SweepEvery = Never
	}
	s, err := OpenMemory(o) // by hand: tests spoil some of its sessions, see spoil
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	tenant := mustTenant(t, s)
	for i := range n {
		l := Lifecycle{TTL: time.Minute}
		if _, err := tenant.Create(t.Context(), NewSession{ID: fmt.Sprint(i), Lifecycle: l}); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(time.Minute)
	return s, tenant
}

func sweepOf(t *testing.T, s *Store, o SweepOptions) SweepReport {
	t.Helper()
	r, err := s.Sweep(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// jump simulates a jump of the machine's clock.
func jump(s *Store, by time.Duration) {
	s.sweep.mu.Lock() // the sweeper holds it to read the clock
	defer s.sweep.mu.Unlock()
	s.clock.Jump = func() time.Duration { return by }
}

// Promise: after the clock jumps ahead by more than an hour, nothing is
// reclaimed until somebody confirms the new time.
func TestClockJumpStopsTheSweep(t *testing.T) {
	s, tenant := overdue(t, 3, Options{})
	jump(s, 2*time.Hour)
	for range 2 {
		if r := sweepOf(t, s, SweepOptions{}); r.ClockJump != 2*time.Hour || r.Expired != 0 || r.Chunks != 0 {
			t.Fatalf("got %+v, want nothing done", r)
		}
	}
	if st, err := s.Stats(t.Context()); err != nil || !st.SweepPaused {
		t.Fatalf("stats: got %+v, %v, want paused", st, err)
	}
	if r := sweepOf(t, s, SweepOptions{DryRun: true}); len(r.Due) != 3 {
		t.Fatalf("dry run: got %+v", r)
	}
	if n, err := tenant.Count(t.Context(), Query{}); err != nil || n != 0 {
		t.Fatalf("count: got %d, %v", n, err)
	}
	if r := sweepOf(t, s, SweepOptions{AcceptClock: true}); r.Expired != 3 || r.ClockJump != 0 {
		t.Fatalf("with AcceptClock: got %+v", r)
	}
	if r := sweepOf(t, s, SweepOptions{}); r.ClockJump != 0 {
		t.Fatalf("after AcceptClock: got %+v", r)
	}
	if st, err := s.Stats(t.Context()); err != nil || st.SweepPaused {
		t.Fatalf("stats: got %+v, %v, want not paused", st, err)
	}
	jump(s, 3*time.Hour+1) // another one
	if r := sweepOf(t, s, SweepOptions{}); r.ClockJump != time.Hour+1 {
		t.Fatalf("after another jump: got %+v", r)
	}
}

func TestClockJumpAtItsBoundary(t *testing.T) {
	for by, swept := range map[time.Duration]int{
		time.Hour: 2, time.Hour + 1: 0, -5 * time.Hour: 2, 0: 2,
	} {
		s, _ := overdue(t, 2, Options{})
		jump(s, by)
		if r := sweepOf(t, s, SweepOptions{}); r.Expired != swept {
			t.Errorf("jump of %v: %d expired, want %d", by, r.Expired, swept)
		}
	}
}

// Jumps are detected only for the machine's own clock, because only that can be
// compared with the monotonic clock.
func TestClockJumpIsOfTheMachine(t *testing.T) {
	s, _ := overdue(t, 0, Options{})
	if s.clock.Jump != nil {
		t.Error("a store with a clock of its host's watches the machine's")
	}
	s, err := OpenMemory(Options{})
	adopt(t, s, err)
	if s.clock.Jump == nil {
		t.Fatal("a store on the machine's clock does not watch it")
	}
	if j := s.clock.Jump(); j < -time.Minute || j > time.Minute {
		t.Errorf("the clock jumped by %v in no time", j)
	}
}

func TestBackgroundSweepReportsJumpAndFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var reports []SweepReport
		s, tenant := overdue(t, 1, Options{
			Now: time.Now, SweepEvery: time.Minute, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			OnSweep: func(r SweepReport) { reports = append(reports, r) },
		})
		jump(s, 3*time.Hour)
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(reports) != 1 || reports[0].ClockJump != 3*time.Hour || !strings.Contains(log.String(), "level=ERROR") {
			t.Fatalf("got reports %+v, log %s", reports, &log)
		}
		jump(s, 0)
		log.Reset()
		spoil(t, tenant, "0")
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(reports) != 2 || reports[1].Failed != 1 || !strings.Contains(log.String(), "level=WARN") {
			t.Fatalf("got reports %+v, log %s", reports, &log)
		}
		log.Reset()
		if err := s.d.Close(); err != nil { // under the store, as an engine that fails
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(reports) != 3 || !errors.Is(reports[2].Err, ErrClosed) ||
			!strings.Contains(log.String(), "level=ERROR") {
			t.Fatalf("got reports %+v, log %s", reports, &log)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// spoil makes the session's body undecodable. The session is due but not
// expired.
func spoil(t *testing.T, tenant *Tenant, id string) {
	t.Helper()
	target := driver.Target{Key: driver.Key{Namespace: tenant.ordinal, ID: id}}
	err := tenant.store.mutate(t.Context(), target, func(v driver.View) (driver.Change, error) {
		r := *v.Record
		r.Body = []byte{0xc1}
		r.Expires = driver.Never
		r.Due = 1
		return driver.Change{Put: &r}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Promise: a session that cannot be swept does not keep others from being
// swept.
func TestSweepGoesOnAfterAFailure(t *testing.T) {
	s, tenant := overdue(t, 5, Options{})
	spoil(t, tenant, "2")
	for _, want := range []struct {
		SweepOptions
		expired int
	}{{SweepOptions{DryRun: true}, 4}, {SweepOptions{}, 4}, {SweepOptions{}, 0}} {
		r := sweepOf(t, s, want.SweepOptions)
		if r.Expired != want.expired || r.Failed != 1 || !errors.Is(r.Err, ErrCorrupt) {
			t.Fatalf("got %+v, want %d expired and one failed", r, want.expired)
		}
	}
	if _, err := tenant.Get(t.Context(), "2"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("get: got error %v, want %v", err, ErrCorrupt)
	}
	for _, call := range []func() error{
		func() error { _, err := tenant.Touch(t.Context(), "2"); return err },
		func() error { _, err := tenant.List(t.Context(), Query{}); return err },
		func() error { _, _, err := tenant.Ensure(t.Context(), NewSession{ID: "2"}); return err },
	} {
		if err := call(); !errors.Is(err, ErrCorrupt) {
			t.Errorf("got error %v, want %v", err, ErrCorrupt)
		}
	}
}

// stale is an engine that returns every due entry it ever had, like a sweep
// sees them if calls run between its read and its write.
type stale struct {
	driver.Driver
	due []driver.Due
}

func (s *stale) Due(_ context.Context, q driver.DueQuery) ([]driver.Due, error) {
	if q.After != nil {
		return nil, nil
	}
	return s.due, nil
}

// Promise: a sweep decides inside its write. It leaves a session that was
// removed or extended after it was listed.
func TestSweepDecidesInsideItsWrite(t *testing.T) {
	d := &stale{Driver: memdriver.Open()}
	s, err := OpenDriver(d, Options{SweepEvery: Never})
	adopt(t, s, err)
	tenant := mustTenant(t, s)
	if _, err := tenant.Create(t.Context(), NewSession{ID: "extended"}); err != nil {
		t.Fatal(err)
	}
	before, err := tenant.loadStored(t.Context(), "extended")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"extended", "removed"} {
		d.due = append(d.due, driver.Due{At: 1, Key: driver.Key{Namespace: tenant.ordinal, ID: id}})
	}
	if r := sweepOf(t, s, SweepOptions{}); r.Expired+r.Idled+r.Archived+r.Rescheduled+r.Failed != 0 {
		t.Errorf("got %+v, want nothing done", r)
	}
	if got, err := tenant.loadStored(t.Context(), "extended"); err != nil || got.filedDue != before.filedDue {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Promise: after a slow transaction, the sweep uses smaller ones, down to one
// session. After a quick one, it uses larger ones, up to a bound.
func TestSweepSizesItsTransactions(t *testing.T) {
	w := sweepRun{chunk: firstChunk}
	for i, tt := range []struct {
		took time.Duration
		want int
	}{
		{time.Millisecond, 128},
		{quickChunk, 128},
		{slowChunk, 128},
		{slowChunk + 1, 64},
		{time.Second, 32},
		{time.Second, 16},
		{time.Second, 8},
		{time.Second, 4},
		{time.Second, 2},
		{time.Second, 1},
		{time.Second, 1},
		{0, 2},
	} {
		if err := w.pause(t.Context(), tt.took); err != nil || w.chunk != tt.want {
			t.Fatalf("step %d: after %v got %d, %v, want %d", i, tt.took, w.chunk, err, tt.want)
		}
	}
	for range 20 {
		_ = w.pause(t.Context(), 0)
	}
	if w.chunk != driver.MaxOps {
		t.Errorf("the largest is %d, want %d", w.chunk, driver.MaxOps)
	}
}

// Promise: the background sweeper rests as long as it worked, unless it must
// stop.
func TestSweepRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sweepRun{chunk: firstChunk, rest: 1}
		start := time.Now()
		if err := w.pause(t.Context(), 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if rested := time.Since(start); rested != 20*time.Millisecond {
			t.Errorf("rested %v after 20ms of work", rested)
		}
		if w.r.Took != 20*time.Millisecond {
			t.Errorf("Took is %v, want it without the rest", w.r.Took)
		}
	})
}

// Promise: a sweep waits until a running sweep or its own context ends.
func TestOneSweepAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := overdue(t, 1, Options{})
		unlock, err := s.sweep.lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := s.Sweep(t.Context(), SweepOptions{})
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("a second sweep did not wait: %v", err)
		default:
		}
		unlock()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

// counted is an engine that counts its reads of entries.
type counted struct {
	driver.Driver
	entries int
}

func (c *counted) Entries(ctx context.Context, q driver.EntryQuery) ([]driver.Entry, error) {
	c.entries++
	return c.Driver.Entries(ctx, q)
}

// Promise: the cost of a dry run depends on the number of due sessions, not on
// the number of namespaces.
func TestPreviewReadsWhatIsDue(t *testing.T) {
	d := &counted{Driver: memdriver.Open()}
	now := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	s, err := OpenDriver(d, Options{SweepEvery: Never, Now: func() time.Time { return now }})
	adopt(t, s, err)
	const namespaces = 3*namespacePage + 1
	var tenants []*Tenant
	for i := range namespaces {
		now = now.Add(time.Millisecond) // ids ascend by it
		tenant, err := s.EnsureTenant(t.Context(), Namespace{Name: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
		tenants = append(tenants, tenant)
	}
	preview := func(what string, due, entries int) {
		t.Helper()
		d.entries = 0
		r := sweepOf(t, s, SweepOptions{DryRun: true})
		if len(r.Due) != due || d.entries != entries {
			t.Errorf("%s: got %d due and %d reads of entries, want %d and %d", what, len(r.Due), d.entries, due,
				entries)
		}
		for _, due := range r.Due {
			if due.NamespaceID != tenants[0].id && due.NamespaceID != tenants[namespaces-1].id {
				t.Errorf("%s: namespace %q of session %q", what, due.NamespaceID, due.SessionID)
			}
		}
	}
	preview("nothing due", 0, 0)
	for _, tenant := range []*Tenant{tenants[0], tenants[namespaces-1]} {
		n := NewSession{ID: tenant.id, Lifecycle: Lifecycle{TTL: time.Minute}}
		if _, err := tenant.Create(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	preview("not due yet", 0, 0)
	now = now.Add(time.Minute)
	preview("of tenants that are known", 2, 0)
	s.knownIDs = knownIDs{}
	preview("of tenants that nobody opened", 2, 4)
	preview("once more", 2, 0)
	s.knownIDs = knownIDs{}
	if _, err := tenants[namespaces-1].DeleteNamespace(t.Context()); err != nil {
		t.Fatal(err)
	}
	preview("of a tenant in the first page", 1, 1)
}

// Promise: a process that opens many tenants does not remember all their ids.
func TestKnownIDsAreBounded(t *testing.T) {
	var k knownIDs
	for i := range uint64(3 * maxKnownIDs) {
		k.add(&Namespace{ordinal: i, ID: fmt.Sprint(i)})
		if len(k.ids) > maxKnownIDs || k.ids[i] != fmt.Sprint(i) {
			t.Fatalf("after %d: %d are known", i+1, len(k.ids))
		}
	}
}
