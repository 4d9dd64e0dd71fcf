package boltdriver

import (
	"bytes"
	"context"
	"runtime/debug"

	"github.com/seshatdb/seshat/driver"
)

// Entries returns small values. See driver.Driver.
func (d *Driver) Entries(ctx context.Context, q driver.EntryQuery) (es []driver.Entry, err error) {
	defer guard("entries", debug.SetPanicOnFault(true), &err)
	s, err := d.reader(ctx)
	if err != nil {
		return nil, err
	}
	defer d.release(s)
	if q.Kind == driver.KindClock {
		return s.clock(&q)
	}
	prefix, from, last := entryRange(&q)
	c := s.cursor(bEntries)
	for k, v := c.seek(from); bytes.HasPrefix(k, prefix) && len(es) < q.Limit; k, v = c.next() {
		e, ok, err := s.entry(&q, k, v)
		if err != nil {
			return nil, err
		}
		if ok && (q.After == "" || bytes.Compare(k, last) > 0) {
			es = append(es, e)
		}
	}
	return es, nil
}

// entryRange returns what the keys that q selects share, where to begin, and
// the key that q goes on after.
func entryRange(q *driver.EntryQuery) (prefix, from, last []byte) {
	owner := appendOwnerPrefix(nil, q.Namespace, q.Kind, q.Owner)
	last = append(bytes.Clone(owner), q.After...)
	switch {
	case q.AllOwners:
		return owner[:9], last, last
	case q.Name != "":
		prefix = append(owner, q.Name...)
		return prefix, prefix, last
	}
	return owner, last, last
}

// entry returns a copy of the entry at k, if q selects it and it is not erased.
func (v *view) entry(q *driver.EntryQuery, k, val []byte) (e driver.Entry, ok bool, err error) {
	if e.EntryKey, ok = parseEntryKey(k); !ok || q.Name != "" && e.Name != q.Name {
		return e, false, nil
	}
	stored, err := readEntry(k, val)
	if err != nil {
		return e, false, err
	}
	gone, err := v.entryGone(&e.EntryKey, &stored)
	if err != nil || gone {
		return e, false, err
	}
	e.Value = append([]byte{}, stored.value...)
	return e, true, nil
}

// entryGone reports whether an entry is erased, or its session is gone.
func (v *view) entryGone(k *driver.EntryKey, e *entry) (bool, error) {
	if k.Kind&driver.KindSession == 0 {
		return v.erased.entry(k, e.epoch), nil
	}
	var inc driver.Incarnation
	copy(inc[:], k.Owner)
	ok, err := v.visible(k.Namespace, inc)
	return !ok, err
}

// clock answers a query for driver.KindClock.
func (v *view) clock(q *driver.EntryQuery) ([]driver.Entry, error) {
	if q.Namespace != 0 || q.Owner != "" || q.Name != "" || q.After != "" || q.Limit < 1 {
		return nil, nil
	}
	c := v.cursor(bMeta)
	clock, err := readNumber(metaClock, c.get(metaClock))
	if clock == 0 || err != nil {
		return nil, err
	}
	return []driver.Entry{{EntryKey: driver.EntryKey{Kind: driver.KindClock}, Value: clockEntry(int64(clock))}}, nil
}
