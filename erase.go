package seshat

import (
	"context"
	"encoding/binary"

	"github.com/seshatdb/seshat/driver"
)

// EraseReport counts the things that an erasure removed.
type EraseReport struct {
	Sessions uint64 `json:"sessions"` // live sessions
	Messages uint64 `json:"messages"` // messages of these sessions
	Bytes    uint64 `json:"bytes"`    // stored bytes of these sessions and messages
	Entries  uint64 `json:"entries"`  // values of state
}

func (e *EraseReport) add(d driver.Erased) {
	e.Sessions += d.Sessions
	e.Messages += d.Messages
	e.Bytes += d.Bytes
	e.Entries += d.Entries
}

// reclaimStep is the number of keys that one commit reclaims at most.
const reclaimStep = 256

// DeleteUser removes all data of the user in the namespace: the sessions with
// their logs, message ids and state, and the user's own state. The data is
// invisible at once and for good when the first commit is durable. The rest of
// the call reclaims the space in bounded steps. If a crash or the end of ctx
// stops it, the sweeper continues. The report counts the things that this call
// removed: if the call ends early, the report is incomplete and err says why. A
// user without data is not an error.
//
// Errors: ErrNotFound if the namespace was deleted; ErrInvalid; the context's
// error.
func (t *Tenant) DeleteUser(ctx context.Context, user string) (EraseReport, error) {
	const op = "DeleteUser"
	if err := checkName("user_id", user).err(); err != nil {
		return EraseReport{}, t.wrapError(op, "", err)
	}
	e, err := t.erase(ctx, driver.Erasure{Namespace: t.ordinal, UserID: user},
		func(v driver.View, _ *Namespace, c *driver.Change) {
			c.Events = []driver.Event{{Time: v.Now, ID: user, Kind: eventUserErased}}
			c.Entries = []driver.Entry{{EntryKey: erasuresKey(t.ordinal), Value: increment(v.Entries[1])}}
		})
	if err != nil {
		return e, t.wrapError(op, "", err)
	}
	return e, nil
}

// DeleteNamespace removes the namespace and everything in it, as DeleteUser
// does for a user. The name is free at once.
//
// Errors: ErrNotFound if the namespace was deleted before; the context's error.
func (t *Tenant) DeleteNamespace(ctx context.Context) (EraseReport, error) {
	e, err := t.erase(ctx, driver.Erasure{Namespace: t.ordinal}, func(_ driver.View, n *Namespace, c *driver.Change) {
		c.Entries = []driver.Entry{
			{EntryKey: namespaceKey(t.id)},
			{EntryKey: namespaceNameKey(t.organization, n.Name)},
		}
	})
	if err != nil {
		return e, t.wrapError("DeleteNamespace", "", err)
	}
	return e, nil
}

// erase makes x invisible and reclaims its space. It holds the sweeper's lock,
// because the sweeper would reclaim without counting.
func (t *Tenant) erase(ctx context.Context, x driver.Erasure,
	also func(driver.View, *Namespace, *driver.Change),
) (EraseReport, error) {
	if err := checkContext(ctx); err != nil {
		return EraseReport{}, err
	}
	unlock, err := t.store.sweep.lock(ctx)
	if err != nil {
		return EraseReport{}, err
	}
	defer unlock()
	target := driver.Target{
		Key:     driver.Key{Namespace: t.ordinal},
		Entries: []driver.EntryKey{namespaceKey(t.id), erasuresKey(t.ordinal)},
	}
	err = t.store.mutate(ctx, target, func(v driver.View) (driver.Change, error) {
		n, err := t.cachedNamespace(v.Entries[0])
		if err != nil {
			return driver.Change{}, err
		}
		c := driver.Change{Erase: &x}
		also(v, n, &c)
		return c, nil
	})
	if err != nil {
		return EraseReport{}, err
	}
	return t.store.reclaim(ctx, x)
}

// increment returns the stored number b plus one.
func increment(b []byte) []byte {
	n := uint64(0)
	if len(b) == 8 {
		n = binary.BigEndian.Uint64(b)
	}
	return binary.BigEndian.AppendUint64(nil, n+1)
}

// reclaimAll reclaims the space of all erasures.
func (s *Store) reclaimAll(ctx context.Context) error {
	unlock, err := s.sweep.lock(ctx)
	if err == nil {
		defer unlock()
		_, err = s.reclaim(ctx, driver.Erasure{})
	}
	return err
}

// reclaim reclaims the space of all erasures, and counts the part of x.
func (s *Store) reclaim(ctx context.Context, x driver.Erasure) (sum EraseReport, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		r, err := s.d.Reclaim(ctx, s.clock.Read(), reclaimStep)
		for _, e := range r.Erased {
			if e.Erasure == x {
				sum.add(e)
			}
		}
		if err != nil || !r.More {
			return sum, err
		}
	}
}

// Delete removes the session and everything that belongs to it, in any status,
// at once and for good. If the id is used again, the new session starts empty.
// Delete returns the numbers of what it removed.
//
// Errors: ErrNotFound; ErrInvalid.
func (t *Tenant) Delete(ctx context.Context, id string) (EraseReport, error) {
	var gone EraseReport
	_, err := t.writeSession(ctx, "Delete", id, driver.Target{}, func(c *tenantWrite) error {
		s, err := c.requireLive()
		if err != nil {
			return err
		}
		gone = EraseReport{Sessions: 1, Messages: s.MessageCount, Bytes: s.bytes}
		c.remove(eventDeleted)
		return nil
	})
	if err != nil {
		return EraseReport{}, err
	}
	return gone, nil
}
