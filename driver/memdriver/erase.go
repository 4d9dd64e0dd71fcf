package memdriver

import (
	"context"
	"strings"

	"github.com/seshatdb/seshat/driver"
)

// erase deletes the data that e names. Reclaim reports it later, as for drivers
// that delete it only then.
func (d *Driver) erase(e driver.Erasure) {
	e.UserID = strings.Clone(e.UserID)
	n := driver.Erased{Erasure: e}
	s := d.space(e.Namespace)
	for id, r := range s.records {
		if e.UserID == "" || r.UserID == e.UserID {
			n.Sessions++
			n.Messages += r.Messages
			n.Bytes += r.Bytes
			n.Entries += uint64(len(s.life(r.Incarnation).entries))
			s.remove(id)
		}
	}
	for k := range s.entries {
		if e.Covers(&k) {
			n.Entries++
			delete(s.entries, k)
		}
	}
	if e.UserID == "" {
		delete(d.spaces, e.Namespace)
	}
	if n.Sessions+n.Entries > 0 {
		d.erased = append(d.erased, n)
	}
}

// Reclaim removes each log whose time as a staged log is over, whole, and
// reports the erasures since the last call.
func (d *Driver) Reclaim(ctx context.Context, now int64, limit int) (driver.Reclaimed, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ready(ctx); err != nil {
		return driver.Reclaimed{}, err
	}
	r := driver.Reclaimed{Erased: d.erased}
	d.erased = nil
	for _, s := range d.spaces {
		for inc, l := range s.lives {
			if !l.staged || l.until > now {
				continue
			}
			if r.Values >= limit {
				r.More = true
				return r, nil
			}
			r.Values += 1 + len(l.messages)
			delete(s.lives, inc)
		}
	}
	return r, nil
}
