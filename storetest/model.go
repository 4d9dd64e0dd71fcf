package storetest

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

// model is a store in its simplest form: maps without indexes or due entries,
// and an independent implementation of a session's lifecycle.
type model struct {
	spaces map[string]map[string]*modelSession    // namespace name → id → session
	states map[string]map[string]map[string]int64 // namespace name → scope → state, except scopes of sessions
}

// modelSession is a session as the model stores it. settle applies the passing
// of time.
type modelSession struct {
	id, user, name string
	label          string
	labelled       bool
	status         seshat.Status
	created        time.Time
	written        time.Time // time of the last write
	active         time.Time // time of the last activity
	since          time.Time // start of the status
	terminated     time.Time
	life           seshat.Lifecycle // resolved lifecycle
	version        uint64
	messages       uint64
	log            *modelLog
}

var farFuture = time.UnixMilli(math.MaxInt64 / 2)

func after(t time.Time, d time.Duration) time.Time {
	if d == seshat.Never {
		return farFuture
	}
	return t.Add(d)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// end returns the first moment at which the session no longer exists.
func (s *modelSession) end() time.Time {
	end := after(s.created, s.life.TTL)
	if s.life.Expiry == seshat.ExpirySliding {
		end = after(s.written, s.life.TTL)
	}
	if s.status == seshat.StatusTerminated {
		end = after(s.terminated, s.life.Retention)
	}
	return earlier(end, after(s.created, s.life.MaxLifetime))
}

func (s *modelSession) alive(now time.Time) bool { return now.Before(s.end()) }

// idles returns the time at which the session idles by itself.
func (s *modelSession) idles() time.Time {
	switch {
	case s.status != seshat.StatusActive:
		return farFuture
	case s.since.After(s.active):
		return after(s.since, s.life.IdleAfter)
	}
	return after(s.active, s.life.IdleAfter)
}

// archives returns the time at which the session is archived by itself.
func (s *modelSession) archives() time.Time {
	if s.status != seshat.StatusIdle {
		return farFuture
	}
	return after(s.since, s.life.ArchiveAfter)
}

// settle applies overdue idling and archiving.
func (s *modelSession) settle(now time.Time) (moved bool) {
	if at := s.idles(); !now.Before(at) {
		s.status = seshat.StatusIdle
		s.since = at
		moved = true
	}
	if at := s.archives(); !now.Before(at) {
		s.status = seshat.StatusArchived
		s.since = at
		moved = true
	}
	return moved
}

func (s *modelSession) writable() bool {
	return s.status == seshat.StatusActive || s.status == seshat.StatusIdle
}

// move moves the session explicitly or because of a message.
func (s *modelSession) move(to seshat.Status, now time.Time) {
	s.status = to
	s.since = now
	s.written = now
	switch to {
	case seshat.StatusActive:
		s.active = now
	case seshat.StatusTerminated:
		s.terminated = now
	}
}

// live returns the session at id, or nil.
func (m *model) live(space, id string, now time.Time) *modelSession {
	if s := m.spaces[space][id]; s != nil && s.alive(now) {
		return s
	}
	return nil
}

// all returns the live sessions of a namespace.
func (m *model) all(space string, now time.Time) (all []*modelSession) {
	for _, s := range m.spaces[space] {
		if s.alive(now) {
			all = append(all, s)
		}
	}
	return all
}

// list returns the ids that q selects, in order.
func (m *model) list(space string, q seshat.Query, now time.Time) (ids []string) {
	at := func(s *modelSession) time.Time {
		if q.Order == seshat.OrderByActivity {
			return s.active.Truncate(minute)
		}
		return s.created
	}
	found := slices.DeleteFunc(m.all(space, now), func(s *modelSession) bool {
		label, ok := q.Labels["k"]
		return q.UserID != "" && q.UserID != s.user || ok && (!s.labelled || label != s.label) ||
			len(q.Statuses) > 0 && !slices.Contains(q.Statuses, s.status)
	})
	slices.SortFunc(found, func(a, b *modelSession) int {
		if c := at(a).Compare(at(b)); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	for _, s := range found {
		ids = append(ids, s.id)
	}
	if !q.OldestFirst {
		slices.Reverse(ids)
	}
	return ids
}

// sweep applies everything that is overdue and counts it.
func (m *model) sweep(now time.Time) (r seshat.SweepReport) {
	for _, space := range m.spaces {
		for id, s := range space {
			switch {
			case !s.alive(now):
				delete(space, id)
				r.Expired++
			case s.settle(now):
				s.version++
				if s.status == seshat.StatusIdle {
					r.Idled++
				} else {
					r.Archived++
				}
			}
		}
	}
	return r
}

func (m *model) deleteUser(space, user string, now time.Time) (n uint64) {
	for id, s := range m.spaces[space] {
		if s.user == user {
			if s.alive(now) {
				n++
			}
			delete(m.spaces[space], id)
		}
	}
	delete(m.states[space], userScope(user))
	return n
}

// empty removes all content of the namespace.
func (m *model) empty(space string) {
	m.spaces[space] = map[string]*modelSession{}
	m.states[space] = map[string]map[string]int64{}
}
