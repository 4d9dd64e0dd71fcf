package adk

import (
	"context"

	"google.golang.org/adk/v2/session"

	"github.com/seshatdb/seshat"
)

// AppendEvent adds an event to the session, with the state that it sets, in
// one transaction, and then to the handle cur, which Create, Get or List of a
// service on the same store returned. If it fails the handle is as it was. It
// costs the same however long the session is.
//
// Events are told apart by their ID. One that the session has already, with
// the same content, is not added again: a call whose outcome is unknown may be
// repeated. Partial events are ignored. The event is not changed.
//
// A [StaleError] (seshat.ErrConflict): the handle missed events, and
// [Options.AllowConcurrentAppend] is off. seshat.ErrConflict also: the ID is
// taken by other content. seshat.ErrNotFound: the session was deleted or has
// expired, even if there is a new one of its names. seshat.ErrReadOnly: it is
// archived or terminated. seshat.ErrQuota, seshat.ErrLease, seshat.ErrInvalid.
func (s *Service) AppendEvent(ctx context.Context, cur session.Session, e *session.Event) error {
	if cur == nil {
		return invalid("session is nil")
	}
	if e == nil {
		return invalid("event is nil")
	}
	if e.Partial {
		return nil
	}
	h, ok := cur.(*handle)
	if !ok || h == nil || h.store != s.store {
		return invalid("unexpected session type %T: it is not of a service on this store", cur)
	}
	kept := withoutTemp(e)
	turn, err := s.turn(kept)
	if err != nil {
		return err
	}
	if err := h.begin(ctx); err != nil {
		return err
	}
	defer h.end()
	known := h.known()
	turn.IfSession = h.life
	if !s.o.AllowConcurrentAppend {
		turn.IfLastSeq = &known
	}
	a, err := h.tenant.AppendTurn(ctx, h.life.ID, turn)
	if err != nil {
		return explainAppend(err, h)
	}
	s.took(h, a, kept, e.Actions.StateDelta)
	return nil
}

func (s *Service) turn(e *session.Event) (seshat.Turn, error) {
	delta, err := s.split(e.Actions.StateDelta)
	if err != nil {
		return seshat.Turn{}, err
	}
	m, err := messageOf(e)
	return seshat.Turn{
		Messages: []seshat.Message{m},
		State:    delta.own, UserState: delta.user, NamespaceState: delta.app,
	}, err
}

// took adds to the handle what the store took.
func (s *Service) took(h *handle, a seshat.AppendResult, kept *session.Event, delta map[string]any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := a.First == h.seq+1
	if a.Repeated && !next {
		return // the handle has it, or missed more than it
	}
	if next {
		h.seq = a.Last
	}
	h.events = append(h.events, kept)
	h.updated = a.Session.UpdatedAt
	s.apply(h.state, delta)
}
