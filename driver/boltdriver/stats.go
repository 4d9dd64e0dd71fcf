package boltdriver

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

// commitStats counts commits.
type commitStats struct {
	mu     sync.Mutex
	s      driver.Stats
	failed atomic.Pointer[error]
}

func (c *commitStats) add(ops int, took time.Duration, tx *bolt.TxStats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.Commits++
	c.s.Ops += uint64(ops)
	c.s.MaxOps = max(c.s.MaxOps, uint64(ops))
	c.s.CommitTime += took
	c.s.MaxCommit = max(c.s.MaxCommit, took)
	bytes := uint64(tx.GetPageAlloc()) + format.PageSize // and the meta page
	c.s.BytesWritten += bytes
	c.s.PagesWritten += bytes / format.PageSize
}

// Stats returns what the driver did since it was opened. PagesRead counts leaf
// pages; it and KeysRead are counted only with Options.CountReads.
func (d *Driver) Stats() driver.Stats {
	d.stats.mu.Lock()
	s := d.stats.s
	d.stats.mu.Unlock()
	if err := d.stats.failed.Load(); err != nil {
		s.Failed = *err
	}
	if d.reads != nil {
		s.PagesRead, s.KeysRead = d.reads.pages.Load(), d.reads.keys.Load()
	}
	s.PageSize = format.PageSize
	d.life.RLock()
	defer d.life.RUnlock()
	if !d.closed.Load() {
		s.FileSize = dbfile.Size(d.file.Handle)
		free := d.file.DB.Stats()
		s.FreePages = int64(free.FreePageN + free.PendingPageN)
	}
	return s
}
