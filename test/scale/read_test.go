package scale

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
)

// calls are the calls whose cost must not depend on the size of the store.
var calls = []struct {
	name string
	call func(ctx context.Context, tn *seshat.Tenant, i int) error
}{
	{"get", func(ctx context.Context, tn *seshat.Tenant, i int) error {
		_, err := tn.Get(ctx, session(i).ID)
		return err
	}},
	{"page of 50 by user", func(ctx context.Context, tn *seshat.Tenant, i int) error {
		_, err := tn.List(ctx, seshat.Query{UserID: user(i)})
		return err
	}},
	{"page of 50 by activity", func(ctx context.Context, tn *seshat.Tenant, _ int) error {
		_, err := tn.List(ctx, seshat.Query{Order: seshat.OrderByActivity})
		return err
	}},
	{"count", func(ctx context.Context, tn *seshat.Tenant, _ int) error {
		_, err := tn.Count(ctx, seshat.Query{Statuses: []seshat.Status{seshat.StatusActive}})
		return err
	}},
}

// On a small and a large store, a call visits the same keys and almost the same
// leaf pages. The test also reports how long calls, opening the file and
// sweeping take.
func TestReadsDoNotGrowWithTheStore(t *testing.T) {
	small := newWorld(t, size(2, 10), 1000, nil)
	large := newWorld(t, size(20, 1000), 1000, nil)
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			run := func(w *world) func() {
				return func() {
					w.hot(t, func(tn *seshat.Tenant, i int) error { return c.call(context.Background(), tn, i) })
				}
			}
			a, b := small.counted(t, hotSessions, run(small)), large.counted(t, hotSessions, run(large))
			t.Logf("%.2f leaf pages and %.2f keys; in the large store %.2f and %.2f", a.pages, a.keys, b.pages, b.keys)
			if b.keys > a.keys*1.01 || b.pages > a.pages*1.05+0.5 {
				t.Error("the large store reads more")
			}
			compareTimes(t, run(small), run(large))
		})
	}
	t.Run("random gets", func(t *testing.T) { randomGets(t, small, large) })
	t.Run("open", func(t *testing.T) { reopen(t, small, large) })
	t.Run("sweep", func(t *testing.T) { sweeps(t, small, large) })
}

// rounds is how often each side is timed. The sides alternate.
const rounds = 11

// compareTimes reports medians. The test does not depend on them, because the
// machine may be busy.
func compareTimes(t *testing.T, small, large func()) {
	t.Helper()
	var a, b []time.Duration
	for range size(1, rounds) {
		for _, side := range []struct {
			run  func()
			took *[]time.Duration
		}{{small, &a}, {large, &b}} {
			start := time.Now()
			side.run()
			*side.took = append(*side.took, time.Since(start)/hotSessions)
		}
	}
	slices.Sort(a)
	slices.Sort(b)
	m, n := a[len(a)/2], b[len(b)/2]
	t.Logf("median of %d rounds: %v a call, in the large store %v: %.2f times", len(a), m, n, float64(n)/float64(m))
}

// randomGets reports times only, because data outside the processor's caches is
// slower.
func randomGets(t *testing.T, small, large *world) {
	run := func(w *world) func() {
		r := rand.New(rand.NewPCG(1, 2))
		return func() {
			for range hotSessions {
				_, err := w.tenants[r.IntN(w.namespaces)].Get(context.Background(), session(r.IntN(w.each)).ID)
				must(t, err)
			}
		}
	}
	compareTimes(t, run(small), run(large))
}

// reopen reports how long it takes to open a file and check its structure.
func reopen(t *testing.T, worlds ...*world) {
	for _, w := range worlds {
		must(t, w.Close())
		start := time.Now()
		w.open(t)
		t.Logf("%d sessions: verified and open after %v", w.namespaces*w.each,
			time.Since(start).Round(time.Millisecond))
	}
}

// sweeps removes the tenth of the sessions that is due. The reads per removed
// session must not depend on the number of sessions that are not due.
func sweeps(t *testing.T, worlds ...*world) {
	for _, w := range worlds {
		w.clock.Advance(25 * time.Hour)
		due := w.namespaces * w.each / dueEach
		var r seshat.SweepReport
		start := time.Now()
		n := w.counted(t, due, func() {
			var err error
			r, err = w.Sweep(context.Background(), seshat.SweepOptions{})
			must(t, err)
		})
		if r.Expired != due || r.Rescheduled+r.Failed != 0 {
			t.Fatalf("swept %+v; want %d expired and nothing else", r, due)
		}
		t.Logf("%d of %d sessions expired in %v (%.0f/s), %d chunks; %.3f keys and %.3f leaf pages read for each",
			due, w.namespaces*w.each, time.Since(start).Round(time.Millisecond),
			float64(due)/time.Since(start).Seconds(), r.Chunks, n.keys, n.pages)
		// Reading every session once would add dueEach keys per removed
		// session.
		if n.keys > dueEach-2 || n.pages > 1 {
			t.Error("the sweep reads more than what is due")
		}
	}
}
