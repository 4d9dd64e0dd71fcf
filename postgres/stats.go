package postgres

import (
	"sync"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// counter counts the driver's commits.
type counter struct {
	mu sync.Mutex // guards s
	s  driver.Stats
}

func (c *counter) commit(ops int, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.Commits++
	c.s.Ops += uint64(ops)
	c.s.MaxOps = max(c.s.MaxOps, uint64(ops))
	c.s.CommitTime += took
	c.s.MaxCommit = max(c.s.MaxCommit, took)
}

// Stats counts this process's commits. What the engine counts is the engine's.
func (d *Driver) Stats() driver.Stats {
	d.count.mu.Lock()
	defer d.count.mu.Unlock()
	return d.count.s
}
