package memdriver

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/seshatdb/seshat/driver"
)

const minute = 60_000 // milliseconds

// List sorts the namespace and walks it.
func (d *Driver) List(ctx context.Context, q driver.Query) (driver.Page, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.ready(ctx); err != nil {
		return driver.Page{}, err
	}
	var p driver.Page
	sorted := d.space(q.Namespace).sorted(&q)
	for i, r := range sorted {
		if len(p.Records) >= q.Limit || q.Scan > 0 && p.Scanned >= q.Scan {
			p.Next = q.After
			if i > 0 {
				p.Next = position(&q, sorted[i-1])
			}
			break
		}
		p.Scanned++
		if matches(&q, r) {
			p.Records = append(p.Records, *cloneRecord(r))
		}
	}
	return p, nil
}

// sorted returns the namespace's records after q.After, in q's order.
func (s *space) sorted(q *driver.Query) []*driver.Record {
	var all []*driver.Record
	for _, r := range s.records {
		if q.After == nil || compare(q, position(q, r), q.After) > 0 {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b *driver.Record) int {
		return compare(q, position(q, a), position(q, b))
	})
	return all
}

func position(q *driver.Query, r *driver.Record) *driver.Position {
	if q.Order == driver.ByActivity {
		return &driver.Position{At: r.ActiveMinute, ID: r.ID}
	}
	return &driver.Position{At: r.Created, ID: r.ID}
}

func compare(q *driver.Query, a, b *driver.Position) int {
	c := cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.ID, b.ID))
	if q.Desc {
		return -c
	}
	return c
}

// matches reports whether q selects r.
func matches(q *driver.Query, r *driver.Record) bool {
	return r.Expires > q.Now &&
		(q.UserID == "" || r.UserID == q.UserID) &&
		(q.Statuses == 0 || q.Statuses&(1<<r.Status) != 0) &&
		between(r.Created, q.CreatedFrom, q.CreatedTo, 1) &&
		between(r.ActiveMinute, q.ActiveFrom, q.ActiveTo, minute) &&
		hasLabels(r, q.Labels)
}

// between reports whether at is not before from and before to. The range is in
// milliseconds, and at counts units of milliseconds.
func between(at, from, to, unit int64) bool {
	return (from == 0 || at >= from/unit) && (to == 0 || at < to/unit)
}

func hasLabels(r *driver.Record, want []driver.Label) bool {
	for _, l := range want {
		if !slices.Contains(r.Labels, l) {
			return false
		}
	}
	return true
}

// Count counts the records that List would return.
func (d *Driver) Count(ctx context.Context, q driver.Query) (driver.Usage, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.ready(ctx); err != nil {
		return driver.Usage{}, err
	}
	return d.space(q.Namespace).count(&q)
}

func (s *space) count(q *driver.Query) (driver.Usage, error) {
	var u driver.Usage
	for _, r := range s.records {
		if !matches(q, r) {
			continue
		}
		u.Sessions[r.Status]++
		if q.Statuses == 0 {
			u.Messages += r.Messages
			u.Bytes += r.Bytes
		}
	}
	return u, nil
}
