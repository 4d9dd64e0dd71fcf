package boltdriver

import (
	"bytes"
	"math"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// reclaimErasure continues one erasure, and removes its mark once none of its
// data is left.
func (r *reclaimer) reclaimErasure(key, value []byte) error {
	m, err := format.ReadErasure(key, value)
	if err != nil {
		return err
	}
	_, ns, rest, _ := format.ParseMark(key)
	e := driver.Erasure{Namespace: ns, UserID: string(rest)}
	sum := r.reportOf(e)
	sum.Sessions += m.Sessions
	sum.Messages += m.Messages
	sum.Bytes += m.Bytes
	sum.Entries += m.Entries

	done, err := r.erase(e, sum)
	if err != nil {
		return err
	}
	if done {
		r.remove(format.Marks, key)
		r.ownErased().Remove(e)
		return nil
	}
	reported := format.ErasureMark{Epoch: m.Epoch}
	r.put(format.Marks, key, format.AppendErasure(r.arena.Room(format.ErasureSize), key, &reported))
	return nil
}

// erase removes the data of an erasure, and reports whether none is left.
func (r *reclaimer) erase(e driver.Erasure, sum *driver.Erased) (done bool, err error) {
	if done, err := r.records(e, sum); err != nil || !done {
		return false, err
	}
	if e.UserID != "" {
		done = r.eachOwnedEntry(e.Namespace, driver.KindUser, e.UserID, r.entryOf(sum, &err))
		return done && err == nil, err
	}
	if err := r.flush(format.Entries); err != nil {
		return false, err
	}
	prefix := format.AppendU64Key(nil, e.Namespace)
	if !r.eachPrefixed(format.Entries, prefix, r.entryOf(sum, &err)) || err != nil {
		return false, err
	}
	s, err := r.namespace(e.Namespace)
	if err != nil {
		return false, err
	}
	return r.removeEvents(e.Namespace, 0, s.Tail) && r.removeEvents(e.Namespace, s.Head+1, math.MaxUint64), nil
}

// entryOf returns a visitor that removes erased entries.
func (r *reclaimer) entryOf(sum *driver.Erased, err *error) func(format.Bucket, []byte) bool {
	c := r.cursor(format.Entries)
	return func(in format.Bucket, k []byte) bool {
		var e format.EntryValue
		if e, *err = format.ReadEntry(k, c.get(k)); *err != nil {
			return false
		}
		key, _ := format.ParseEntryKey(k)
		if !r.view.erased.CoversEntry(&key, e.Epoch) {
			return true
		}
		sum.Entries++
		return r.remove(in, k)
	}
}

// records removes erased records. It also removes the data that a record owns
// if that is little; otherwise it leaves a mark for the data.
func (r *reclaimer) records(e driver.Erasure, sum *driver.Erased) (done bool, err error) {
	in := format.Created
	prefix := format.AppendU64Key(nil, e.Namespace)
	if e.UserID != "" {
		in = format.Users
		prefix = format.AppendUserPrefix(nil, e.Namespace, e.UserID)
	}
	keys, done, err := r.erasedIn(in, prefix)
	for _, key := range keys {
		if err != nil || r.full() {
			return false, err
		}
		err = r.record(e, key, sum)
	}
	return done, err
}

// erasedIn returns the keys of erased records in an index, at most as many as
// the batch has room for, and whether these are all.
func (r *reclaimer) erasedIn(in format.Bucket, prefix []byte) (keys [][]byte, all bool, err error) {
	var h format.RecordHeader
	var key []byte
	c := r.cursor(in)
	rec := r.cursor(format.Records)
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if len(keys) >= r.limit-r.values {
			return keys, false, nil
		}
		_, id, _ := format.ParsePlace(k[len(prefix):])
		key = format.AppendRecordKey(key[:0], format.NamespaceOf(prefix), id)
		if err := rec.indexed(in, key, &h); err != nil {
			return nil, false, err
		}
		if r.view.erased.CoversRecord(format.NamespaceOf(prefix), &h) {
			keys = append(keys, bytes.Clone(key))
		}
	}
	return keys, true, nil
}

func (r *reclaimer) record(e driver.Erasure, key []byte, sum *driver.Erased) (err error) {
	p := &r.planner
	p.ns = e.Namespace
	p.key = append(p.key[:0], key...)
	p.edits = p.edits[:0]
	if p.space, err = r.namespace(e.Namespace); err != nil {
		return err
	}
	p.next = p.space.Counters
	c := r.cursor(format.Records)
	h := &p.current.head
	if p.current.value, err = c.header(p.key, h); err != nil {
		return err
	}
	p.addWrite(format.Records, p.key, nil)
	p.moveIndexKeys(nil)
	p.subtractCurrent()
	entries, err := p.deleteOwned(h.Incarnation, r.inline, format.DeadMark{UserID: e.UserID, Erased: true})
	if err != nil {
		return err
	}
	sum.Sessions++
	sum.Messages += h.Messages
	sum.Bytes += h.Bytes
	sum.Entries += uint64(entries)
	r.values += len(p.edits)
	p.mergeIntoBatch()
	return nil
}
