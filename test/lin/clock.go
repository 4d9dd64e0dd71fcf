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

func (c *Clock) now() time.Time { return epoch.Add(time.Duration(c.millis.Load()) * time.Millisecond) }
