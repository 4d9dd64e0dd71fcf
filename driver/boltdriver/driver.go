// Package boltdriver keeps sessions in one file, by the engine bbolt. It is the
// default driver.
//
// One goroutine at a time writes. It takes the calls that wait, runs their
// plans against one transaction and an overlay of what they changed, and
// commits them together. If only one caller writes, it does that work itself.
// Readers share one snapshot of the last durable state.
//
// This package has the queue (call.go), the writer (writer.go, pacer.go,
// batch.go, plan.go, commit.go), the snapshots (snapshot.go) and the reads.
// What a file holds is in internal/format (keys.go has the table of keys), the
// check of its structure in internal/fsck, the handling of files in
// internal/dbfile, the rescue of damaged ones in internal/salvage, and changes
// that the engine does not have yet in internal/journal.
package boltdriver

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

var (
	_ driver.Driver  = (*Driver)(nil)
	_ driver.Statser = (*Driver)(nil)
)

// Driver is an open file. Its methods are safe for concurrent use.
type Driver struct {
	file    *dbfile.File // changed under life
	options Options
	caps    driver.Caps
	reads   *readCount
	commits driver.CommitCounter
	failed  atomic.Pointer[error] // why nothing is written any more

	current atomic.Pointer[snapshot] // nil: readers make their own
	sharing bool                     // whether current is used at all
	durable *durableMark
	origin  int64                    // the engine's transaction that is commit 0; changed under life
	flight  atomic.Pointer[inflight] // nil: no commit is being made
	life    sync.RWMutex             // held for reading while a reader's own snapshot lives

	copying chan struct{} // holds a token while a check, backup, dump or compaction runs

	writer *writer
	calls  chan *call
	idle   sync.Pool    // *call; of its own, as a channel of a synctest bubble works only in that bubble
	gate   sync.RWMutex // held for reading while a call is sent
	closed atomic.Bool  // changed under gate
	done   chan struct{}
	once   sync.Once
	err    error // of Close
}

// Open opens the store's file at path, creating it if there is none; its
// directory must exist. A new file appears under its name only when it is
// complete and durable. Unless it is opened read-only, the file's mode is
// tightened so that nobody but its owner reads it.
//
// Errors: driver.ErrLocked if another process or handle has it open, ErrCorrupt
// if it is damaged (see DamageError), ErrFormat if it is no store or a newer
// version's: also a directory, a device, a symbolic link, and an empty file,
// which may be what is left of a store. errors.ErrUnsupported: it is on a
// network or FUSE file system.
func Open(path string, o Options) (*Driver, error) {
	f, err := dbfile.Open(path, o.forFile())
	if err != nil {
		return nil, err
	}
	d := &Driver{
		file:    f,
		options: o,
		sharing: f.BigMap || o.ReadOnly || o.core.share,
		calls:   make(chan *call, maxBatch),
		copying: make(chan struct{}, 1),
		done:    make(chan struct{}),
		caps: driver.Caps{
			Name: "bbolt", Durable: true, ReadOnly: o.ReadOnly,
			MaxRecord: format.MaxRecord, MaxMessage: format.MaxMessage, MaxEntry: format.MaxEntry,
		},
	}
	if o.CountReads {
		d.reads = new(readCount)
	}
	if err := dbfile.Guarded("open", d.start); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// start reads what the writer goes on from and starts it.
func (d *Driver) start() error {
	s, err := d.newSnapshot(d.file, nil)
	if err != nil {
		return err
	}
	d.durable = newDurableMark()
	d.origin = int64(s.tx.ID())
	if err := d.loadErased(s); err != nil {
		return err
	}
	w := newWriter(d, s.erased)
	d.writer = w
	c := s.cursor(format.Meta)
	clock, err := format.ReadNumber(format.ClockKey, c.get(format.ClockKey))
	s.drop()
	if err != nil {
		return err
	}
	w.clock = int64(clock)
	d.publishSnapshot(w.erased)
	go w.loop()
	return nil
}

// Caps returns the driver's limits.
func (d *Driver) Caps() driver.Caps { return d.caps }

// Close refuses new calls, lets those that run finish, and closes the file.
// It is safe to call at any time, any number of times: all but the first
// return nil once the file is closed.
func (d *Driver) Close() error {
	first := false
	d.once.Do(func() {
		first = true
		d.gate.Lock()
		d.closed.Store(true)
		close(d.calls)
		d.gate.Unlock()
		<-d.done
		d.retireSnapshot()
		d.life.Lock()
		defer d.life.Unlock()
		d.err = d.file.Close()
	})
	if first {
		return d.err
	}
	return nil
}

// checkOpen reports why a call may not begin.
func (d *Driver) checkOpen(ctx context.Context) error {
	if d.closed.Load() {
		return driver.ErrClosed
	}
	return ctx.Err()
}
