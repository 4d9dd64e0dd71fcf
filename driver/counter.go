package driver

import (
	"sync"
	"time"
)

// CommitCounter sums up a driver's commits for its Stats. The zero value has
// counted none. Its methods are safe for concurrent use.
type CommitCounter struct {
	mu  sync.Mutex // guards sum
	sum Stats
}

// Add counts a commit of that many ops, which took that long and wrote that
// many bytes and pages; 0 for what the driver does not know.
func (c *CommitCounter) Add(ops int, took time.Duration, bytes, pages uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.Commits++
	c.sum.Ops += uint64(ops)
	c.sum.MaxOps = max(c.sum.MaxOps, uint64(ops))
	c.sum.CommitTime += took
	c.sum.MaxCommit = max(c.sum.MaxCommit, took)
	c.sum.BytesWritten += bytes
	c.sum.PagesWritten += pages
}

// Stats returns the sums. The fields that are not about commits are zero.
func (c *CommitCounter) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sum
}
