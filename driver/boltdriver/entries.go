package boltdriver

import (
	"bytes"
	"context"
	"runtime/debug"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// Entries returns small values. See driver.Driver.
func (d *Driver) Entries(ctx context.Context, q driver.EntryQuery) (es []driver.Entry, err error) {
	defer dbfile.Guard("entries", debug.SetPanicOnFault(true), &err)
	s, err := d.reader(ctx)
	if err != nil {
		return nil, err
	}
	defer d.release(s)
	if q.Kind == driver.KindClock {
		return s.clock(&q)
	}
	prefix, from, last := entryRange(&q)
	scan := entryScan{view: &s.view, q: &q}
	exact := q.Name != "" && !q.AllOwners
	c := s.cursor(format.Entries)
	for k, v := c.Seek(from); bytes.HasPrefix(k, prefix) && len(es) < q.Limit; k, v = c.Next() {
		if exact && len(k) > len(prefix) {
			break // longer names, which others choose
		}
		if q.After != "" && bytes.Compare(k, last) <= 0 {
			continue
		}
		e, ok, err := scan.entry(k, v)
		if err != nil {
			return nil, err
		}
		if ok {
			es = append(es, e)
		}
		if len(es)%scanChunk == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return es, nil
}

// entryScan reads entries in the order of their keys.
type entryScan struct {
	*view
	q     *driver.EntryQuery
	begun bool
	owner string // of the newest entry
	gone  bool   // it is a session that has ended
}

// entryRange returns what the keys that q selects share, where to begin, and
// the key that q goes on after.
func entryRange(q *driver.EntryQuery) (prefix, from, last []byte) {
	owner := format.AppendOwnerPrefix(nil, q.Namespace, q.Kind, q.Owner)
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

// entry returns a copy of the entry at k, if the query selects it and it is
// not erased.
func (s *entryScan) entry(k, val []byte) (e driver.Entry, ok bool, err error) {
	if len(k) < 10 || len(k) < 10+int(k[9]) {
		return e, false, nil
	}
	owner := k[10 : 10+int(k[9])]
	name := k[10+int(k[9]):]
	if s.q.Name != "" && string(name) != s.q.Name {
		return e, false, nil
	}
	stored, err := format.ReadEntry(k, val)
	if err != nil {
		return e, false, err
	}
	e.Namespace = s.q.Namespace
	e.Kind = s.q.Kind
	if gone, err := s.entryGone(&e.EntryKey, owner, &stored); gone || err != nil {
		return driver.Entry{}, false, err
	}
	b := append(make([]byte, 0, len(stored.Value)+len(name)), stored.Value...)
	e.Value = b[:len(b):len(b)]
	_, e.Name = format.AppendText(b, name)
	return e, true, nil
}

// entryGone completes the key, and reports whether the entry is erased. What
// belongs to one owner is one run, whose owner is looked up once.
func (s *entryScan) entryGone(k *driver.EntryKey, owner []byte, e *format.EntryValue) (gone bool, err error) {
	same := s.begun && s.owner == string(owner)
	if !same {
		s.begun = true
		s.owner = string(owner)
	}
	k.Owner = s.owner
	if k.Kind&driver.KindSession == 0 || !same {
		s.gone, err = s.view.entryGone(k, e)
	}
	return s.gone, err
}

// entryGone reports whether an entry is erased, or its session is gone.
func (v *view) entryGone(k *driver.EntryKey, e *format.EntryValue) (bool, error) {
	if k.Kind&driver.KindSession == 0 {
		return v.erased.CoversEntry(k, e.Epoch), nil
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
	c := v.cursor(format.Meta)
	clock, err := format.ReadNumber(format.ClockKey, c.get(format.ClockKey))
	if clock == 0 || err != nil {
		return nil, err
	}
	key := driver.EntryKey{Kind: driver.KindClock}
	return []driver.Entry{{EntryKey: key, Value: format.ClockEntry(int64(clock))}}, nil
}
