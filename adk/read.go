package adk

import (
	"context"
	"slices"
	"time"

	"google.golang.org/adk/v2/session"

	"github.com/seshatdb/seshat"
)

// read returns the session that req names. It reads the record, and then the
// log and the state at the record's LastSeq. It starts again if the id belongs
// to another session meanwhile.
func (s *Service) read(ctx context.Context, t *seshat.Tenant, req *session.GetRequest) (*handle, error) {
	key := SessionID(req.UserID, req.SessionID)
	stored, err := t.Get(ctx, key)
	for {
		if err != nil {
			return nil, err
		}
		h := s.handle(t, stored, req.AppName, req.UserID, req.SessionID)
		failed := h.load(ctx, req)
		now, err := t.Get(ctx, key)
		if err != nil {
			return nil, err
		}
		if now.CreatedAt.Equal(stored.CreatedAt) {
			return h, failed
		}
		stored = now
	}
}

// load reads the events that req selects, and the state.
func (h *handle) load(ctx context.Context, req *session.GetRequest) (err error) {
	if h.seq > 0 {
		if h.events, err = h.readEvents(ctx, req.NumRecentEvents, req.After); err != nil {
			return err
		}
	}
	own, err := h.tenant.StateAt(ctx, h.stored.ID, h.seq)
	if err != nil {
		return err
	}
	if h.state, err = readShared(ctx, h.tenant, h.user); err != nil {
		return err
	}
	return addScope(h.state, own, "")
}

// readEvents returns the events up to h.seq with a time at or after after. If n
// is not 0, it returns only the newest n of them.
func (h *handle) readEvents(ctx context.Context, n int, after time.Time) (events, error) {
	q := seshat.HistoryQuery{ToSeq: h.seq, NewestFirst: n > 0}
	var out events
	for m, err := range h.tenant.Messages(ctx, h.stored.ID, q) {
		if err != nil {
			return nil, err
		}
		if m.Timestamp.Add(time.Millisecond).Before(after) {
			continue // no need to decode it: Timestamp is in whole milliseconds
		}
		e, err := eventOf(&m)
		if err != nil {
			return nil, err
		}
		if e.Timestamp.Before(after) {
			continue
		}
		if out = append(out, e); len(out) == n {
			break
		}
	}
	if n > 0 {
		slices.Reverse(out)
	}
	return out, nil
}

// lister converts the sessions of a list to handles.
type lister struct {
	s     *Service
	t     *seshat.Tenant
	app   string
	users map[string]map[string]any // state shared by the sessions of each user
}

// add appends the handles of a page to a list. It leaves out sessions that ADK
// did not create, and sessions that ended meanwhile.
func (l *lister) add(ctx context.Context, list []session.Session, page []*seshat.Session) ([]session.Session, error) {
	states, err := l.t.States(ctx, page)
	if err != nil {
		return nil, err
	}
	for i, stored := range page {
		user, id, ok := Names(stored)
		if !ok || states[i] == nil {
			continue
		}
		h := l.s.handle(l.t, stored, l.app, user, id)
		if h.state, err = l.state(ctx, user, states[i]); err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	return list, nil
}

// state returns the whole state of a session, given its own state and its user.
func (l *lister) state(ctx context.Context, user string, own map[string]any) (map[string]any, error) {
	shared, ok := l.users[user]
	if !ok {
		var err error
		if shared, err = readShared(ctx, l.t, user); err != nil {
			return nil, err
		}
		l.users[user] = shared
	}
	m := make(map[string]any, len(shared)+len(own))
	for k, v := range shared {
		m[k] = clone(v)
	}
	return m, addScope(m, own, "")
}
