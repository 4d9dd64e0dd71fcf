package scale

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
)

// turns wraps a driver. It counts the chunks of a sweep that the driver begins
// while another write waits.
type turns struct {
	driver.Driver
	chunks atomic.Int64 // begun
	worst  atomic.Int64 // most chunks that began between a write's arrival and its turn
}

// Stats lets the store count what the driver reads.
func (d *turns) Stats() driver.Stats { return d.Driver.(driver.Statser).Stats() }

func (d *turns) Mutate(ctx context.Context, ops ...*driver.Op) error {
	var first sync.Once // a plan may run again
	arrived := d.chunks.Load()
	plan := ops[0].Plan
	ops[0].Plan = func(v driver.View) (driver.Change, error) {
		first.Do(func() {
			if len(ops) > 1 {
				d.chunks.Add(1)
				return
			}
			between := d.chunks.Load() - arrived
			for w := d.worst.Load(); between > w && !d.worst.CompareAndSwap(w, between); w = d.worst.Load() {
			}
		})
		return plan(v)
	}
	defer func() { ops[0].Plan = plan }()
	return d.Driver.Mutate(ctx, ops...)
}

// A write waits for at most one chunk of a sweep that begins after the write
// arrives.
func TestWritesBesideASweep(t *testing.T) {
	var d *turns
	w := newWorld(t, size(4, 20), size(2500, 10_000), func(on driver.Driver) driver.Driver {
		d = &turns{Driver: on}
		return d
	})
	alone := waits(t, w, func() {})
	w.clock.Advance(25 * time.Hour)
	d.worst.Store(0)
	before := d.chunks.Load()
	var r seshat.SweepReport
	beside := waits(t, w, func() {
		var err error
		r, err = w.Sweep(context.Background(), seshat.SweepOptions{})
		must(t, err)
	})
	t.Logf("eight writers alone:         %s", spread(alone))
	t.Logf("beside the sweep of %6d:   %s", r.Expired, spread(beside))
	t.Logf("%d chunks; at most %d of them came between a write's arrival and its turn", d.chunks.Load()-before,
		d.worst.Load())
	if r.Expired != w.namespaces*w.each/dueEach {
		t.Errorf("swept %+v", r)
	}
	if d.worst.Load() > 1 {
		t.Error("a write waited for more than one chunk")
	}
}

// waits returns how long the writes of eight goroutines took while fn ran. Each
// goroutine makes at least 100 writes.
func waits(t *testing.T, w *world, fn func()) []time.Duration {
	t.Helper()
	done := make(chan struct{})
	all := make([][]time.Duration, 8)
	var wg sync.WaitGroup
	for g := range all {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					if i >= 100 {
						return
					}
				default:
				}
				start := time.Now()
				id := session((g+8*i)%w.each/dueEach*dueEach + 1).ID // not due
				if _, err := w.tenants[i%w.namespaces].Touch(context.Background(), id); err != nil {
					t.Error(err)
					return
				}
				all[g] = append(all[g], time.Since(start))
			}
		})
	}
	fn()
	close(done)
	wg.Wait()
	return slices.Concat(all...)
}

func spread(d []time.Duration) string {
	slices.Sort(d)
	at := func(p float64) string { return d[int(p*float64(len(d)-1))].Round(10 * time.Microsecond).String() }
	return "p50 " + at(0.5) + ", p90 " + at(0.9) + ", p99 " + at(0.99) + ", longest " + at(1)
}
