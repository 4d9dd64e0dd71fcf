package adk

import (
	"context"
	"iter"
	"maps"
	"sync"
	"time"

	"google.golang.org/adk/v2/session"

	"github.com/seshatdb/seshat"
)

// handle is a snapshot of a session, plus the events that were appended through
// the handle. It is safe for concurrent use.
type handle struct {
	store         *seshat.Store
	tenant        *seshat.Tenant
	app, user, id string
	stored        *seshat.Session // tells the session from a later one with its id
	writing       chan struct{}   // holds the token of the running append

	mu      sync.RWMutex // guards the fields below
	seq     uint64       // number of the newest event on the handle
	updated time.Time
	state   map[string]any
	events  events // only grows, so a snapshot is a shorter slice
}

func (s *Service) handle(t *seshat.Tenant, stored *seshat.Session, app, user, id string) *handle {
	return &handle{
		store: s.store, tenant: t, app: app, user: user, id: id, stored: stored,
		writing: make(chan struct{}, 1), seq: stored.LastSeq, updated: stored.UpdatedAt,
	}
}

func (h *handle) ID() string           { return h.id }
func (h *handle) AppName() string      { return h.app }
func (h *handle) UserID() string       { return h.user }
func (h *handle) State() session.State { return state{h} }

// Events returns a snapshot of the events. Later appends do not change it.
func (h *handle) Events() session.Events {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.events[:len(h.events):len(h.events)]
}

func (h *handle) LastUpdateTime() time.Time {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.updated
}

// begin waits until no other append of this handle runs.
func (h *handle) begin(ctx context.Context) error {
	select {
	case h.writing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *handle) end() { <-h.writing }

// newestSeq returns the number of the newest event on the handle.
func (h *handle) newestSeq() uint64 {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.seq
}

type events []*session.Event

func (e events) All() iter.Seq[*session.Event] {
	return func(yield func(*session.Event) bool) {
		for _, event := range e {
			if !yield(event) {
				return
			}
		}
	}
}

func (e events) Len() int { return len(e) }

func (e events) At(i int) *session.Event {
	if i < 0 || i >= len(e) {
		return nil
	}
	return e[i]
}

// state is the state of a handle.
type state struct{ h *handle }

func (s state) Get(key string) (any, error) {
	s.h.mu.RLock()
	defer s.h.mu.RUnlock()
	v, ok := s.h.state[key]
	if !ok {
		return nil, session.ErrStateKeyNotExist
	}
	return v, nil
}

// Set changes only the handle. To store state, append an event with a state
// delta.
func (s state) Set(key string, value any) error {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	s.h.state[key] = value
	return nil
}

func (s state) All() iter.Seq2[string, any] {
	s.h.mu.RLock()
	defer s.h.mu.RUnlock()
	return maps.All(maps.Clone(s.h.state))
}
