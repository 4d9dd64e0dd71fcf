package clock_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshatdb/seshat/internal/clock"
)

// The time never runs backwards, whatever the source says, and goes on from
// where it was started.
func TestNeverBackwards(t *testing.T) {
	now := time.UnixMilli(1000)
	c := &clock.Clock{Now: func() time.Time { return now }}
	c.Start(1500)
	for _, x := range []struct{ source, want int64 }{{1000, 1500}, {1501, 1501}, {1400, 1501}, {2000, 2000}} {
		now = time.UnixMilli(x.source)
		if got := c.Read(); got != x.want {
			t.Errorf("at %d: %d, want %d", x.source, got, x.want)
		}
	}
}

// Each goroutine sees times that do not fall.
func TestNeverBackwardsForMany(t *testing.T) {
	var source atomic.Int64
	c := &clock.Clock{Now: func() time.Time { return time.UnixMilli(source.Add(1) % 100) }}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for last, i := int64(0), 0; i < 1000; i++ {
				now := c.Read()
				if now < last {
					t.Errorf("%d after %d", now, last)
				}
				last = now
			}
		})
	}
	wg.Wait()
}

// Where both clocks agree there is no jump, however long it takes.
func TestWallJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jump := clock.WallJump(time.Now())
		time.Sleep(24 * time.Hour)
		if j := jump(); j != 0 {
			t.Errorf("a jump of %v", j)
		}
	})
}
