package boltdriver

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// Reclaim removes the data that marks made invisible. See driver.Driver.
func (d *Driver) Reclaim(ctx context.Context, now int64, limit int) (r driver.Reclaimed, err error) {
	if err := d.checkOpen(ctx); err != nil {
		return r, err
	}
	if d.caps.ReadOnly {
		return r, driver.ErrReadOnly
	}
	sent := d.enqueueAndWait(ctx, func(w *writer) { r, err = w.reclaim(now, limit) })
	if sent != nil {
		return driver.Reclaimed{}, sent
	}
	return r, err
}

func (w *writer) reclaim(now int64, limit int) (driver.Reclaimed, error) {
	if err := w.failed(); err != nil {
		return driver.Reclaimed{}, err
	}
	w.out = w.out[:0]
	if err := w.open(); err != nil {
		return driver.Reclaimed{}, err
	}
	r := reclaimer{batch: &w.batch, now: now, limit: max(limit, 1), erased: make(map[driver.Erasure]*driver.Erased)}
	if err := dbfile.Guarded("reclaim", r.run); err != nil {
		w.discard()
		return driver.Reclaimed{}, err
	}
	if err := w.finish(); err != nil {
		return driver.Reclaimed{}, err
	}
	return r.report(), nil
}

// reclaimer runs one Reclaim in a batch of its own. Each step reads a range of
// the transaction and puts deletes into the overlay. Before the next step, the
// overlay is written to the transaction.
type reclaimer struct {
	*batch
	now    int64
	limit  int
	values int
	more   bool
	erased map[driver.Erasure]*driver.Erased
}

// full reports whether the step limit of one commit is reached.
func (r *reclaimer) full() bool { return r.values >= r.limit }

// remove deletes and counts a key, and reports whether the step may continue.
func (r *reclaimer) remove(in format.Bucket, key []byte) bool {
	r.put(in, key, nil)
	r.values++
	return !r.full()
}

// reportOf returns the report on an erasure.
func (r *reclaimer) reportOf(e driver.Erasure) *driver.Erased {
	if r.erased[e] == nil {
		r.erased[e] = &driver.Erased{Erasure: e}
	}
	return r.erased[e]
}

func (r *reclaimer) report() driver.Reclaimed {
	out := driver.Reclaimed{Values: r.values, More: r.more}
	for _, e := range r.erased {
		if e.Sessions+e.Messages+e.Bytes+e.Entries > 0 {
			out.Erased = append(out.Erased, *e)
		}
	}
	slices.SortFunc(out.Erased, func(a, b driver.Erased) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), strings.Compare(a.UserID, b.UserID))
	})
	return out
}

func (r *reclaimer) run() error {
	if err := r.endStagedLogs(); err != nil {
		return err
	}
	steps := []struct {
		typ  byte
		step func(key, value []byte) error
	}{
		{format.ErasedUser, r.reclaimErasure},
		{format.ErasedNamespace, r.reclaimErasure},
		{format.DeadLog, r.reclaimDeadLog},
		{format.Hole, r.reclaimHole},
		{format.TrimmedFeed, r.reclaimFeed},
	}
	for _, s := range steps {
		if err := r.flush(allBuckets[:]...); err != nil {
			return err
		}
		if err := r.eachMark(s.typ, s.step); err != nil {
			return err
		}
	}
	if err := r.flush(allBuckets[:]...); err != nil {
		return err
	}
	c := r.cursor(format.Marks)
	for k, _ := c.Seek([]byte{0}); k != nil && !r.more; k, _ = c.Next() {
		r.more = k[0] != format.StagedLog
	}
	return nil
}

// eachMark calls step for the marks of a type until the limit is reached. A
// step may change the transaction, so eachMark copies the marks first. Each
// step removes at least one key, so it copies no more marks than the limit.
func (r *reclaimer) eachMark(typ byte, step func(key, value []byte) error) error {
	type mark struct{ key, value []byte }
	var marks []mark
	c := r.cursor(format.Marks)
	for k, v := c.Seek([]byte{typ}); k != nil && k[0] == typ && len(marks) < r.limit-r.values; k, v = c.Next() {
		marks = append(marks, mark{bytes.Clone(k), bytes.Clone(v)})
	}
	for _, m := range marks {
		if r.full() {
			return nil
		}
		if err := step(m.key, m.value); err != nil {
			return err
		}
	}
	return nil
}

// endStagedLogs marks staged logs as dead if no record adopted them in time, or
// if they were erased.
func (r *reclaimer) endStagedLogs() error {
	c := r.cursor(format.Marks)
	for k, v := c.Seek([]byte{format.StagedLog}); k != nil && k[0] == format.StagedLog; k, v = c.Next() {
		s, err := format.ReadStaged(k, v)
		if err != nil {
			return err
		}
		if s.Until > r.now && !r.view.erased.CoversLog(format.NamespaceOf(k[1:]), s.Epoch) {
			continue
		}
		if r.full() {
			r.more = true
			return nil
		}
		key := bytes.Clone(k)
		r.remove(format.Marks, key)
		key[0] = format.DeadLog
		var mark format.DeadMark
		r.put(format.Marks, key, format.AppendDead(r.arena.Room(format.DeadSize(mark)), key, mark))
	}
	return nil
}

func (r *reclaimer) reclaimDeadLog(key, value []byte) error {
	d, err := format.ReadDead(key, value)
	if err != nil {
		return err
	}
	_, ns, rest, _ := format.ParseMark(key)
	inc, _, ok := format.ParseLogMark(rest)
	if !ok {
		return format.DamagedMark(key)
	}
	entries := uint64(0)
	whole := r.eachOwnedKey(ns, inc, func(in format.Bucket, k []byte) bool {
		if in == format.Entries {
			entries++
		}
		return r.remove(in, k)
	})
	if d.Erased {
		r.reportOf(driver.Erasure{Namespace: ns, UserID: d.UserID}).Entries += entries
	}
	if whole {
		r.remove(format.Marks, key)
	}
	return nil
}

func (r *reclaimer) reclaimHole(key, _ []byte) error {
	_, ns, rest, _ := format.ParseMark(key)
	inc, span, ok := format.ParseLogMark(rest)
	if !ok {
		return format.DamagedMark(key)
	}
	scan := logScan{view: &r.view, ns: ns, inc: inc, span: span}
	for k, _ := scan.first(); k != nil; k, _ = scan.next() {
		if !r.remove(format.Log, k) {
			return nil
		}
	}
	r.remove(format.Marks, key)
	return nil
}

// reclaimFeed removes events up to the tail.
func (r *reclaimer) reclaimFeed(key, _ []byte) error {
	ns := format.NamespaceOf(key[1:])
	s, err := r.namespace(ns)
	if err != nil {
		return err
	}
	if r.removeEvents(ns, 0, s.Tail) {
		r.remove(format.Marks, key)
	}
	return nil
}

// removeEvents removes the events at positions from and to and between them. It
// reports whether it removed all of them.
func (r *reclaimer) removeEvents(ns, from, to uint64) bool {
	key := format.AppendFeedKey(nil, ns, from)
	c := r.cursor(format.Feed)
	for k, _ := c.Seek(key); bytes.HasPrefix(k, key[:8]); k, _ = c.Next() {
		if _, pos, ok := format.ParseFeedKey(k); ok && pos > to {
			break
		}
		if !r.remove(format.Feed, k) {
			return false
		}
	}
	return true
}
