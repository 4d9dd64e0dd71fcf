package boltdriver

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
)

// finish ends the batch: an error says that none of its ops is known to have
// happened. If it is retriable, none did.
//
// It has three steps. First, append the batch's overlay to the journal and sync
// that: there is no journal yet, and its place is before the overlay is
// written. Plans that read ranges flush parts of the overlay earlier; before a
// journal comes, such reads have to merge the overlay instead. Second, make the
// batch visible. Third, apply it to the engine. Today the engine's commit in
// commitTx makes the batch durable, and the last two steps are that one commit
// and the snapshot that it publishes.
func (w *writer) finish() error {
	if !w.changed {
		w.discard()
		w.clock = w.latest
		return nil
	}
	w.putCounters()
	err := w.flush(allBuckets[:]...)
	if err == nil {
		err = w.d.file.Check()
	}
	if err != nil {
		w.discard()
		return err
	}
	return w.commitTx()
}

// commitTx commits the transaction and makes it the state that readers get.
func (w *writer) commitTx() error {
	d := w.d
	size := w.tx.Size()
	tight := size+w.growthBound() > d.file.MapLimit
	if tight {
		d.retireSnapshot()
	}
	start := time.Now()
	awake := d.watch(size)
	err := dbfile.Guarded("commit", func() error { return w.commit(w.tx) })
	awake()
	if err != nil {
		return w.commitFailed(err)
	}
	stats := w.tx.Stats()
	w.tx = nil
	d.durable.advance()
	w.pacer.lastCommit = time.Since(start)
	d.addCommit(len(w.out), w.pacer.lastCommit, &stats)
	if tight || d.sharing && d.current.Load() == nil {
		d.file.MapLimit = max(d.file.MapLimit, dbfile.RoundMap(d.extent()))
	}
	w.clock = w.latest
	w.erased = w.view.erased.OrNil()
	d.publishSnapshot(w.erased)
	return nil
}

// extent is how much of the file is in use, in bytes: never more than is
// mapped.
func (d *Driver) extent() int64 {
	tx, err := d.file.DB.Begin(false)
	if err != nil {
		return 0
	}
	defer tx.Rollback()
	return tx.Size()
}

// growthBound is more than a commit adds to the file. A commit that would grow
// the map waits for all open read transactions, so the shared one must be gone
// by then, or the writer waits for ever.
func (w *writer) growthBound() int64 {
	if n := w.d.options.core.headroom; n > 0 {
		return n
	}
	return max(256<<20, 4*int64(w.arena.Used()))
}

// patience is how long a commit may take before watch thinks that it waits.
const patience = 2 * time.Second

// watch retires the shared snapshot if the commit that begins now does not end:
// it may wait for that, because it adds more to the file than growthBound
// allows for (a small message can move neighbours of megabytes). No commit adds
// half a map, so only then is it watched. The result ends the watch.
func (d *Driver) watch(size int64) (end func()) {
	s := d.current.Load()
	if s == nil || size < d.file.MapLimit/2 {
		return func() {}
	}
	after := patience
	if p := d.options.core.patience; p > 0 {
		after = p
	}
	timer := time.AfterFunc(after, func() {
		if d.current.CompareAndSwap(s, nil) {
			s.drop()
		}
	})
	return func() { timer.Stop() }
}

// commitFailed ends a transaction whose commit returned err. If it is not
// sure that nothing became visible or will after a crash, the driver stops
// writing: what the engine believes and what the disk holds may differ.
func (w *writer) commitFailed(err error) error {
	d := w.d
	w.discard()
	if dbfile.IsFull(err) && d.newestTx() == d.durableTx() {
		d.publishSnapshot(w.erased)
		return err
	}
	w.fail(err)
	return fmt.Errorf("%w: %w", driver.ErrUnknown, err)
}

// fail ends all writing, for the first reason that it is given.
func (w *writer) fail(err error) {
	if w.failure != nil {
		return
	}
	d := w.d
	w.failure = err
	d.failed.Store(&err)
	d.durable.fail(err)
	if log := d.options.Logger; log != nil {
		log.Error("commit failed, the store takes no more writes until it is reopened", slog.Any("error", err))
	}
}

// markStuck ends all writing after damage kept the engine from ending a
// transaction: it holds its lock for writers for ever, and would not close.
func (w *writer) markStuck(err error) {
	w.d.file.Stuck.Store(true)
	w.fail(err)
}

// retriable reports whether an op of the batch may be what failed, so that the
// others can still be done.
func retriable(err error) bool {
	return !errors.Is(err, driver.ErrUnknown) && !errors.Is(err, driver.ErrFailed)
}
