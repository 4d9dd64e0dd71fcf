package seshat

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// States returns what State would for each of the sessions, which were read
// from this tenant before, in a few reads for all of those that were created
// near each other. It is nil for one whose life has ended since. Each state is
// one durable snapshot; those of different sessions may be of different ones.
// ErrNotFound: the namespace was deleted. ErrInvalid: a session is nil, or was
// not read from a store. ErrCorrupt.
func (t *Tenant) States(ctx context.Context, sessions []*Session) ([]map[string]any, error) {
	r := stateReader{t: t, sessions: sessions, out: make([]map[string]any, len(sessions))}
	err := ready(ctx)
	if err == nil && slices.ContainsFunc(sessions, unread) {
		err = invalid("sessions", "has one that was not read from a store")
	}
	if err == nil {
		err = r.read(ctx)
	}
	if err == nil && !slices.ContainsFunc(r.out, func(m map[string]any) bool { return m != nil }) {
		_, err = t.read(ctx) // an empty namespace and a deleted one differ
	}
	if err != nil {
		return nil, t.fail("States", "", err)
	}
	return r.out, nil
}

func unread(s *Session) bool { return s == nil || s.incarnation == driver.Incarnation{} }

// stateReader reads the states of sessions in the order in which they lie:
// that of their incarnations.
type stateReader struct {
	t        *Tenant
	sessions []*Session
	left     []int // places in sessions that are not done, ordered
	out      []map[string]any
}

// mostStates is how many entries are read at once, at most: more than any one
// session has. The first read is for two of each session, so that what it may
// read in vain is little beside reading each alone.
const mostStates = 4 * (1 + MaxStateKeys)

func (r *stateReader) read(ctx context.Context) error {
	r.left = make([]int, len(r.sessions))
	for i := range r.left {
		r.left[i] = i
	}
	slices.SortFunc(r.left, func(a, b int) int {
		return cmp.Or(bytes.Compare(r.sessions[a].incarnation[:], r.sessions[b].incarnation[:]), cmp.Compare(a, b))
	})
	for limit := min(2*len(r.left), mostStates); len(r.left) > 0; {
		near := false
		var err error
		if limit > 0 {
			near, err = r.readNear(ctx, limit)
		} else {
			err = r.readNext(ctx)
		}
		if err != nil {
			return err
		}
		if limit = min(2*limit, mostStates); !near {
			limit = 0
		}
	}
	return r.finish(ctx)
}

func (r *stateReader) next() *Session { return r.sessions[r.left[0]] }

// readNext reads the state of the next session alone.
func (r *stateReader) readNext(ctx context.Context) error {
	s := r.next()
	entries, err := r.entries(ctx, s, false, 1+MaxStateKeys)
	if err != nil {
		return err
	}
	return r.give(string(s.incarnation[:]), entries)
}

// readNear reads up to limit entries from the next session on, and reports
// whether to go on so: at least every other session that it met was wanted, or
// the first one has more than that.
func (r *stateReader) readNear(ctx context.Context, limit int) (bool, error) {
	entries, err := r.entries(ctx, r.next(), true, limit)
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
		if err := r.give(rest[0].Owner, rest[:n]); err != nil {
			return false, err
		}
		rest = rest[n:]
	}
	if len(entries) < limit {
		r.left = nil // none of them has state
		return true, nil
	}
	wanted -= len(r.left)
	return met == 0 || 2*wanted >= met, nil
}

func (r *stateReader) entries(ctx context.Context, from *Session, on bool, limit int) ([]driver.Entry, error) {
	return r.t.s.d.Entries(ctx, driver.EntryQuery{
		Namespace: r.t.ord, Kind: kindSessionState, Owner: string(from.incarnation[:]), AllOwners: on, Limit: limit,
	})
}

// give makes the state of an incarnation, if it is wanted. Those before it
// have none.
func (r *stateReader) give(inc string, entries []driver.Entry) error {
	for len(r.left) > 0 {
		s := r.next()
		if own := string(s.incarnation[:]); own > inc {
			return nil
		} else if own == inc && len(entries) > 0 {
			m, err := stateOf(entries)
			if err != nil {
				return err
			}
			r.out[r.left[0]] = m
		}
		r.left = r.left[1:]
	}
	return nil
}

// finish tells sessions without state from those that ended.
func (r *stateReader) finish(ctx context.Context) error {
	now := r.t.s.clock.read()
	for i, s := range r.sessions {
		if r.out[i] != nil && (s.ExpiresAt.IsZero() || s.ExpiresAt.After(time.UnixMilli(now))) {
			continue
		}
		live, err := r.t.lives(ctx, s)
		if err != nil {
			return err
		}
		switch {
		case !live:
			r.out[i] = nil
		case r.out[i] == nil:
			r.out[i] = map[string]any{}
		}
	}
	return nil
}

// lives reports whether the life that s is of goes on.
func (t *Tenant) lives(ctx context.Context, s *Session) (bool, error) {
	log, err := t.openLog(ctx, s.ID)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && log.inc == s.incarnation, err
}
