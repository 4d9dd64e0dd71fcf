// Package clock has the clock of a store.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock returns Unix milliseconds that never decrease. Its methods are safe for
// concurrent use; set its fields before the first call.
type Clock struct {
	// Now returns the time of the wall clock.
	Now func() time.Time

	// Jump returns how far the wall clock ran ahead of the monotonic clock
	// since a base time. It is nil for a clock of the host, which has no
	// monotonic part.
	Jump func() time.Duration

	last atomic.Int64
}

// Read returns the current time.
func (c *Clock) Read() int64 {
	now := c.Now().UnixMilli()
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

// Start makes the clock continue from a time in Unix milliseconds.
func (c *Clock) Start(last int64) { c.last.Store(last) }

// WallJump returns a function that compares the wall clock with the monotonic
// clock from base on.
func WallJump(base time.Time) func() time.Duration {
	return func() time.Duration {
		now := time.Now()
		return now.Round(0).Sub(base.Round(0)) - now.Sub(base)
	}
}
