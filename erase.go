package seshat

import (
	"context"
	"encoding/binary"

	"github.com/seshatdb/seshat/driver"
)

// EraseReport counts what an erasure removed.
type EraseReport struct {
	Sessions uint64 `json:"sessions"`
	Messages uint64 `json:"messages"`
	Bytes    uint64 `json:"bytes"`   // of sessions and messages, as stored
	Entries  uint64 `json:"entries"` // of state
}

func (e *EraseReport) add(d driver.Erased) {
	e.Sessions += d.Sessions
	e.Messages += d.Messages
	e.Bytes += d.Bytes
	e.Entries += d.Entries
}

// reclaimStep is how many keys one commit of reclaiming removes.
const reclaimStep = 256

// DeleteUser removes all that the user has in the namespace: sessions with
// their logs, message ids and state, and the user's own state. All of it is
// invisible at once and for good when the first commit is durable; the rest of
// the call reclaims its space in bounded steps, and the sweeper goes on where
// a crash or the end of ctx stopped it. The counts are of what this call
// removed; if it ends early they fall short, and err says why. A user without
// anything is not an error. ErrInvalid, ErrNotFound.
func (t *Tenant) DeleteUser(ctx context.Context, user string) (EraseReport, error) {
	const op = "DeleteUser"
	if err := checkName("user_id", user).err(); err != nil {
		return EraseReport{}, t.wrapError(op, "", err)
	}
	e, err := t.erase(ctx, driver.Erasure{Namespace: t.ordinal, User: user},
		func(v driver.View, _ *Namespace, c *driver.Change) {
			c.Events = []driver.Event{{Time: v.Now, ID: user, Kind: eventUserErased}}
			c.Entries = []driver.Entry{{EntryKey: erasuresKey(t.ordinal), Value: increment(v.Entries[1])}}
		})
	if err != nil {
		return e, t.wrapError(op, "", err)
	}
	return e, nil
}

// DeleteNamespace removes the namespace with all that is in it, as DeleteUser
// does for a user; its name is free at once. ErrNotFound.
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

// erase makes x invisible and then reclaims it, keeping the sweeper off so
// that the counts are whole.
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

// increment counts a stored number up.
func increment(b []byte) []byte {
	n := uint64(0)
	if len(b) == 8 {
		n = binary.BigEndian.Uint64(b)
	}
	return binary.BigEndian.AppendUint64(nil, n+1)
}

// reclaimAll frees what erasures left, beside no other that counts.
func (s *Store) reclaimAll(ctx context.Context) error {
	unlock, err := s.sweep.lock(ctx)
	if err == nil {
		defer unlock()
		_, err = s.reclaim(ctx, driver.Erasure{})
	}
	return err
}

// reclaim frees what erasures left, until nothing is, and counts what x had.
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
