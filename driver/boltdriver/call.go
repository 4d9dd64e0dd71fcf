package boltdriver

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
)

// call is what the writer is asked for: the ops of one Mutate, or a job of the
// driver's own that runs between two commits.
type call struct {
	ctx   context.Context
	ops   []*driver.Op
	job   func(*writer)
	left  int // ops without an outcome; the writer's own
	taken atomic.Bool
	done  chan struct{}
}

// Mutate runs the ops on the writer. See driver.Driver.
func (d *Driver) Mutate(ctx context.Context, ops ...*driver.Op) error {
	err := d.checkOpen(ctx)
	switch {
	case err != nil:
	case d.caps.ReadOnly:
		err = driver.ErrReadOnly
	case len(ops) > driver.MaxOps:
		err = fmt.Errorf("%d ops: %w", len(ops), driver.ErrTooLarge)
	case len(ops) == 0:
		return nil
	default:
		for _, o := range ops {
			o.Err = o.Validate()
		}
		c := d.newCall(ctx, ops, nil)
		if err = d.dispatch(ctx, c); err == nil {
			err = d.wait(ctx, c)
		}
	}
	if err != nil {
		for _, o := range ops {
			o.Err = err
		}
		return err
	}
	for _, o := range ops {
		if o.Err != nil {
			return o.Err
		}
	}
	return nil
}

// enqueueAndWait hands a job to the writer and waits for it. An error means
// that it did not run: the context ended first, or the driver is closed.
func (d *Driver) enqueueAndWait(ctx context.Context, job func(*writer)) error {
	c := d.newCall(ctx, nil, job)
	if err := d.dispatch(ctx, c); err != nil {
		return err
	}
	return d.wait(ctx, c)
}

func (d *Driver) newCall(ctx context.Context, ops []*driver.Op, job func(*writer)) *call {
	c, _ := d.idle.Get().(*call)
	if c == nil {
		c = &call{done: make(chan struct{}, 1)}
	}
	c.ctx = ctx
	c.ops = ops
	c.job = job
	c.left = 0
	c.taken.Store(false)
	return c
}

// wait returns when the call was answered. An error means that nothing of it
// ran: the context ended first.
func (d *Driver) wait(ctx context.Context, c *call) error {
	select {
	case <-c.done:
	case <-ctx.Done():
		if c.taken.CompareAndSwap(false, true) {
			return ctx.Err() // the writer drops the call when it comes to it
		}
		<-c.done
	}
	c.ctx = nil
	c.ops = nil
	c.job = nil
	d.idle.Put(c)
	return nil
}

// dispatch gives the call to the writer, or runs it itself while nobody else
// writes. That spares two switches of goroutines, each of which would wait for
// a processor if all are busy.
func (d *Driver) dispatch(ctx context.Context, c *call) error {
	d.gate.RLock()
	defer d.gate.RUnlock()
	if d.closed.Load() {
		return driver.ErrClosed
	}
	if w := d.writer; c.job == nil && w.tryLockInline() {
		w.runLocked(c)
		return nil
	}
	select {
	case d.calls <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answer ends the wait for the call.
func (c *call) answer() { c.done <- struct{}{} }

// runExclusive runs fn on the writer's goroutine while no transaction is open
// and no reader reads: calls wait meanwhile. fn may replace d.file by one with
// the same content.
func (d *Driver) runExclusive(ctx context.Context, fn func() error) error {
	if err := d.checkOpen(ctx); err != nil {
		return err
	}
	var err error
	sent := d.enqueueAndWait(ctx, func(w *writer) {
		if err = w.failed(); err != nil {
			return
		}
		d.retireSnapshot()
		d.life.Lock()
		err = dbfile.Guarded("exclusive", fn)
		d.origin = d.newestTx() - d.durable.commits.Load()
		d.life.Unlock()
		d.publishSnapshot(w.erased)
	})
	if sent != nil {
		return sent
	}
	return err
}

// newestTx is the number of the newest transaction that the engine shows.
func (d *Driver) newestTx() int64 {
	tx, err := d.file.DB.Begin(false)
	if err != nil {
		return d.durableTx()
	}
	defer tx.Rollback()
	return int64(tx.ID())
}

// durableTx is the number of the engine's transaction that made the newest
// durable commit.
func (d *Driver) durableTx() int64 { return d.origin + d.durable.commits.Load() }
