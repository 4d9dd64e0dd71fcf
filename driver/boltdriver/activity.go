package boltdriver

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/seshatdb/seshat/driver"
)

// maxSorted is the most sessions of one user whose headers are sorted in
// memory. No index orders one user's sessions by activity: it would move on
// nearly every write. Beyond that the namespace's index is walked and filtered.
const maxSorted = 10_000

// listSorted lists one user's sessions by activity. ok is false if they are
// too many for it, or for q.Scan.
func (v *view) listSorted(ctx context.Context, q *driver.Query) (p driver.Page, ok bool, err error) {
	limit := maxSorted
	if q.Scan > 0 {
		limit = min(limit, q.Scan)
	}
	all, scanned, err := v.userPlaces(ctx, q, limit)
	if err != nil || scanned > limit {
		return p, false, err
	}
	p.Scanned = scanned
	slices.SortFunc(all, func(a, b driver.Position) int { return comparePlaces(a, b, q.Desc) })
	s := newListScan(v, q)
	for i := range all {
		if len(p.Records) >= q.Limit {
			p.Next = q.After
			if i > 0 {
				p.Next = &all[i-1]
			}
			break
		}
		s.at = all[i].At
		s.id = []byte(all[i].ID)
		if _, err := s.match(); err != nil {
			return driver.Page{}, false, err
		}
		p.Records = append(p.Records, driver.Record{})
		if err := s.read(&p.Records[i]); err != nil {
			return driver.Page{}, false, err
		}
	}
	return p, true, nil
}

// userPlaces returns the places by activity of the records after q.After that
// q selects. It ends early once it looked at more than limit.
func (v *view) userPlaces(
	ctx context.Context, q *driver.Query, limit int,
) (all []driver.Position, scanned int, err error) {
	byUser := driver.Query{Namespace: q.Namespace, UserID: q.UserID}
	s := newListScan(v, &byUser)
	s.q = q
	for s.next() {
		if scanned%scanChunk == 0 && ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		if scanned++; scanned > limit {
			return nil, scanned, nil
		}
		ok, err := s.match()
		if err != nil {
			return nil, 0, err
		}
		at := driver.Position{At: s.head.ActiveMinute, ID: string(s.id)}
		if ok && (q.After == nil || comparePlaces(at, *q.After, q.Desc) > 0) {
			all = append(all, at)
		}
	}
	return all, scanned, nil
}

func comparePlaces(a, b driver.Position, desc bool) int {
	c := cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.ID, b.ID))
	if desc {
		return -c
	}
	return c
}
