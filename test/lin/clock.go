package lin

import (
	"sync/atomic"
	"time"
)

// Clock is the time of a history, which only its clients move, and the order
// in which its calls began and ended. It is safe for concurrent use, also by
// processes that map it from one file: see MapClock.
type Clock struct {
	millis atomic.Int64 // after epoch
	ticks  atomic.Int64 // calls that began, and that ended
}

// Now returns what the clock shows. It fits seshat.Options.Now.
func (c *Clock) Now() time.Time { return epoch.Add(time.Duration(c.millis.Load()) * time.Millisecond) }

// Advance moves the clock on by d, cut to milliseconds.
func (c *Clock) Advance(d time.Duration) { c.millis.Add(d.Milliseconds()) }
