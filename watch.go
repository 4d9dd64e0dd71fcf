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

// MaxEvents is how many events one call of Events returns at most.
const MaxEvents = 1000

// Event is one committed change in a namespace's feed.
type Event struct {
	Position  uint64    `json:"position"` // from 1, without gaps
	Time      time.Time `json:"time"`
	Kind      EventKind `json:"kind"`
	SessionID string    `json:"session_id,omitempty"`
	UserID    string    `json:"user_id,omitempty"` // of EventUserErased

	// The session as it was then.
	Status  Status `json:"status,omitempty"`
	Version uint64 `json:"version,omitempty"`
	LastSeq uint64 `json:"last_seq,omitempty"`
}

// EventKind says what happened.
type EventKind uint8

// The kinds of events.
const (
	EventCreated      = EventKind(eventCreated)
	EventUpdated      = EventKind(eventUpdated) // also by an edit of the log, or a merge of state, which leaves Version
	EventAppended     = EventKind(eventAppended)
	EventTransitioned = EventKind(eventTransitioned) // by hand, by a message, or by time
	EventExpired      = EventKind(eventExpired)      // when it was swept, or its id used again
	EventDeleted      = EventKind(eventDeleted)
	EventUserErased   = EventKind(eventUserErased) // stands for all that the user had
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

// UnmarshalText reads the kind's name. ErrInvalid: there is no such kind.
func (k *EventKind) UnmarshalText(text []byte) error {
	i, err := parseEnum(eventNames[:], string(text), "kind")
	*k = EventKind(i)
	return err
}

// LaggedError says that events were asked for which the feed no longer has.
// The way on is to read the sessions anew: see [Tenant.Watch]. It matches
// ErrLagged.
type LaggedError struct {
	Since  uint64 // the position that was asked for
	Oldest uint64 // the oldest one from which the feed can be read
}

func (e *LaggedError) Error() string {
	return fmt.Sprintf("feed lagged: events after %d are gone, up to %d", e.Since, e.Oldest)
}

// Is reports whether target is ErrLagged.
func (e *LaggedError) Is(target error) bool { return target == ErrLagged }

// Watch returns the events of the tenant's feed after position since, and then
// waits for more: every committed change of a session (but for Touch and
// leases), once, in one order that is the same for all watchers, each session
// in the order of its versions. Only what is durable shows. It resumes from
// any position that is still retained, by this store or a later one.
//
// To know the sessions and follow them, read [Tenant.FeedHead], then list,
// then watch from there: what changed in between comes as events.
//
// The loop body runs with nothing locked, may call the store, and holds nobody
// up by being slow. Nothing polls, unless several processes share the data and
// the engine has no way to tell of news: then each second. To watch all
// tenants, run one loop for each.
//
// The loop ends after the first error: the context's; ErrLagged, see
// [LaggedError]; ErrClosed; ErrNotFound: the namespace was deleted;
// ErrInvalid: since is beyond the newest event, which tells of a feed other
// than the one that it came from, such as that of an older backup.
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

// watchPage is how many events a watch reads at once.
const watchPage = 256

// Events returns up to limit events after position since, oldest first, and
// the position of the newest event in the feed. It does not wait. The limit is
// 1 to MaxEvents. Errors as of Watch, but for the context's while waiting.
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

// FeedHead returns the position of the newest event of the tenant's feed, 0 if
// there is none yet. ErrNotFound: the namespace was deleted.
func (t *Tenant) FeedHead(ctx context.Context) (uint64, error) {
	f, err := t.readFeed(ctx, math.MaxUint64, 1)
	if err != nil {
		return 0, t.wrapError("FeedHead", "", err)
	}
	return f.Head, nil
}

// readFeed reads the feed, and tells an empty one from a deleted one.
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

// pollEvery is how often a watch looks for what other processes did, where the
// engine has no way to tell.
const pollEvery = time.Second

// joinFeed adds a watcher of a namespace's feed.
func (s *Store) joinFeed(ord uint64) hub.Watcher {
	if n, ok := s.d.(driver.Notifier); ok {
		s.listening.Do(func() { n.Notify(s.hub.Announce) })
	}
	return s.hub.Join(ord)
}

// waitForNews waits for news, or for a reason to give up.
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

// Kinds of events. The numbers are stored.
const (
	eventCreated      driver.EventKind = 1
	eventUpdated      driver.EventKind = 2
	eventAppended     driver.EventKind = 3
	eventTransitioned driver.EventKind = 4
	eventExpired      driver.EventKind = 5
	eventDeleted      driver.EventKind = 6
	eventUserErased   driver.EventKind = 7
)
