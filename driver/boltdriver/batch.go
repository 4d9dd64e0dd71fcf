package boltdriver

import (
	"errors"
	"runtime/debug"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/journal"
	bolt "go.etcd.io/bbolt"
)

// batch is one transaction of the writer. An op changes it only once nothing
// about the op can fail any more; so an op that fails leaves no trace.
type batch struct {
	w       *writer
	inline  int // the most keys that one op removes itself
	tx      *bolt.Tx
	view                    // of tx; erased is as the ops so far left it
	pending journal.Overlay // what tx does not know yet
	arena   journal.Arena   // memory of pending and of tx's new values

	cursors [format.BucketCount]cursor
	spaces  map[uint64]*namespaceCounters // the namespaces met in this batch
	changed bool                          // tx or pending holds a change
	cloned  bool                          // view.erased is the batch's own copy
	latest  int64                         // the largest View.Now of an op that succeeded
	planner planner
}

func (b *batch) init(w *writer) {
	b.w = w
	b.inline = maxInline
	if n := w.d.options.core.inline; n > 0 {
		b.inline = n
	}
	b.spaces = make(map[uint64]*namespaceCounters)
	b.planner.init(b)
}

// open begins the transaction.
func (w *writer) open() (err error) {
	w.reset()
	if err := w.d.file.CheckTrusted(w.d.durableTx()); err != nil {
		return err
	}
	err = dbfile.Guarded("begin", func() error {
		w.tx, err = w.d.file.DB.Begin(true)
		return err
	})
	if errors.Is(err, driver.ErrCorrupt) {
		w.markStuck(err)
	}
	if err != nil {
		return err
	}
	w.view = newView(w.tx, nil)
	w.view.erased = w.erased
	w.latest = w.clock
	return nil
}

// cursorFor returns the batch's own cursor in a bucket.
func (b *batch) cursorFor(in format.Bucket) *cursor {
	c := &b.cursors[in]
	if c.c == nil {
		*c = b.cursor(in)
	}
	return c
}

// reset forgets the last transaction. Its memory is used again from here on.
func (b *batch) reset() {
	b.pending.Reset()
	b.arena.Reset()
	clear(b.spaces)
	b.tx = nil
	b.view = view{}
	b.cursors = [format.BucketCount]cursor{}
	b.changed = false
	b.cloned = false
}

// discard ends the transaction without writing.
func (w *writer) discard() {
	if w.tx == nil {
		return
	}
	rollback := (*bolt.Tx).Rollback
	if hook := w.d.options.core.rollback; hook != nil {
		rollback = hook
	}
	if err := dbfile.Guarded("rollback", func() error { return rollback(w.tx) }); errors.Is(err, driver.ErrCorrupt) {
		w.markStuck(err)
	}
	w.tx = nil
}

// get returns the value at key as the ops so far left it, or nil.
func (b *batch) get(in format.Bucket, key []byte) []byte {
	if v, ok := b.pending.Get(in, key); ok {
		return v
	}
	return b.cursorFor(in).get(key)
}

// put sets the value at key, or deletes it if v is nil. v must lie in the
// arena.
func (b *batch) put(in format.Bucket, key, v []byte) {
	b.changed = true
	b.pending.Set(in, b.arena.Copy(key), v)
}

// flush makes the transaction know all that is pending in these buckets, so
// that ranges of them can be read. It is the only place that writes a batch
// into a transaction.
func (b *batch) flush(in ...format.Bucket) (err error) {
	defer dbfile.Guard("write", debug.SetPanicOnFault(true), &err)
	for _, in := range in {
		if b.pending.Pending(in) {
			if err := b.pending.Write(in, b.view.open.bucket(in)); err != nil {
				return err
			}
		}
	}
	return nil
}

// namespaceCounters is a namespace's counters as the ops so far left them.
type namespaceCounters struct {
	format.Counters
	changed bool
}

func (b *batch) namespace(ns uint64) (*namespaceCounters, error) {
	if s := b.spaces[ns]; s != nil {
		return s, nil
	}
	var buf [8]byte
	key := format.AppendU64Key(buf[:0], ns)
	c, err := format.ReadCounters(key, b.cursorFor(format.Counts).get(key))
	if err != nil {
		return nil, err
	}
	s := &namespaceCounters{Counters: c}
	b.spaces[ns] = s
	return s, nil
}

// set takes over the counters that an op leaves.
func (b *batch) set(s *namespaceCounters, c format.Counters) {
	if s.Counters != c {
		s.Counters = c
		s.changed = true
		b.changed = true
	}
}

// ownErased returns the erasures of the batch, to be changed.
func (b *batch) ownErased() format.PendingErasures {
	if !b.cloned {
		b.view.erased = b.view.erased.Clone()
		b.cloned = true
	}
	return b.view.erased
}

// putCounters puts the clock, and the counters that the ops changed.
func (b *batch) putCounters() {
	room := b.arena.Room(format.NumberSize)
	b.put(format.Meta, format.ClockKey, format.AppendNumber(room, format.ClockKey, uint64(b.latest)))
	for ns, s := range b.spaces {
		if s.changed {
			key := format.AppendU64Key(b.arena.Room(8), ns)
			b.put(format.Counts, key, format.AppendCounters(b.arena.Room(format.CountersSize), key, &s.Counters))
		}
	}
}

// allBuckets is what flush takes to make the transaction know everything.
var allBuckets = func() (all [format.BucketCount]format.Bucket) {
	for in := range all {
		all[in] = format.Bucket(in)
	}
	return all
}()
