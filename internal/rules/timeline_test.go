package rules

import (
	"math/rand/v2"
	"testing"
)

const minute int64 = 60_000

// forever is a life in which nothing ever comes due.
func forever() Lifecycle {
	return Lifecycle{
		TTL: Never, MaxLifetime: Never, IdleAfter: Never, ArchiveAfter: Never, Retention: Never,
	}
}

// begun is a course of an active session, written at its creation.
func begun(at int64, l Lifecycle) Timeline {
	c := Timeline{Lifecycle: l, Status: Active, StatusAt: at, Created: at, Active: at, MaxAge: Never}
	c.RecordWrite(at)
	return c
}

func TestAfter(t *testing.T) {
	for _, tt := range []struct{ t, d, want int64 }{
		{0, 0, 0},
		{5, 7, 12},
		{Never, 1, Never},
		{1, Never, Never},
		{Never - 1, 1, Never},
		{Never - 1, 2, Never}, // would overflow
		{Never - 5, 3, Never - 2},
	} {
		if got := After(tt.t, tt.d); got != tt.want {
			t.Errorf("After(%d, %d): got %d, want %d", tt.t, tt.d, got, tt.want)
		}
	}
}

// An endCase is a session created at 1000, what happens to it, and the moment
// at which it ends.
type endCase struct {
	life func(*Lifecycle)
	age  int64 // maximum age by quota, 0 = none
	do   func(*Timeline)
	want int64
}

func terminateAt(at int64) func(*Timeline) {
	return func(c *Timeline) { c.SetStatus(Terminated, at) }
}

func writeAt(at int64) func(*Timeline) {
	return func(c *Timeline) { c.RecordWrite(at) }
}

var endCases = map[string]endCase{
	"never":             {want: Never},
	"absolute":          {life: func(l *Lifecycle) { l.TTL = 50 }, want: 1050},
	"absolute, written": {life: func(l *Lifecycle) { l.TTL = 50 }, do: writeAt(1040), want: 1050},
	"sliding":           {life: func(l *Lifecycle) { l.TTL, l.Sliding = 50, true }, want: 1050},
	"sliding, written": {
		life: func(l *Lifecycle) { l.TTL, l.Sliding = 50, true }, do: writeAt(1040),
		want: 1090,
	},
	"sliding, capped": {
		life: func(l *Lifecycle) { l.TTL, l.Sliding, l.MaxLifetime = 50, true, 70 },
		do:   writeAt(1040), want: 1070,
	},
	"sliding, capped by quota": {
		life: func(l *Lifecycle) { l.TTL, l.Sliding, l.MaxLifetime = 50, true, 70 },
		age:  60, do: writeAt(1040), want: 1060,
	},
	"no TTL, capped":          {life: func(l *Lifecycle) { l.MaxLifetime = 70 }, want: 1070},
	"no TTL, capped by quota": {age: 60, want: 1060},
	"terminated": {
		life: func(l *Lifecycle) { l.TTL, l.Retention = 50, 100 },
		do:   terminateAt(1010), want: 1110,
	},
	"terminated, kept": {life: func(l *Lifecycle) { l.TTL = 50 }, do: terminateAt(1010), want: Never},
	"terminated, sliding": {
		life: func(l *Lifecycle) { l.TTL, l.Sliding, l.Retention = 50, true, 5 },
		do:   terminateAt(1010), want: 1015,
	},
	"terminated, capped": {
		life: func(l *Lifecycle) { l.Retention, l.MaxLifetime = 100, 70 },
		do:   terminateAt(1010), want: 1070,
	},
	"archived slides from the move": {
		life: func(l *Lifecycle) { l.TTL, l.Sliding = 50, true },
		do:   func(c *Timeline) { c.SetStatus(Archived, 1020) }, want: 1070,
	},
	"idled by time does not slide": {
		life: func(l *Lifecycle) { l.TTL, l.Sliding, l.IdleAfter = 50, true, 10 },
		do:   func(c *Timeline) { c.ApplyDue(1049) }, want: 1050,
	},
	"a shorter life takes effect": {
		life: func(l *Lifecycle) { l.TTL = 50 },
		do:   func(c *Timeline) { c.Lifecycle.TTL = 5; c.Refresh() }, want: 1005,
	},
	"no time at all": {life: func(l *Lifecycle) { l.TTL = 0 }, want: 1000},
}

func TestExpires(t *testing.T) {
	for name, tt := range endCases {
		l := forever()
		if tt.life != nil {
			tt.life(&l)
		}
		c := begun(1000, l)
		if tt.age > 0 {
			c.MaxAge = tt.age
			c.Refresh()
		}
		if tt.do != nil {
			tt.do(&c)
		}
		if c.Expires != tt.want {
			t.Errorf("%s: got end %d, want %d", name, c.Expires, tt.want)
		}
		if tt.want != Never && (!c.Alive(tt.want-1) || c.Alive(tt.want)) {
			t.Errorf("%s: alive(end-1) = %v, alive(end) = %v, want true and false", name, c.Alive(tt.want-1),
				c.Alive(tt.want))
		}
	}
}

func TestAdvanceAtItsBoundaries(t *testing.T) {
	l := forever()
	l.IdleAfter = 100
	l.ArchiveAfter = 30
	for _, tt := range []struct {
		now      int64
		status   Status
		statusAt int64
		next     int64
	}{
		{1000, Active, 1000, 1100},
		{1099, Active, 1000, 1100},
		{1100, Idle, 1100, 1130},
		{1129, Idle, 1100, 1130},
		{1130, Archived, 1130, Never}, // both moves, each at its own moment
		{9999, Archived, 1130, Never},
	} {
		c := begun(1000, l)
		if moved := c.ApplyDue(tt.now); moved != (tt.status != Active) {
			t.Errorf("Advance(%d) reports %v", tt.now, moved)
		}
		if c.Status != tt.status || c.StatusAt != tt.statusAt || c.NextDeadline() != tt.next {
			t.Errorf("at %d: got status %d since %d, next %d; want %d since %d, next %d",
				tt.now, c.Status, c.StatusAt, c.NextDeadline(), tt.status, tt.statusAt, tt.next)
		}
	}
}

func TestActivityPutsIdlingOff(t *testing.T) {
	l := forever()
	l.IdleAfter = 100
	c := begun(1000, l)
	c.Active = 1050
	if c.ApplyDue(1149) || !c.ApplyDue(1150) {
		t.Error("a session active at 1050 became idle at another moment than 1150")
	}
}

func TestReturnToActiveCountsAsActivity(t *testing.T) {
	l := forever()
	l.IdleAfter = 100
	c := begun(1000, l)
	c.SetStatus(Archived, 1010)
	if c.ApplyDue(5000) {
		t.Fatal("time moved an archived session")
	}
	c.SetStatus(Active, 5000)
	if c.Active != 5000 || c.NextDeadline() != 5100 {
		t.Errorf("restored at 5000: got activity %d, next %d; want 5000 and 5100", c.Active, c.NextDeadline())
	}
}

func TestFileMovesOnlyToEarlier(t *testing.T) {
	for _, tt := range []struct{ filed, next, want int64 }{
		{100, 200, 100}, // later: left to the sweeper
		{200, 100, 100},
		{Never, 100, 100},
		{100, Never, 100},
		{Never, Never, Never},
	} {
		if got := RefileDue(tt.filed, tt.next, false); got != tt.want {
			t.Errorf("RefileDue(%d, %d, false): got %d, want %d", tt.filed, tt.next, got, tt.want)
		}
		if got := RefileDue(tt.filed, tt.next, true); got != tt.next {
			t.Errorf("RefileDue(%d, %d, true): got %d, want %d", tt.filed, tt.next, got, tt.next)
		}
	}
}

// walk is a random course, and random things that happen to it as time goes on.
type walk struct {
	r   *rand.Rand
	now int64
	c   Timeline
}

func newWalk(seed uint64) *walk {
	w := &walk{r: rand.New(rand.NewPCG(seed, 1)), now: 1_000_000}
	w.c = begun(w.now, w.life())
	w.c.MaxAge = w.duration()
	w.c.Refresh()
	return w
}

func (w *walk) duration() int64 {
	if w.r.IntN(3) == 0 {
		return Never
	}
	return 1 + w.r.Int64N(20*minute)
}

func (w *walk) life() Lifecycle {
	return Lifecycle{
		TTL: w.duration(), Sliding: w.r.IntN(2) == 0, MaxLifetime: w.duration(),
		IdleAfter: w.duration(), ArchiveAfter: w.duration(), Retention: w.duration(),
	}
}

// step lets time pass and does what a store does then.
func (w *walk) step() {
	w.now += w.r.Int64N(3 * minute)
	w.c.ApplyDue(w.now)
	switch to := statuses[w.r.IntN(len(statuses))]; {
	case w.r.IntN(4) == 0:
		if CanMove(w.c.Status, to) {
			w.c.SetStatus(to, w.now)
		}
	case w.c.Status.Writable():
		w.c.RecordWrite(w.now)
	}
}

// walks runs fn on many random courses, in each of their states.
func walks(t *testing.T, fn func(t *testing.T, w *walk)) {
	t.Helper()
	for seed := range uint64(2_000) {
		w := newWalk(seed)
		for range 12 {
			w.step()
			fn(t, w)
			if t.Failed() {
				t.Fatalf("seed %d: %+v at %d", seed, w.c, w.now)
			}
		}
	}
}

func TestAdvanceIsDoneAtOnce(t *testing.T) {
	walks(t, func(t *testing.T, w *walk) {
		c := w.c
		c.ApplyDue(w.now)
		once := c
		if c.ApplyDue(w.now) || c != once {
			t.Error("a second Advance at the same time changed something")
		}
	})
}

// What a sweep may skip: after Advance nothing but the end is overdue.
func TestNextIsAheadAfterAdvance(t *testing.T) {
	walks(t, func(t *testing.T, w *walk) {
		if w.c.Alive(w.now) && w.c.NextDeadline() <= w.now {
			t.Errorf("next deadline %d is not after now, %d", w.c.NextDeadline(), w.now)
		}
		if w.c.NextDeadline() > w.c.Expires {
			t.Errorf("next deadline %d is later than the end, %d", w.c.NextDeadline(), w.c.Expires)
		}
	})
}

// Two advances reach what one does: when a sweep runs does not matter.
func TestAdvanceByStepsIsAdvanceAtOnce(t *testing.T) {
	walks(t, func(t *testing.T, w *walk) {
		far := w.now + w.r.Int64N(60*minute)
		once := w.c
		steps := w.c
		once.ApplyDue(far)
		for now := w.now; now < far; now += 1 + w.r.Int64N(5*minute) {
			steps.ApplyDue(now)
		}
		steps.ApplyDue(far)
		if once != steps {
			t.Errorf("at once %+v, by steps %+v", once, steps)
		}
	})
}

func TestAdvanceMovesNoDeadline(t *testing.T) {
	walks(t, func(t *testing.T, w *walk) {
		c := w.c
		c.ApplyDue(w.now + w.r.Int64N(60*minute))
		if c.Expires != w.c.Expires || c.Written != w.c.Written || c.Active != w.c.Active {
			t.Errorf("got end %d, written %d, active %d", c.Expires, c.Written, c.Active)
		}
	})
}

// A later write never ends a session earlier, and moves an absolute end never.
func TestWritesOnlyExtend(t *testing.T) {
	walks(t, func(t *testing.T, w *walk) {
		c := w.c
		c.RecordWrite(w.now + w.r.Int64N(10*minute))
		if c.Expires < w.c.Expires {
			t.Errorf("a write moved the end from %d to %d", w.c.Expires, c.Expires)
		}
		if !c.Lifecycle.Sliding && c.Expires != w.c.Expires {
			t.Errorf("a write moved an absolute end from %d to %d", w.c.Expires, c.Expires)
		}
	})
}

func TestCapsHold(t *testing.T) {
	walks(t, func(t *testing.T, w *walk) {
		limit := min(After(w.c.Created, w.c.Lifecycle.MaxLifetime), After(w.c.Created, w.c.MaxAge))
		if w.c.Expires > limit {
			t.Errorf("the end, %d, is after the cap, %d", w.c.Expires, limit)
		}
	})
}

// The promise of the lazy due entry: filed by File alone, it is never later
// than the next deadline.
func TestFiledIsNeverLate(t *testing.T) {
	for seed := range uint64(2_000) {
		w := newWalk(seed)
		filed := RefileDue(Never, w.c.NextDeadline(), false)
		for range 20 {
			w.step()
			filed = RefileDue(filed, w.c.NextDeadline(), false)
			if filed > w.c.NextDeadline() {
				t.Fatalf("seed %d: filed at %d, next deadline %d", seed, filed, w.c.NextDeadline())
			}
		}
	}
}
