package boltdriver

import (
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

// addCommit counts a commit of that many ops.
func (d *Driver) addCommit(ops int, took time.Duration, tx *bolt.TxStats) {
	bytes := uint64(tx.GetPageAlloc()) + format.PageSize // and the meta page
	d.commits.Add(ops, took, bytes, bytes/format.PageSize)
}

// Stats returns what the driver did since it was opened. PagesRead counts leaf
// pages; it and KeysRead are counted only with Options.CountReads.
func (d *Driver) Stats() driver.Stats {
	s := d.commits.Stats()
	if err := d.failed.Load(); err != nil {
		s.Failed = *err
	}
	if d.reads != nil {
		s.PagesRead = d.reads.pages.Load()
		s.KeysRead = d.reads.keys.Load()
	}
	s.PageSize = format.PageSize
	d.life.RLock()
	defer d.life.RUnlock()
	if !d.closed.Load() {
		s.FileSize = d.file.Size()
		free := d.file.DB.Stats()
		s.FreePages = int64(free.FreePageN + free.PendingPageN)
	}
	return s
}
