package seshat

import (
	"sync/atomic"
	"time"
)

// maxClockJump is how far the wall clock may run ahead of the monotonic one
// before the sweeper stops trusting it.
const maxClockJump = time.Hour

// clock is the store's time: Unix milliseconds that never run backwards.
type clock struct {
	now  func() time.Time
	last atomic.Int64

	// jump is how far the wall clock ran ahead of the monotonic one since the
	// base; nil with a clock of the host's own, which has no monotonic part.
	jump func() time.Duration
}

// read returns the time now.
func (c *clock) read() int64 {
	now := c.now().UnixMilli()
	for {
		last := c.last.Load()
		if now <= last {
			return last
		}
		if c.last.CompareAndSwap(last, now) {
			return now
		}
	}
}

// wallJump measures the wall clock against the monotonic one from base on.
func wallJump(base time.Time) func() time.Duration {
	return func() time.Duration {
		now := time.Now()
		return now.Round(0).Sub(base.Round(0)) - now.Sub(base)
	}
}
