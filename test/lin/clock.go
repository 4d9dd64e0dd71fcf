package lin

import (
	"sync/atomic"
	"time"
)

// Clock is the clock of a history, which only its clients move. It also orders
// the beginnings and ends of calls. It is safe for concurrent use, also by
// processes that share it through a file: see MapClock.
type Clock struct {
	millis atomic.Int64 // after epoch
	ticks  atomic.Int64 // beginnings and ends of calls
}

// Now returns the time of the clock. Use it as seshat.Options.Now.
func (c *Clock) Now() time.Time { return epoch.Add(time.Duration(c.millis.Load()) * time.Millisecond) }

// Advance moves the clock by d, truncated to milliseconds.
func (c *Clock) Advance(d time.Duration) { c.millis.Add(d.Milliseconds()) }
