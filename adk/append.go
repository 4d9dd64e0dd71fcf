package adk

import (
	"context"

	"google.golang.org/adk/v2/session"

	"github.com/seshatdb/seshat"
)

// AppendEvent appends an event and its state delta to the session in one
// transaction, and then to the handle cur. The handle must come from Create,
// Get or List of a service on the same store. If AppendEvent fails, the handle
// is unchanged. The cost does not depend on the length of the session.
//
// Events are identified by their ID. If the session already has an event with
// the same ID and content, nothing is appended, so a call with an unknown
// result may be repeated. Partial events are ignored. AppendEvent does not
// change e.
//
// It returns a [StaleError], which matches seshat.ErrConflict, if the handle
// missed events and [Options.AllowConcurrentAppend] is off; seshat.ErrConflict
// if the ID belongs to other content; seshat.ErrNotFound if the session was
// deleted or has expired, even if a new session has its names;
// seshat.ErrReadOnly if the session's status is read-only; seshat.ErrQuota,
// seshat.ErrLease or seshat.ErrInvalid.
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
		return invalid("unexpected session type %T: not from a service on this store", cur)
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
	known := h.newestSeq()
	turn.IfSession = h.stored
	if !s.o.AllowConcurrentAppend {
		turn.IfLastSeq = &known
	}
	a, err := h.tenant.AppendTurn(ctx, h.stored.ID, turn)
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

// took adds the stored event to the handle.
func (s *Service) took(h *handle, a seshat.AppendResult, kept *session.Event, delta map[string]any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := a.First == h.seq+1
	if a.Repeated && !next {
		return // the handle has it, or missed more
	}
	if next {
		h.seq = a.Last
	}
	h.events = append(h.events, kept)
	h.updated = a.Session.UpdatedAt
	s.apply(h.state, delta)
}
