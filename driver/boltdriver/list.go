package boltdriver

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// scanChunk is how many keys a long read visits between two looks at its
// context.
const scanChunk = 256

// List walks the index that serves the query best. See driver.Driver.
func (d *Driver) List(ctx context.Context, q driver.Query) (p driver.Page, err error) {
	defer dbfile.Guard("list", debug.SetPanicOnFault(true), &err)
	err = d.readLatest(ctx, func(v *view) error {
		p, err = v.page(ctx, q)
		return err
	})
	return p, err
}

func (v *view) page(ctx context.Context, q driver.Query) (driver.Page, error) {
	if q.Order == driver.ByActivity && q.UserID != "" {
		if p, ok, err := v.listSorted(ctx, &q); ok || err != nil {
			return p, err
		}
	}
	return v.list(ctx, &q)
}

func (v *view) list(ctx context.Context, q *driver.Query) (driver.Page, error) {
	var p driver.Page
	s := newListScan(v, q)
	s.whole = q.Statuses == 0 && len(q.Labels) == 0 && q.CreatedFrom|q.CreatedTo|q.ActiveFrom|q.ActiveTo == 0
	g := pageBuilder{limit: q.Limit, page: q.Into[:0]}
	for s.next() {
		if len(g.page) >= q.Limit || q.Scan > 0 && p.Scanned >= q.Scan {
			p.Next = s.place()
			break
		}
		if p.Scanned%scanChunk == 0 && ctx.Err() != nil {
			return driver.Page{}, ctx.Err()
		}
		p.Scanned++
		s.pass()
		ok, err := s.match()
		if err != nil {
			return driver.Page{}, err
		}
		if !ok {
			continue
		}
		if !s.verify() {
			return driver.Page{}, format.DamagedRecord(s.key)
		}
		g.add(q.Namespace, s.id, &s.head, s.body)
	}
	p.Records = g.records()
	return p, nil
}

// listScan walks an index and the records that it names.
type listScan struct {
	v    *view
	q    *driver.Query
	in   format.Bucket
	walk walk
	rec  cursor

	at    int64               // of the index entry
	id    []byte              // of it, in the map
	key   []byte              // of the record
	value []byte              // of the record
	head  format.RecordHeader // of the record
	body  []byte              // of the record, verified whole; nil: it is not yet

	whole bool // whether most records that are met are selected

	passed bool // whether an index entry was passed
	lastAt int64
	lastID []byte // in the map
}

func newListScan(v *view, q *driver.Query) *listScan {
	s := &listScan{v: v, q: q, in: format.Created, rec: v.cursor(format.Records)}
	switch {
	case q.Order == driver.ByActivity:
		s.in = format.Active
	case q.UserID != "":
		s.in = format.Users
	}
	s.walk = newWalk(v, s.in, q)
	return s
}

// next moves to the next index entry.
func (s *listScan) next() bool {
	k := s.walk.next()
	if k == nil {
		return false
	}
	s.at, s.id, _ = format.ParsePlace(k[len(s.walk.prefix):])
	return true
}

// pass makes the index entry the place to go on from.
func (s *listScan) pass() {
	s.passed = true
	s.lastAt = s.at
	s.lastID = s.id
}

// place returns the place to go on from.
func (s *listScan) place() *driver.Position {
	if !s.passed {
		return s.q.After
	}
	return &driver.Position{At: s.lastAt, ID: string(s.lastID)}
}

// match reads the header of the record and reports whether q selects it.
func (s *listScan) match() (ok bool, err error) {
	s.key = format.AppendRecordKey(s.key[:0], s.q.Namespace, s.id)
	if s.value = s.rec.get(s.key); s.value == nil {
		return false, format.DanglingIndex(s.in, s.key)
	}
	if !s.readHead() {
		return false, format.DamagedRecord(s.key)
	}
	filed := s.head.Created
	if s.in == format.Active {
		filed = s.head.ActiveMinute
	}
	if filed != s.at || s.in == format.Users && string(s.head.UserID) != s.q.UserID {
		return false, fmt.Errorf("%w: index %s misfiles record %q in namespace %d",
			driver.ErrCorrupt, format.BucketNames[s.in], s.id, s.q.Namespace)
	}
	if s.head.Expires <= s.q.Now {
		s.v.noteExpired(s.head.Expires)
		return false, nil
	}
	return selects(s.q, &s.head) && !s.v.erased.CoversRecord(s.q.Namespace, &s.head), nil
}

// format.ReadHeader reads and verifies the header: by its own checksum, or by
// that of the whole record where the body is likely to be wanted too. One that
// is damaged only there is reported when it is selected.
func (s *listScan) readHead() bool {
	sum, ok := format.ParseHeader(s.value, &s.head)
	if s.body = nil; !ok {
		return false
	}
	return s.whole && s.verify() || s.head.Holds(s.key, s.value, sum)
}

// verify verifies the whole record, once.
func (s *listScan) verify() (ok bool) {
	if s.body == nil {
		if s.body, ok = s.head.Body(s.key, s.value); !ok {
			s.body = nil
		}
	}
	return s.body != nil
}

// read copies the record, verified whole.
func (s *listScan) read(r *driver.Record) error {
	if !s.verify() {
		return format.DamagedRecord(s.key)
	}
	s.head.DecodeInto(r, s.body)
	r.Body = r.Body[:len(r.Body):len(r.Body)]
	r.Key = driver.Key{Namespace: s.q.Namespace, ID: string(s.id)}
	return nil
}

// selects reports whether q selects a live record with this header.
func selects(q *driver.Query, h *format.RecordHeader) bool {
	if q.UserID != "" && string(h.UserID) != q.UserID {
		return false
	}
	if q.Statuses != 0 && q.Statuses&(1<<h.Status) == 0 {
		return false
	}
	if !between(h.Created, q.CreatedFrom, q.CreatedTo, 1) ||
		!between(h.ActiveMinute, q.ActiveFrom, q.ActiveTo, minute) {
		return false
	}
	for _, l := range q.Labels {
		if !h.HasLabel(l) {
			return false
		}
	}
	return true
}

const minute = 60_000 // milliseconds

// between reports whether at, in units of so many milliseconds, lies in a
// half-open range of milliseconds. 0 is an open end.
func between(at, from, to, unit int64) bool {
	return (from == 0 || at >= from/unit) && (to == 0 || at < to/unit)
}
