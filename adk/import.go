package adk

import (
	"context"
	"errors"

	"google.golang.org/adk/v2/session"

	"github.com/seshatdb/seshat"
)

// Imported counts what an import added.
type Imported struct {
	Sessions int // created; 0 = the session existed
	Events   int // appended; events that existed do not count
}

// Import copies a session of any service under the same names, with its state
// and its events in their order and with their timestamps. Its lifecycle begins
// with the import. State of the app and the user is merged into the existing
// state.
//
// Import recognizes imported events by their IDs and does not append them
// again, so an interrupted import can be repeated. It returns
// seshat.ErrConflict if an event has the ID of an event with other content.
func (s *Service) Import(ctx context.Context, src session.Session) (Imported, error) {
	var done Imported
	if src == nil || src.State() == nil || src.Events() == nil {
		return done, invalid("session, its state or its events are nil")
	}
	state := map[string]any{}
	for k, v := range src.State().All() {
		state[k] = v
	}
	t, created, err := s.adopt(ctx, src, state)
	if err != nil {
		return done, explain(err, src.ID())
	}
	if created {
		done.Sessions = 1
	}
	key := SessionID(src.UserID(), src.ID())
	var batch []seshat.Message
	size := 0
	flush := func() error {
		n, err := importBatch(ctx, t, key, batch)
		done.Events += n
		batch = batch[:0]
		size = 0
		return explain(err, src.ID())
	}
	for e := range src.Events().All() {
		m, err := messageOf(withoutTemp(e))
		if err != nil {
			return done, err
		}
		if len(batch) == seshat.MaxTurnMessages || size+len(m.Payload)+len(m.Content) > seshat.MaxTurnBytes/2 {
			if err := flush(); err != nil {
				return done, err
			}
		}
		batch = append(batch, m)
		size += len(m.Payload) + len(m.Content)
	}
	return done, flush()
}

// adopt creates the session with this state, or sets the state of an existing
// one.
func (s *Service) adopt(ctx context.Context, src session.Session, state map[string]any) (*seshat.Tenant, bool, error) {
	n, err := s.newSession(src.UserID(), src.ID(), state)
	if err != nil {
		return nil, false, err
	}
	t, err := s.store.EnsureTenant(ctx, s.namespace(src.AppName()))
	if err != nil {
		return nil, false, err
	}
	_, created, err := t.Ensure(ctx, n)
	if err == nil && !created {
		err = errors.Join(
			t.MergeState(ctx, seshat.SessionScope(n.ID), n.State),
			t.MergeState(ctx, seshat.UserScope(n.UserID), n.UserState),
			t.MergeState(ctx, seshat.NamespaceScope(), n.NamespaceState),
		)
	}
	return t, created, err
}

// importBatch appends the new messages of a batch and returns their number.
func importBatch(ctx context.Context, t *seshat.Tenant, key string, batch []seshat.Message) (int, error) {
	if len(batch) == 0 {
		return 0, nil
	}
	a, err := t.AppendTurn(ctx, key, seshat.Turn{Messages: batch})
	var partly *seshat.MessageIDError
	switch {
	case err == nil && a.Repeated:
		return 0, nil
	case err == nil:
		return len(batch), nil
	case !errors.As(err, &partly) || partly.Seq != 0 || len(batch) == 1:
		return 0, err
	}
	// Some are known. Split the batch until a part is all known, all new or
	// small.
	half := len(batch) / 2
	n, err := importBatch(ctx, t, key, batch[:half])
	if err != nil {
		return n, err
	}
	more, err := importBatch(ctx, t, key, batch[half:])
	return n + more, err
}

// ImportState merges state into the state of an app, or of a user if userID is
// not empty. The keys have no prefix.
func (s *Service) ImportState(ctx context.Context, app, userID string, state map[string]any) error {
	prefix := session.KeyPrefixApp
	scope := seshat.NamespaceScope()
	if userID != "" {
		prefix = session.KeyPrefixUser
		scope = seshat.UserScope(UserName(userID))
	}
	prefixed := make(map[string]any, len(state))
	for k, v := range state {
		prefixed[prefix+k] = v
	}
	d, err := s.split(prefixed)
	if err != nil || len(state) == 0 {
		return err
	}
	t, err := s.store.EnsureTenant(ctx, s.namespace(app))
	if err != nil {
		return err
	}
	if userID != "" {
		return t.MergeState(ctx, scope, d.user)
	}
	return t.MergeState(ctx, scope, d.app)
}
