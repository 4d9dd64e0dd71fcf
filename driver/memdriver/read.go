package memdriver

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/seshatdb/seshat/driver"
)

// Get fills into with a copy of the record at k.
func (d *Driver) Get(ctx context.Context, k driver.Key, now int64, into *driver.Record) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.ready(ctx); err != nil {
		return err
	}
	r := d.space(k.Namespace).records[k.ID]
	if r == nil || r.Expires <= now {
		return driver.ErrNotFound
	}
	body := into.Body
	labels := into.Labels
	*into = *r
	into.Body = append(body[:0], r.Body...)
	into.Labels = append(labels[:0], r.Labels...)
	return nil
}

// Messages returns copies of messages.
func (d *Driver) Messages(ctx context.Context, q driver.LogQuery) ([]driver.Message, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.ready(ctx); err != nil {
		return nil, err
	}
	l := d.space(q.Namespace).life(q.Incarnation)
	if l.staged {
		return nil, nil
	}
	if q.Span.To == 0 {
		q.Span.To = l.last()
	}
	ms := slices.Clone(l.in(q.Span))
	if q.Desc {
		slices.Reverse(ms)
	}
	ms = first(ms, q.Limit)
	for i := range ms {
		ms[i] = cloneMessage(&ms[i])
	}
	return ms, nil
}

// Entries returns copies of entries, in order.
func (d *Driver) Entries(ctx context.Context, q driver.EntryQuery) ([]driver.Entry, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.ready(ctx); err != nil {
		return nil, err
	}
	if q.Kind == driver.KindClock && q.Namespace == 0 {
		return d.clockEntry(q), nil
	}
	if q.Kind&driver.KindSession != 0 && q.AllOwners {
		return d.space(q.Namespace).entriesOfLives(q), nil
	}
	return selected(q, d.candidates(q)), nil
}

// entriesOfLives reads incarnation by incarnation until it has enough.
func (s *space) entriesOfLives(q driver.EntryQuery) (found []driver.Entry) {
	var incs []driver.Incarnation
	for inc := range s.lives {
		if len(q.Owner) < len(inc) || string(inc[:]) >= q.Owner {
			incs = append(incs, inc)
		}
	}
	slices.SortFunc(incs, func(a, b driver.Incarnation) int { return bytes.Compare(a[:], b[:]) })
	limit := q.Limit
	for _, inc := range incs {
		if q.Limit = limit - len(found); q.Limit < 1 {
			break
		}
		found = append(found, selected(q, s.lives[inc].entries)...)
	}
	return found
}

// selected returns copies of the entries that q selects, in order.
func selected(q driver.EntryQuery, from map[driver.EntryKey][]byte) []driver.Entry {
	var found []driver.Entry
	for k, v := range from {
		if selects(q, k) {
			found = append(found, driver.Entry{EntryKey: k, Value: v})
		}
	}
	slices.SortFunc(found, func(a, b driver.Entry) int { return compareEntries(a.EntryKey, b.EntryKey) })
	found = first(found, q.Limit)
	for i := range found {
		found[i].Value = cloneValue(found[i].Value)
	}
	return found
}

// candidates returns a map with at least the entries that q selects.
func (d *Driver) candidates(q driver.EntryQuery) map[driver.EntryKey][]byte {
	s := d.space(q.Namespace)
	switch {
	case q.Kind&driver.KindSession != 0:
		if len(q.Owner) != len(driver.Incarnation{}) {
			return nil
		}
		if l := s.lives[driver.Incarnation([]byte(q.Owner))]; l != nil {
			return l.entries
		}
		return nil
	case q.Name != "" && !q.AllOwners:
		k := driver.EntryKey{Namespace: q.Namespace, Kind: q.Kind, Owner: q.Owner, Name: q.Name}
		if v, ok := s.entries[k]; ok {
			return map[driver.EntryKey][]byte{k: v}
		}
		return nil
	}
	return s.entries
}

func selects(q driver.EntryQuery, k driver.EntryKey) bool {
	if k.Kind != q.Kind || q.Name != "" && k.Name != q.Name {
		return false
	}
	if !q.AllOwners {
		return k.Owner == q.Owner && (q.After == "" || k.Name > q.After)
	}
	after := driver.EntryKey{Owner: q.Owner, Name: q.After}
	order := compareEntries(k, after)
	return order > 0 || order == 0 && q.After == ""
}

func compareEntries(a, b driver.EntryKey) int {
	return cmp.Or(
		cmp.Compare(len(a.Owner), len(b.Owner)),
		strings.Compare(a.Owner, b.Owner),
		strings.Compare(a.Name, b.Name))
}

// clockEntry answers a query for driver.KindClock. That entry has no name and
// no owner, so no entry comes before it.
func (d *Driver) clockEntry(q driver.EntryQuery) []driver.Entry {
	if d.clock == 0 || q.Name != "" || q.After != "" || q.Owner != "" || q.Limit < 1 {
		return nil
	}
	k := driver.EntryKey{Kind: driver.KindClock}
	return []driver.Entry{{EntryKey: k, Value: d.clockValue(k)}}
}

func (d *Driver) clockValue(k driver.EntryKey) []byte {
	if d.clock == 0 || k != (driver.EntryKey{Kind: driver.KindClock}) {
		return nil
	}
	return binary.BigEndian.AppendUint64(nil, uint64(d.clock))
}

// Feed returns events after a position.
func (d *Driver) Feed(ctx context.Context, q driver.FeedQuery) (driver.Feed, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.ready(ctx); err != nil {
		return driver.Feed{}, err
	}
	s := d.space(q.Namespace)
	f := driver.Feed{Head: s.head, Tail: s.tail}
	if q.After < s.tail {
		return f, driver.ErrLagged
	}
	f.Events = slices.Clone(first(s.events[min(q.After, s.head)-s.tail:], q.Limit))
	return f, nil
}

// Due returns filed due entries, earliest first.
func (d *Driver) Due(ctx context.Context, q driver.DueQuery) ([]driver.Due, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.ready(ctx); err != nil {
		return nil, err
	}
	var due []driver.Due
	for _, s := range d.spaces {
		for _, r := range s.records {
			e := driver.Due{At: r.Due, Key: r.Key}
			if r.Due != driver.Never && r.Due <= q.Now && (q.After == nil || compareDue(e, *q.After) > 0) {
				due = append(due, e)
			}
		}
	}
	slices.SortFunc(due, compareDue)
	return first(due, q.Limit), nil
}

func compareDue(a, b driver.Due) int {
	return cmp.Or(
		cmp.Compare(a.At, b.At),
		cmp.Compare(a.Namespace, b.Namespace),
		strings.Compare(a.ID, b.ID))
}

// first returns at most the first n of s.
func first[T any](s []T, n int) []T { return s[:min(len(s), max(n, 0))] }
