package seshattest

import (
	"sync"
	"time"
)

// Start is the time at which every Clock begins. It is the first moment of a
// minute, an hour and a day, so boundaries are easy to write down.
var Start = time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)

// Clock is a clock that only the test moves. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex // guards now
	now time.Time
}

// NewClock returns a clock that shows Start.
func NewClock() *Clock { return &Clock{now: Start} }

// Now returns the time of the clock. Use it as seshat.Options.Now.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d and returns its new time. A negative d moves it
// back, like a correction of a machine's clock. The store's own time then waits
// until the clock catches up.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// Set sets the clock to t.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}
