package seshat

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/owners"
)

// States returns what State would for each of the sessions, which were read
// from this tenant before, in a few reads for all of those that were created
// near each other. It is nil for one whose life has ended since. Each state is
// one durable snapshot; those of different sessions may be of different ones.
// ErrInvalid: a session is nil, or was not read from a store. ErrCorrupt.
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
			return nil, invalid("sessions", "has one that was not read from a store")
		}
		lives[i] = string(s.incarnation[:])
	}
	states := make([]map[string]any, len(sessions))
	q := owners.Query{Namespace: t.ordinal, Kind: kindSessionState, Each: 1 + MaxStateKeys}
	err := owners.Read(ctx, t.store.d, q, lives, func(i int, entries []driver.Entry) (err error) {
		states[i], err = decodeState(entries)
		return err
	})
	if err != nil {
		return nil, err
	}
	return states, t.fillEmptyStates(ctx, sessions, states)
}

// fillEmptyStates tells sessions without state from those that ended.
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

// isLive reports whether the life that s is of goes on.
func (t *Tenant) isLive(ctx context.Context, s *Session) (bool, error) {
	log, err := t.openLog(ctx, s.ID)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && log.inc == s.incarnation, err
}
