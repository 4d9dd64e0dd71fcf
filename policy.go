package seshat

import (
	"context"
	"errors"

	"github.com/seshatdb/seshat/driver"
)

// PolicyReport says what ApplyPolicy did.
type PolicyReport struct {
	Sessions int // looked at
	Changed  int // whose lifecycle is another now
}

// ApplyPolicy gives the tenant's live sessions the lifecycle that they would
// get if they were created now: what was chosen for the session itself, then
// the namespace's, then Options'. Deadlines follow at once, also into the
// past. Each session is a write of its own, so a call that ends early has done
// part of the work, and another call goes on with the rest; sessions that
// already agree are not written. Terminated sessions take part. ErrNotFound,
// ErrReadOnly (of the store).
func (t *Tenant) ApplyPolicy(ctx context.Context) (PolicyReport, error) {
	var r PolicyReport
	if _, err := t.readNamespace(ctx); err != nil {
		return r, t.wrapError("ApplyPolicy", "", err)
	}
	for s, err := range t.Sessions(ctx, Query{OldestFirst: true, Limit: policyPage}) {
		if err != nil {
			return r, t.wrapError("ApplyPolicy", "", unwrapError(err))
		}
		r.Sessions++
		changed := false
		_, err := t.writeSession(ctx, "ApplyPolicy", s.ID, driver.Target{}, func(c *sessionWrite) (err error) {
			changed, err = c.applyPolicy()
			return err
		})
		if err != nil && !errors.Is(err, ErrNotFound) { // it ended meanwhile
			return r, err
		}
		if err == nil && changed {
			r.Changed++
		}
	}
	return r, nil
}

// policyPage is how many sessions ApplyPolicy lists at once.
const policyPage = 256

// applyPolicy resolves the session's lifecycle anew. It is no write of the
// session: a sliding TTL is not extended.
func (c *sessionWrite) applyPolicy() (bool, error) {
	s, err := c.requireLive()
	if err != nil {
		return false, err
	}
	life := s.chosenLifecycle.inherit(c.ns.Lifecycle).inherit(c.tenant.store.opts.Lifecycle).resolve()
	if life == s.timeline.Life {
		return false, nil
	}
	s.timeline.Life = life
	s.timeline.Refresh()
	s.Version++
	s.updated = c.now
	c.dirty, c.eventKind = true, eventUpdated
	return true, nil
}
