package boltdriver

import (
	"bytes"
	"math"

	"github.com/seshatdb/seshat/driver"
)

// erasure goes on with one erasure, and ends it once nothing of it is left.
func (r *reclaimer) erasure(key, value []byte) error {
	m, err := readErasure(key, value)
	if err != nil {
		return err
	}
	_, ns, rest, _ := parseMark(key)
	e := driver.Erasure{Namespace: ns, User: string(rest)}
	sum := r.of(e)
	sum.Sessions += m.sessions
	sum.Messages += m.messages
	sum.Bytes += m.bytes
	sum.Entries += m.entries

	done, err := r.erase(e, sum)
	if err != nil {
		return err
	}
	if done {
		r.remove(bMarks, key)
		r.ownErased().drop(e)
		return nil
	}
	reported := erasure{epoch: m.epoch}
	r.put(bMarks, key, appendErasure(r.arena.room(erasureSize), key, &reported))
	return nil
}

// erase removes what is erased, and reports whether it came to the end.
func (r *reclaimer) erase(e driver.Erasure, sum *driver.Erased) (done bool, err error) {
	if done, err := r.records(e, sum); err != nil || !done {
		return false, err
	}
	if e.User != "" {
		done = r.eachOwnedEntry(e.Namespace, driver.KindUser, e.User, r.entryOf(sum, &err))
		return done && err == nil, err
	}
	if err := r.flush(bEntries); err != nil {
		return false, err
	}
	prefix := appendU64Key(nil, e.Namespace)
	if !r.eachPrefixed(bEntries, prefix, r.entryOf(sum, &err)) || err != nil {
		return false, err
	}
	s, err := r.namespace(e.Namespace)
	if err != nil {
		return false, err
	}
	return r.events(e.Namespace, 0, s.tail) && r.events(e.Namespace, s.head+1, math.MaxUint64), nil
}

// entryOf returns a visitor that removes erased entries.
func (r *reclaimer) entryOf(sum *driver.Erased, err *error) func(bucket, []byte) bool {
	c := r.cursor(bEntries)
	return func(in bucket, k []byte) bool {
		var e entry
		if e, *err = readEntry(k, c.get(k)); *err != nil {
			return false
		}
		key, _ := parseEntryKey(k)
		if !r.view.erased.entry(&key, e.epoch) {
			return true
		}
		sum.Entries++
		return r.remove(in, k)
	}
}

// records removes erased records. What they own goes with them if it is little,
// else a mark is left for it.
func (r *reclaimer) records(e driver.Erasure, sum *driver.Erased) (done bool, err error) {
	in, prefix := bCreated, appendU64Key(nil, e.Namespace)
	if e.User != "" {
		in, prefix = bUsers, appendUserPrefix(nil, e.Namespace, e.User)
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

// erasedIn returns the keys of erased records that an index names, as many as
// there may be room for, and whether that is all.
func (r *reclaimer) erasedIn(in bucket, prefix []byte) (keys [][]byte, all bool, err error) {
	var h recordHeader
	var key []byte
	c, rec := r.cursor(in), r.cursor(bRecords)
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if len(keys) >= r.limit-r.values {
			return keys, false, nil
		}
		_, id, _ := parsePlace(k[len(prefix):])
		key = appendRecordKey(key[:0], nsOf(prefix), id)
		if _, err := rec.indexed(in, key, &h); err != nil {
			return nil, false, err
		}
		if r.view.erased.record(nsOf(prefix), &h) {
			keys = append(keys, bytes.Clone(key))
		}
	}
	return keys, true, nil
}

func (r *reclaimer) record(e driver.Erasure, key []byte, sum *driver.Erased) (err error) {
	p := &r.planner
	p.ns, p.key, p.edits = e.Namespace, append(p.key[:0], key...), p.edits[:0]
	if p.space, err = r.namespace(e.Namespace); err != nil {
		return err
	}
	p.next = p.space.counters
	c, h := r.cursor(bRecords), &p.current.head
	if p.current.value, err = c.header(p.key, h); err != nil {
		return err
	}
	p.addWrite(bRecords, p.key, nil)
	p.moveIndexKeys(nil)
	p.subtractCurrent()
	entries, err := p.deleteOwned(h.inc, r.inline, deadMark{user: e.User, erased: true})
	if err != nil {
		return err
	}
	sum.Sessions++
	sum.Messages += h.messages
	sum.Bytes += h.bytes
	sum.Entries += uint64(entries)
	r.values += len(p.edits)
	p.mergeIntoBatch()
	return nil
}
