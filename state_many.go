package seshat

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// States returns the state of each of the sessions, which were read from this
// tenant. If a session has ended since, its state is nil. States of sessions
// that were created close together share reads. Each state is one durable
// snapshot of its own.
//
// Errors: ErrNotFound if the namespace was deleted and no state is left;
// ErrInvalid if a session is nil, or was not read from a store; ErrCorrupt.
func (t *Tenant) States(ctx context.Context, sessions []*Session) ([]map[string]any, error) {
	states, err := t.states(ctx, sessions)
	if err == nil && !slices.ContainsFunc(states, func(m map[string]any) bool { return m != nil }) {
		_, err = t.readNamespace(ctx) // an empty namespace and a deleted one differ
	}
	if err != nil {
		return nil, t.wrapError("States", "", err)
	}
	return states, nil
}

func (t *Tenant) states(ctx context.Context, sessions []*Session) ([]map[string]any, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	lives := make([]string, len(sessions))
	for i, s := range sessions {
		if s == nil || s.incarnation == (driver.Incarnation{}) {
			return nil, invalid("sessions",
				"has at index %d a session that was not read from a store; sessions of this store are allowed", i)
		}
		lives[i] = string(s.incarnation[:])
	}
	states := make([]map[string]any, len(sessions))
	q := ownersQuery{Namespace: t.ordinal, Kind: kindSessionState, Each: 1 + MaxStateKeys}
	err := readOwners(ctx, t.store.d, q, lives, func(i int, entries []driver.Entry) (err error) {
		states[i], err = decodeState(entries)
		return err
	})
	if err != nil {
		return nil, err
	}
	return states, t.fillEmptyStates(ctx, sessions, states)
}

// fillEmptyStates sets the state of ended sessions to nil, and that of live
// sessions without values to an empty map.
func (t *Tenant) fillEmptyStates(ctx context.Context, sessions []*Session, states []map[string]any) error {
	now := time.UnixMilli(t.store.clock.Read())
	for i, s := range sessions {
		if states[i] != nil && (s.ExpiresAt.IsZero() || s.ExpiresAt.After(now)) {
			continue
		}
		live, err := t.isLive(ctx, s)
		if err != nil {
			return err
		}
		switch {
		case !live:
			states[i] = nil
		case states[i] == nil:
			states[i] = map[string]any{}
		}
	}
	return nil
}

// entryReader is the method of a driver that readOwners needs.
type entryReader interface {
	Entries(ctx context.Context, q driver.EntryQuery) ([]driver.Entry, error)
}

// ownersQuery selects the entries that readOwners reads.
type ownersQuery struct {
	Namespace uint64
	Kind      uint8
	Each      int // maximum number of entries of one owner
}

// The first read of several owners is small, because few of the owners that it
// meets may be wanted. The largest read holds all entries of mostEach owners.
const (
	firstRead = 64
	mostEach  = 4
)

// readOwners calls give once for each owner that has entries, with all of its
// entries from one snapshot. All owners' names have the same length. Owners
// whose names sort close to each other share a read, such as sessions that were
// created together.
func readOwners(ctx context.Context, d entryReader, q ownersQuery, owners []string,
	give func(i int, entries []driver.Entry) error,
) error {
	r := ownersReader{d: d, q: q, owners: owners, give: give, left: make([]int, len(owners))}
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

// ownersReader walks the owners in the order of their entries.
type ownersReader struct {
	d      entryReader
	q      ownersQuery
	owners []string
	give   func(int, []driver.Entry) error
	left   []int // indexes of the remaining owners, ordered by name
}

// some reads the next owner, and with a limit those after it, up to that many
// entries. It reports whether to go on so.
func (r *ownersReader) some(ctx context.Context, limit int) (near bool, err error) {
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
func (r *ownersReader) several(ctx context.Context, limit int) (near bool, err error) {
	entries, err := r.entries(ctx, r.owners[r.left[0]], true, limit)
	if err != nil {
		return false, err
	}
	met := 0
	wanted := len(r.left)
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

func (r *ownersReader) entries(ctx context.Context, from string, on bool, limit int) ([]driver.Entry, error) {
	return r.d.Entries(ctx, driver.EntryQuery{
		Namespace: r.q.Namespace, Kind: r.q.Kind, Owner: from, AllOwners: on, Limit: limit,
	})
}

// hand gives an owner its entries, if it is wanted. Those before it have none.
func (r *ownersReader) hand(owner string, entries []driver.Entry) error {
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
