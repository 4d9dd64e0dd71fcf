package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/seshatdb/seshat"
)

var watches = []promise{
	{name: "every change shows once in order", test: watchOrder},
	{name: "what changed nothing shows nothing", test: watchSilence},
	{name: "time shows when it is applied", test: watchTime},
	{name: "an erased user shows as one event", test: watchErasure},
	{name: "tenants see their own", test: watchTenants},
	{name: "resumes from any position", test: watchResume},
	{name: "resumes after reopening", test: watchReopened},
	{name: "list then watch has no gap", test: watchAfterList},
	{name: "concurrent writers give one order", test: watchRaces},
	{name: "a loop may write and may leave", test: watchReentrant},
	{name: "trimmed by count tells a laggard", test: watchLagged, options: seshat.Options{FeedEvents: 16}},
	{name: "trimmed by age keeps the young", test: watchAge, options: seshat.Options{FeedAge: hour}},
	{name: "age never trims nothing", test: watchAgeNever, options: seshat.Options{FeedAge: seshat.Never}},
	{name: "all feeds get their turn", test: watchAgeTurns, options: seshat.Options{FeedAge: hour}},
	{name: "ends with context namespace and store", test: watchEnds},
	{name: "positions are checked", test: watchArguments},
}

// events returns all events after a position.
func (e *env) events(t *seshat.Tenant, since uint64) (events []seshat.Event) {
	e.Helper()
	for {
		page, head, err := t.Events(e.ctx, since, 7)
		e.must(err)
		events = append(events, page...)
		if since += uint64(len(page)); since == head {
			return events
		}
	}
}

// expectEvents fails the test unless the events after a position are these, as
// "kind session version/last_seq".
func (e *env) expectEvents(t *seshat.Tenant, since uint64, want ...string) {
	e.Helper()
	var got []string
	for i, ev := range e.events(t, since) {
		equal(e, "position", ev.Position, since+uint64(i)+1)
		got = append(got, fmt.Sprintf("%v %s%s %d/%d", ev.Kind, ev.SessionID, ev.UserID, ev.Version, ev.LastSeq))
	}
	if !slices.Equal(got, want) {
		e.Fatalf("feed after %d: got %q, want %q", since, got, want)
	}
}

// feedHead returns the position of the newest event.
func (e *env) feedHead(t *seshat.Tenant) uint64 {
	e.Helper()
	n, err := t.FeedHead(e.ctx)
	e.must(err)
	return n
}

// expectWatchError fails the test unless a watch returns that error before any
// event.
func (e *env) expectWatchError(ctx context.Context, t *seshat.Tenant, since uint64, want error) {
	e.Helper()
	n := 0
	for ev, err := range t.Watch(ctx, since) {
		if err == nil {
			e.Fatalf("got event %v, want %v", ev, want)
		}
		e.isError(err, want)
		n++
	}
	equal(e, "errors of a watch", n, 1)
}

func watchOrder(e *env) {
	t := e.tenant("a")
	equal(e, "head of a new feed", e.feedHead(t), 0)
	e.create(t, seshat.NewSession{ID: "x"})
	e.must(e.say(t, "x", 0))
	e.update(t, "x", func(s *seshat.Session) { s.Name = "n" })
	e.turn(t, "x", seshat.Turn{Messages: says("a", "b"), State: kv{"k": 1}})
	e.merge(t, seshat.SessionScope("x"), kv{"k": 2})
	e.move(t, "x", seshat.StatusIdle)
	e.must(e.say(t, "x", 0)) // wakes it
	e.move(t, "x", seshat.StatusTerminated)
	e.must(second(t.Delete(e.ctx, "x")))
	e.create(t, seshat.NewSession{ID: "x"})
	e.expectEvents(t, 0, "created x 1/0", "appended x 1/1", "updated x 2/1", "appended x 2/3", "updated x 2/3",
		"transitioned x 3/3", "transitioned x 3/4", "appended x 3/4", "transitioned x 4/4", "deleted x 4/4",
		"created x 1/0")
	equal(e, "head", e.feedHead(t), 11)
	for ev, err := range t.Watch(e.ctx, 8) {
		e.must(err)
		want := seshat.Event{
			Position: 9, Time: e.clock.Now(), Kind: seshat.EventTransitioned, SessionID: "x",
			Status: seshat.StatusTerminated, Version: 4, LastSeq: 4,
		}
		equal(e, "event", ev, want)
		break
	}
}

func watchSilence(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{UserID: "mia"})
	at := e.feedHead(t)
	e.must(second(t.Touch(e.ctx, s.ID)))
	l := e.acquire(t, s.ID, "one")
	e.isError(e.say(t, s.ID, 0), seshat.ErrLease)
	e.must(t.ReleaseLease(e.ctx, s.ID, l.Token))
	e.merge(t, seshat.UserScope("mia"), kv{"k": 1})
	e.merge(t, seshat.NamespaceScope(), kv{"k": 1})
	e.merge(t, seshat.SessionScope(s.ID), nil)
	e.move(t, s.ID, seshat.StatusActive)
	e.must(t.SetQuotas(e.ctx, seshat.NamespaceQuotas{MaxSessions: 1}))
	e.isError(second(t.Create(e.ctx, seshat.NewSession{})), seshat.ErrQuota)
	e.isError(second(t.Create(e.ctx, seshat.NewSession{ID: s.ID})), seshat.ErrExists)
	e.expectEvents(t, at)
}

func watchTime(e *env) {
	t := e.tenant("a")
	life := seshat.Lifecycle{TTL: 3 * hour, IdleAfter: hour, ArchiveAfter: hour}
	e.create(t, seshat.NewSession{ID: "swept", Lifecycle: life})
	e.create(t, seshat.NewSession{ID: "used", Lifecycle: life})
	at := e.feedHead(t)
	e.clock.Advance(hour)
	e.expectEvents(t, at) // no call has applied the deadline yet
	e.must(e.say(t, "used", 0))
	e.sweep()
	e.expectEvents(t, at, "appended used 1/1", "transitioned swept 2/0") // it idled and woke in the same write
	e.clock.Advance(3 * hour)
	at = e.feedHead(t)
	e.create(t, seshat.NewSession{ID: "used"})
	e.sweep()
	e.expectEvents(t, at, "expired used 1/1", "created used 1/0", "expired swept 2/0")
}

func watchErasure(e *env) {
	t := e.tenant("a")
	e.create(t, seshat.NewSession{ID: "x", UserID: "mia"})
	e.create(t, seshat.NewSession{ID: "y", UserID: "mia"})
	e.must(second(t.DeleteUser(e.ctx, "mia")))
	e.expectEvents(t, 2, "user_erased mia 0/0")
	ev := e.events(t, 2)[0]
	equal(e, "user_id", ev.UserID, "mia")
	equal(e, "session_id", ev.SessionID, "")
}

func watchTenants(e *env) {
	t := e.tenant("a")
	other := e.tenant("b")
	e.create(t, seshat.NewSession{ID: "x"})
	e.create(other, seshat.NewSession{ID: "x"})
	e.create(t, seshat.NewSession{ID: "y"})
	e.expectEvents(t, 0, "created x 1/0", "created y 1/0")
	e.expectEvents(other, 0, "created x 1/0")
}

// makeChanges makes n changes.
func (e *env) makeChanges(t *seshat.Tenant, n int) {
	e.Helper()
	for range n {
		_, created, err := t.Ensure(e.ctx, seshat.NewSession{ID: "some"})
		e.must(err)
		if !created {
			e.must(e.say(t, "some", 0))
		}
	}
}

func watchResume(e *env) {
	t := e.tenant("a")
	e.makeChanges(t, 40)
	all := e.events(t, 0)
	for since := range uint64(len(all)) {
		want := all[since:]
		for ev, err := range t.Watch(e.ctx, since) {
			e.must(err)
			equal(e, "event", ev, want[0])
			if want = want[1:]; len(want) == 0 {
				break
			}
		}
	}
}

func watchReopened(e *env) {
	t := e.tenant("a")
	e.makeChanges(t, 5)
	before := e.events(t, 0)
	e.reopen()
	t = e.tenant("a")
	e.makeChanges(t, 5)
	after := e.events(t, 0)
	if !slices.Equal(after[:len(before)], before) {
		e.Fatalf("feed: got %v, want %v first", after, before)
	}
	if !slices.Equal(e.events(t, uint64(len(before))), after[len(before):]) {
		e.Fatal("the feed does not resume")
	}
}

// watchAfterList lists the versions once and then follows them by Watch, while
// others write. In the end they equal the stored versions.
func watchAfterList(e *env) {
	t := e.tenant("a")
	const sessions, rounds = 6, 30
	var wg sync.WaitGroup
	begun := make(chan struct{})
	wg.Go(func() {
		for i := range sessions * rounds {
			id := fmt.Sprint(i % sessions)
			if _, _, err := t.Ensure(e.ctx, seshat.NewSession{ID: id}); err != nil {
				e.Error(err)
			}
			if err := e.say(t, id, 0); err != nil {
				e.Error(err)
			}
			if i == sessions*rounds/2 {
				close(begun)
			}
		}
	})
	<-begun
	at := e.feedHead(t)
	known := map[string]uint64{}
	for s, err := range t.Sessions(e.ctx, seshat.Query{Limit: 2}) {
		e.must(err)
		known[s.ID] = s.LastSeq
	}
	wg.Wait()
	for _, ev := range e.events(t, at) {
		known[ev.SessionID] = max(known[ev.SessionID], ev.LastSeq)
	}
	for i := range sessions {
		id := fmt.Sprint(i)
		equal(e, "last_seq of "+id, known[id], e.get(t, id).LastSeq)
	}
}

// watchRaces lets several goroutines watch while others write.
func watchRaces(e *env) {
	t := e.tenant("a")
	const writers, watchers, each = 6, 3, 40
	ids := []string{"x", "y"}
	for _, id := range ids {
		e.create(t, seshat.NewSession{ID: id})
	}
	total := len(ids) + writers*each
	seen := make([][]seshat.Event, watchers)
	var wg sync.WaitGroup
	for i := range seen {
		wg.Go(func() {
			for ev, err := range t.Watch(e.ctx, 0) {
				if err != nil {
					e.Error(err)
					return
				}
				if seen[i] = append(seen[i], ev); len(seen[i]) == total {
					return
				}
			}
		})
	}
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := e.makeChange(t, ids[w%len(ids)], i); err != nil {
					e.Error(err)
				}
			}
		})
	}
	wg.Wait()
	e.expectOrdered(seen[0])
	for i := range seen {
		if !slices.Equal(seen[i], seen[0]) {
			e.Fatalf("watcher %d saw another order than the first", i)
		}
	}
}

// makeChange makes one change. i selects its kind.
func (e *env) makeChange(t *seshat.Tenant, id string, i int) error {
	switch i % 3 {
	case 0:
		return e.say(t, id, 0)
	case 1:
		return t.MergeState(e.ctx, seshat.SessionScope(id), kv{"k": i})
	}
	for {
		err := second(t.Update(e.ctx, id, func(s *seshat.Session) error {
			s.Name = fmt.Sprint(i)
			return nil
		}, seshat.UpdateOptions{}))
		if !errors.Is(err, seshat.ErrConflict) {
			return err
		}
	}
}

// expectOrdered fails the test unless positions have no gaps and each session's
// changes are in order.
func (e *env) expectOrdered(events []seshat.Event) {
	e.Helper()
	last := map[string]seshat.Event{}
	for i, ev := range events {
		equal(e, "position", ev.Position, uint64(i+1))
		was := last[ev.SessionID]
		version := was.Version
		seq := was.LastSeq
		switch ev.Kind {
		case seshat.EventCreated:
			version = 1
		case seshat.EventAppended:
			seq++
		case seshat.EventUpdated:
			version = max(version, min(version+1, ev.Version)) // a merge leaves the version
		}
		if ev.Version != version || ev.LastSeq != seq || ev.Time.Before(was.Time) {
			e.Fatalf("%+v follows %+v", ev, was)
		}
		last[ev.SessionID] = ev
	}
}

func watchReentrant(e *env) {
	t := e.tenant("a")
	e.create(t, seshat.NewSession{ID: "x"})
	n := 0
	for ev, err := range t.Watch(e.ctx, 0) {
		e.must(err)
		if n++; n == 20 {
			break
		}
		e.must(e.say(t, ev.SessionID, 0))
	}
	equal(e, "messages", e.get(t, "x").MessageCount, 19)
}
