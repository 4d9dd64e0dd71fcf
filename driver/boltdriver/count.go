package boltdriver

import (
	"bytes"
	"context"
	"runtime/debug"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// Count reads only the counters if q has no filter, and otherwise the headers
// of records. See driver.Driver.
func (d *Driver) Count(ctx context.Context, q driver.Query) (u driver.Usage, err error) {
	defer dbfile.Guard("count", debug.SetPanicOnFault(true), &err)
	err = d.readLatest(ctx, func(v *view) error {
		u, err = v.count(ctx, q)
		return err
	})
	if err != nil {
		return driver.Usage{}, err
	}
	return u.Only(q.Statuses), nil
}

func (v *view) count(ctx context.Context, q driver.Query) (driver.Usage, error) {
	if q.Filtered() {
		return v.countHeaders(ctx, &q)
	}
	return v.countAll(&q)
}

func (v *view) countAll(q *driver.Query) (driver.Usage, error) {
	n, err := v.counters(q.Namespace)
	if err != nil {
		return driver.Usage{}, err
	}
	u, err := v.unerased(q.Namespace, n.Usage)
	if err != nil {
		return u, err
	}
	return v.live(q.Namespace, q.Now, u)
}

func (v *view) countHeaders(ctx context.Context, q *driver.Query) (u driver.Usage, err error) {
	q.After = nil
	q.Desc = false
	q.Order = driver.ByCreated
	if q.UserID == "" && (q.ActiveFrom != 0 || q.ActiveTo != 0) {
		q.Order = driver.ByActivity
	}
	s := newListScan(v, q)
	for n := 0; s.next(); n++ {
		if n%scanChunk == 0 && ctx.Err() != nil {
			return u, ctx.Err()
		}
		ok, err := s.match()
		if err != nil {
			return u, err
		}
		if ok {
			format.AddRecord(&u, &s.head)
		}
	}
	return u, nil
}

// unerased subtracts the sessions that are erased but not yet reclaimed from
// the stored counters u.
func (v *view) unerased(ns uint64, u driver.Usage) (driver.Usage, error) {
	if s := v.erased[ns]; s != nil {
		for user := range s.Users {
			if err := v.lessErased(ns, user, &u); err != nil {
				return u, err
			}
		}
	}
	return u, nil
}

// live subtracts the sessions that expired by now from u. It finds them in the
// indexes by time, so it reads only sessions that are due.
func (v *view) live(ns uint64, now int64, u driver.Usage) (driver.Usage, error) {
	for _, in := range []format.Bucket{format.Due, format.Overdue} {
		if err := v.lessOverdue(in, ns, now, &u); err != nil {
			return u, err
		}
	}
	return u, nil
}

// lessOverdue subtracts the records that expired by now. A record has a key in
// bucket Due. If it expires before that key's time, it also has a key in bucket
// Overdue, at the time when it expires.
func (v *view) lessOverdue(in format.Bucket, ns uint64, now int64, u *driver.Usage) error {
	var h format.RecordHeader
	c := v.cursor(in)
	r := v.cursor(format.Records)
	for k, _ := c.Seek([]byte{0}); k != nil; k, _ = c.Next() {
		at, of, _, ok := format.ParseDueKey(k)
		if !ok || at > now {
			break
		}
		if of != ns {
			continue
		}
		if err := r.indexed(in, k[8:], &h); err != nil {
			return err
		}
		elsewhere := in == format.Due && h.Expires < h.Due
		if h.Expires <= now && !elsewhere && !v.erased.CoversRecord(ns, &h) {
			v.noteExpired(h.Expires)
			format.SubtractRecord(u, &h)
		}
	}
	return nil
}

// lessErased subtracts the erased records of a user.
func (v *view) lessErased(ns uint64, user string, u *driver.Usage) error {
	var h format.RecordHeader
	var key []byte
	prefix := format.AppendUserPrefix(nil, ns, user)
	c := v.cursor(format.Users)
	r := v.cursor(format.Records)
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		_, id, _ := format.ParsePlace(k[len(prefix):])
		key = format.AppendRecordKey(key[:0], ns, id)
		if err := r.indexed(format.Users, key, &h); err != nil {
			return err
		}
		if v.erased.CoversRecord(ns, &h) && v.erased.Counts(ns, &h) {
			format.SubtractRecord(u, &h)
		}
	}
	return nil
}
