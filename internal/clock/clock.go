// Package clock is the time of a store.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock gives Unix milliseconds that never run backwards. Its methods are safe
// for concurrent use; its fields are set before the first one is called.
type Clock struct {
	Now func() time.Time

	// Jump is how far the wall clock ran ahead of the monotonic one since a
	// base; nil with a clock of the host's own, which has no monotonic part.
	Jump func() time.Duration

	last atomic.Int64
}

// Read returns the time now.
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

// Start makes the clock go on from a time in Unix milliseconds.
func (c *Clock) Start(last int64) { c.last.Store(last) }

// WallJump measures the wall clock against the monotonic one from base on.
func WallJump(base time.Time) func() time.Duration {
	return func() time.Duration {
		now := time.Now()
		return now.Round(0).Sub(base.Round(0)) - now.Sub(base)
	}
}
