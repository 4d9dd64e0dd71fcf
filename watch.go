package seshat

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/hub"
)

// MaxEvents is the largest limit of [Tenant.Events].
const MaxEvents = 1000

// Event is one committed change in a namespace's feed.
type Event struct {
	Position  uint64    `json:"position"`             // from 1, without gaps
	Time      time.Time `json:"time"`                 // UTC with millisecond precision
	Kind      EventKind `json:"kind"`                 // kind of the change
	SessionID string    `json:"session_id,omitempty"` // "" if Kind is EventUserErased
	UserID    string    `json:"user_id,omitempty"`    // only if Kind is EventUserErased
	Status    Status    `json:"status,omitempty"`     // Session.Status after the change
	Version   uint64    `json:"version,omitempty"`    // Session.Version after the change
	LastSeq   uint64    `json:"last_seq,omitempty"`   // Session.LastSeq after the change
}

// EventKind is the kind of a change.
type EventKind uint8

// The kinds of events.
const (
	EventCreated      = EventKind(eventCreated)      // Create, Ensure, Fork or Restore
	EventUpdated      = EventKind(eventUpdated)      // an update, an edit of the log, or a merge of state
	EventAppended     = EventKind(eventAppended)     // an append, also if it woke the session
	EventTransitioned = EventKind(eventTransitioned) // Transition, or a deadline
	EventExpired      = EventKind(eventExpired)      // the session was swept, or its id used again
	EventDeleted      = EventKind(eventDeleted)      // Delete
	EventUserErased   = EventKind(eventUserErased)   // DeleteUser: one event for all of the user's data
)

var eventNames = [...]string{
	EventCreated: "created", EventUpdated: "updated", EventAppended: "appended",
	EventTransitioned: "transitioned", EventExpired: "expired", EventDeleted: "deleted",
	EventUserErased: "user_erased",
}

// String returns created, updated, appended, transitioned, expired, deleted or
// user_erased.
func (k EventKind) String() string { return enumName(eventNames[:], int(k), "kind") }

// MarshalText returns the kind's name.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the kind's name.
//
// Errors: ErrInvalid if there is no such kind.
func (k *EventKind) UnmarshalText(text []byte) error {
	i, err := parseEnum(eventNames[:], string(text), "kind")
	*k = EventKind(i)
	return err
}

// LaggedError reports that the feed no longer has the events after a position.
// To continue, read the sessions anew: see [Tenant.Watch]. It matches
// ErrLagged.
type LaggedError struct {
	Since  uint64 // the requested position
	Oldest uint64 // the oldest position from which the feed can be read
}

// Error names the requested and the oldest position.
func (e *LaggedError) Error() string {
	return fmt.Sprintf("feed lagged: events after %d are gone, up to %d", e.Since, e.Oldest)
}

// Is reports whether target is ErrLagged.
func (e *LaggedError) Is(target error) bool { return target == ErrLagged }

// Watch returns an iterator over the events of the tenant's feed after position
// since, which waits for more at the end. The feed has every durable change of
// a session once, except touches and leases. All watchers see the same order,
// and each session's events are in the order of its versions. A watch can
// resume from any position that the feed still has, also after the store was
// reopened.
//
// To read all sessions and then follow them, call [Tenant.FeedHead], list the
// sessions, and watch from that position: changes during the list arrive as
// events.
//
// The loop body runs with nothing locked, and may call the store. A slow body
// delays no other caller. If several processes share the data and the engine
// cannot announce changes, the watch polls once a second. To watch all tenants,
// run one loop for each.
//
// The loop ends after the first error.
//
// Errors: ErrLagged if the feed was trimmed past since, see [LaggedError];
// ErrNotFound if the namespace was deleted; ErrInvalid if since is beyond the
// newest event, for example because an older backup was restored; ErrClosed;
// the context's error.
func (t *Tenant) Watch(ctx context.Context, since uint64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		w := t.store.joinFeed(t.ordinal)
		defer w.Leave()
		for at := since; ; {
			news := w.News()
			page, _, err := t.events(ctx, at, watchPage)
			if err == nil && len(page) == 0 {
				err = t.store.waitForNews(ctx, news)
			}
			if err != nil {
				yield(Event{}, t.wrapError("Watch", "", err))
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
				at = e.Position
			}
		}
	}
}

// watchPage is the number of events that a watch reads at once.
const watchPage = 256

// Events returns up to limit events after position since, oldest first, and the
// position of the newest event in the feed. It does not wait. The limit is 1 to
// MaxEvents.
//
// Errors: those of [Tenant.Watch].
func (t *Tenant) Events(ctx context.Context, since uint64, limit int) (events []Event, head uint64, err error) {
	if limit < 1 || limit > MaxEvents {
		return nil, 0, t.wrapError("Events", "", invalid("limit", "is %d; 1 to %d are allowed", limit, MaxEvents))
	}
	events, head, err = t.events(ctx, since, limit)
	if err != nil {
		return nil, 0, t.wrapError("Events", "", err)
	}
	return events, head, nil
}

// FeedHead returns the position of the newest event in the tenant's feed, or 0
// if the feed is empty.
//
// Errors: ErrNotFound if the namespace was deleted.
func (t *Tenant) FeedHead(ctx context.Context) (uint64, error) {
	f, err := t.readFeed(ctx, math.MaxUint64, 1)
	if err != nil {
		return 0, t.wrapError("FeedHead", "", err)
	}
	return f.Head, nil
}

// readFeed reads the feed. If it has no events, readFeed checks that the
// namespace was not deleted.
func (t *Tenant) readFeed(ctx context.Context, after uint64, limit int) (driver.Feed, error) {
	if err := checkContext(ctx); err != nil {
		return driver.Feed{}, err
	}
	f, err := t.store.d.Feed(ctx, driver.FeedQuery{Namespace: t.ordinal, After: after, Limit: limit})
	if err == nil && len(f.Events) == 0 {
		_, err = t.readNamespace(ctx)
	}
	return f, err
}

func (t *Tenant) events(ctx context.Context, since uint64, limit int) ([]Event, uint64, error) {
	f, err := t.readFeed(ctx, since, limit)
	if errors.Is(err, ErrLagged) {
		if f, err = t.readFeed(ctx, math.MaxUint64, 1); err == nil {
			err = &LaggedError{Since: since, Oldest: f.Tail}
		}
	}
	if err != nil {
		return nil, 0, err
	}
	if since > f.Head {
		return nil, 0,
			invalid("since", "is %d; at most the position of the newest event, %d, is allowed", since, f.Head)
	}
	events := make([]Event, len(f.Events))
	for i := range f.Events {
		events[i] = newEvent(&f.Events[i])
	}
	return events, f.Head, nil
}

func newEvent(e *driver.Event) Event {
	out := Event{
		Position: e.Position, Time: timeFromMillis(e.Time), Kind: EventKind(e.Kind),
		SessionID: e.ID, Status: Status(e.Status), Version: e.Version, LastSeq: e.LastSeq,
	}
	if e.Kind == eventUserErased {
		out.SessionID = ""
		out.UserID = e.ID
	}
	return out
}

// pollEvery is the pause between two reads of a watch if the engine cannot
// announce changes of other processes.
const pollEvery = time.Second

// joinFeed adds a watcher of a namespace's feed.
func (s *Store) joinFeed(ord uint64) hub.Watcher {
	if n, ok := s.d.(driver.Notifier); ok {
		s.listening.Do(func() { n.Notify(s.hub.Announce) })
	}
	return s.hub.Join(ord)
}

// waitForNews waits for a change of the feed, the end of ctx, or Close.
func (s *Store) waitForNews(ctx context.Context, news <-chan struct{}) error {
	var poll <-chan time.Time
	if _, ok := s.d.(driver.Notifier); !ok && s.d.Caps().Shared {
		t := time.NewTimer(pollEvery)
		defer t.Stop()
		poll = t.C
	}
	select {
	case <-news:
	case <-poll:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.hub.Done():
		return ErrClosed
	}
	return nil
}

// The stored numbers of the kinds of events.
const (
	eventCreated      driver.EventKind = 1
	eventUpdated      driver.EventKind = 2
	eventAppended     driver.EventKind = 3
	eventTransitioned driver.EventKind = 4
	eventExpired      driver.EventKind = 5
	eventDeleted      driver.EventKind = 6
	eventUserErased   driver.EventKind = 7
)
