package seshattest

import (
	"sync"
	"time"
)

// Start is the time at which every Clock begins: the first moment of a minute,
// an hour and a day, so that boundaries are easy to write down.
var Start = time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)

// Clock is a clock that only the test moves. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex // guards now
	now time.Time
}

// NewClock returns a clock that shows Start.
func NewClock() *Clock { return &Clock{now: Start} }

// Now returns what the clock shows. It fits seshat.Options.Now.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock on by d, and returns what it shows then. A negative
// d moves it back, as a wrong clock of a machine might be set; the store's own
// time waits until the clock has caught up.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// Set makes the clock show t.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}
