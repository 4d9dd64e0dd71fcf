// Package owners reads the entries of many owners in few reads.
package owners

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/seshatdb/seshat/driver"
)

// Engine is what is read from.
type Engine interface {
	Entries(ctx context.Context, q driver.EntryQuery) ([]driver.Entry, error)
}

// Query says which entries are read.
type Query struct {
	Namespace uint64
	Kind      uint8
	Each      int // the most that one owner has
}

// The first read of several owners is small, as it may meet few that are
// wanted; the last one holds the entries of several, however many they have.
const (
	firstRead = 64
	mostEach  = 4
)

// Read calls give with all entries of owners[i], for each one that has any. All
// owners have names of one length. Owners whose names are near each other, as
// those of sessions created together are, share a read; each one's entries are
// of one snapshot.
func Read(ctx context.Context, d Engine, q Query, owners []string, give func(i int, entries []driver.Entry) error) error {
	r := reader{d: d, q: q, owners: owners, give: give, left: make([]int, len(owners))}
	for i := range r.left {
		r.left[i] = i
	}
	slices.SortFunc(r.left, func(a, b int) int {
		return cmp.Or(strings.Compare(owners[a], owners[b]), cmp.Compare(a, b))
	})
	for limit := firstRead; len(r.left) > 0; {
		near, err := r.some(ctx, limit)
		if err != nil {
			return err
		}
		if limit = min(2*limit, mostEach*q.Each); !near {
			limit = 0
		}
	}
	return nil
}

// reader goes through owners in the order in which their entries lie.
type reader struct {
	d      Engine
	q      Query
	owners []string
	give   func(int, []driver.Entry) error
	left   []int // places in owners that are not done, ordered
}

// some reads the next owner, and with a limit those after it, up to that many
// entries. It reports whether to go on so.
func (r *reader) some(ctx context.Context, limit int) (near bool, err error) {
	if limit > 0 {
		return r.several(ctx, limit)
	}
	next := r.owners[r.left[0]]
	entries, err := r.entries(ctx, next, false, r.q.Each)
	if err != nil {
		return false, err
	}
	return false, r.hand(next, entries)
}

// several asks for more only if at least every other owner that it met was
// wanted, or the first one has more entries than that.
func (r *reader) several(ctx context.Context, limit int) (near bool, err error) {
	entries, err := r.entries(ctx, r.owners[r.left[0]], true, limit)
	if err != nil {
		return false, err
	}
	met, wanted := 0, len(r.left)
	for rest := entries; len(rest) > 0; met++ {
		n := 1
		for n < len(rest) && rest[n].Owner == rest[0].Owner {
			n++
		}
		if n == len(rest) && len(entries) == limit {
			break // it may have more
		}
		if err := r.hand(rest[0].Owner, rest[:n]); err != nil {
			return false, err
		}
		rest = rest[n:]
	}
	if len(entries) < limit {
		r.left = nil // none of them has any
		return true, nil
	}
	wanted -= len(r.left)
	return met == 0 || 2*wanted >= met, nil
}

func (r *reader) entries(ctx context.Context, from string, on bool, limit int) ([]driver.Entry, error) {
	return r.d.Entries(ctx, driver.EntryQuery{
		Namespace: r.q.Namespace, Kind: r.q.Kind, Owner: from, AllOwners: on, Limit: limit,
	})
}

// hand gives an owner its entries, if it is wanted. Those before it have none.
func (r *reader) hand(owner string, entries []driver.Entry) error {
	for len(r.left) > 0 {
		i := r.left[0]
		if r.owners[i] > owner {
			return nil
		}
		if r.owners[i] == owner && len(entries) > 0 {
			if err := r.give(i, entries); err != nil {
				return err
			}
		}
		r.left = r.left[1:]
	}
	return nil
}
