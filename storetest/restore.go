package storetest

import (
	"errors"
	"iter"
	"math"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var restores = []promise{
	{name: "every field comes back", test: restoreExact},
	{name: "in every status and after any history", test: restoreLives},
	{name: "a fork", test: restoreFork},
	{name: "a session whose deadline an ApplyPolicy moved", test: restoreAfterPolicy},
	{name: "what follows from other fields may be absent", test: restoreDerived},
	{name: "life goes on", test: restoreGoesOn},
	{name: "a clock that is ahead", test: restoreFromAhead},
	{name: "a log of many steps", test: restoreLarge},
	{name: "an id that is taken", test: restoreTaken},
	{name: "a source that fails", test: restoreFails},
	{name: "a source that pauses for long", test: restorePauses},
	{name: "a namespace that is too full for it", test: restoreTooLarge},
	{name: "a session that does not fit is refused", test: restoreRefused},
	{name: "messages that do not fit are refused", test: restoreRefusedMessages},
	{name: "random snapshots do no harm", test: restoreRandom},
}

// newSnapshot returns a snapshot of as with the log of session id.
func (e *env) newSnapshot(t *seshat.Tenant, id string, as *seshat.Session) seshat.Snapshot {
	e.Helper()
	state, err := t.State(e.ctx, seshat.SessionScope(id))
	e.must(err)
	return seshat.Snapshot{Session: as, State: state, Messages: t.Messages(e.ctx, id, seshat.HistoryQuery{})}
}

// moveTo copies a session to another tenant and fails the test unless the copy
// is equal.
func (e *env) moveTo(from, to *seshat.Tenant, id string) *seshat.Session {
	e.Helper()
	s := e.get(from, id)
	got, err := to.Restore(e.ctx, e.newSnapshot(from, id, s))
	e.must(err)
	want := *s
	want.NamespaceID, want.OrganizationID = to.ID(), to.OrganizationID()
	e.same("restored", got, &want)
	e.same("read", e.get(to, id), &want)
	sameLogs(e, e.log(to, id), e.log(from, id))
	state, err := from.State(e.ctx, seshat.SessionScope(id))
	e.must(err)
	e.expectState(to, seshat.SessionScope(id), state)
	return got
}

func restoreExact(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	n := fullSession()
	n.Quotas.MaxMessages = 100
	n.Quotas.MaxTokensTotal = 100
	n.State = map[string]any{"k": []any{int64(1), nil}}
	e.create(a, n)
	m := fullMessage()
	m.Latency, m.Metadata = 5*ms, seshat.NewDocument(map[string]any{"deep": map[string]any{"b": []byte{0}}})
	e.append(a, "s", m, seshat.Message{Role: seshat.RoleFramework, Payload: []byte{0, 1}, Latency: 2 * ms})
	e.clock.Advance(minute)
	e.must(second(a.Summarize(e.ctx, "s", seshat.Range{From: 1, To: 1}, newMessages(1)[0])))
	_, err := a.Transition(e.ctx, "s", seshat.StatusIdle, seshat.TransitionOptions{Reason: "lunch", Actor: "mia"})
	e.must(err)
	e.clock.Advance(minute)
	e.moveTo(a, b, "s")
	e.expectRepeat(b, "s", 1, 1, m)
	e.reopen()
	equal(e, "found after reopening", e.count(e.tenant("b"), seshat.Query{UserID: "mia"}), 1)
}

// restoreLives moves sessions with different histories.
func restoreLives(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	for id, live := range map[string]func(string){
		"new":       func(string) {},
		"touched":   func(id string) { e.must(second(a.Touch(e.ctx, id))) },
		"talked":    func(id string) { e.append(a, id, newMessages(3)...) },
		"truncated": func(id string) { e.append(a, id, newMessages(3)...); e.must(second(a.Truncate(e.ctx, id, 1))) },
		"emptied":   func(id string) { e.append(a, id, newMessages(3)...); e.must(second(a.Truncate(e.ctx, id, 0))) },
		"gaps": func(id string) {
			e.append(a, id, newMessages(3)...)
			e.must(second(a.DeleteMessage(e.ctx, id, 2)))
		},
		"idle":       func(id string) { e.move(a, id, seshat.StatusIdle) },
		"archived":   func(id string) { e.move(a, id, seshat.StatusArchived) },
		"terminated": func(id string) { e.move(a, id, seshat.StatusTerminated) },
		"woken":      func(id string) { e.move(a, id, seshat.StatusIdle); e.append(a, id, newMessages(1)...) },
		"renamed":    func(id string) { e.update(a, id, func(s *seshat.Session) { s.Name = "x" }) },
		"absolute":   func(id string) { e.setLifecycle(a, id, seshat.Lifecycle{Expiry: seshat.ExpiryAbsolute}) },
		"endless":    func(id string) { e.setLifecycle(a, id, seshat.Lifecycle{TTL: seshat.Never}) },
		"very long":  func(id string) { e.setLifecycle(a, id, seshat.Lifecycle{TTL: math.MaxInt64}) },
		"capped":     func(id string) { e.setLifecycle(a, id, seshat.Lifecycle{MaxLifetime: day, TTL: 2 * day}) },
		"short": func(id string) {
			e.setLifecycle(a, id, seshat.Lifecycle{TTL: 90*minute + 1, IdleAfter: 80 * minute})
		},
		"leased": func(id string) { e.acquire(a, id, "me") },
		"state":  func(id string) { e.merge(a, seshat.SessionScope(id), map[string]any{"k": 1}) },
	} {
		e.create(a, seshat.NewSession{ID: id})
		e.clock.Advance(minute)
		live(id)
		e.clock.Advance(ms)
		e.moveTo(a, b, id)
	}
}

// setLifecycle edits a session's lifecycle.
func (e *env) setLifecycle(t *seshat.Tenant, id string, l seshat.Lifecycle) {
	e.Helper()
	e.update(t, id, func(s *seshat.Session) { s.Lifecycle = l })
}

// restoreFork: the messages of a fork may be older than the fork.
func restoreFork(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.append(a, "s", newMessages(2)...)
	e.clock.Advance(hour)
	e.fork(a, "s", seshat.ForkOptions{ID: "f"})
	e.moveTo(a, b, "f")
}

func restoreAfterPolicy(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.clock.Advance(hour)
	e.must(a.SetLifecycle(e.ctx, seshat.Lifecycle{TTL: 5 * hour}))
	e.apply(a, 1, 1)
	equal(e, "end", e.get(a, "s").ExpiresAt, seshattest.Start.Add(5*hour))
	e.moveTo(a, b, "s")
}

func restoreDerived(e *env) {
	t := e.tenant("t")
	made := seshattest.Start.Add(-hour)
	s, err := t.Restore(e.ctx, seshat.Snapshot{Session: &seshat.Session{
		ID: "s", Status: seshat.StatusActive, Version: 1, LastSeq: 1, Stats: seshat.SessionStats{TotalMessages: 1},
		CreatedAt: made, UpdatedAt: made, LastActivityAt: made,
	}, Messages: messages(seshat.Message{ID: "m", Seq: 1, Role: seshat.RoleUser, AppendedAt: made})})
	e.must(err)
	equal(e, "end", s.ExpiresAt, made.Add(7*day))
	equal(e, "messages", s.MessageCount, 1)
	m := e.log(t, "s")[0]
	equal(e, "timestamp", m.Timestamp, made)
	equal(e, "content type", m.ContentType, seshat.ContentText)
}

// messages returns the log of a snapshot.
func messages(all ...seshat.Message) iter.Seq2[seshat.Message, error] {
	return func(yield func(seshat.Message, error) bool) {
		for _, m := range all {
			if !yield(m, nil) {
				return
			}
		}
	}
}

func restoreGoesOn(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: 3 * hour, IdleAfter: hour}})
	e.append(a, "s", newMessages(3)...)
	e.must(second(a.Truncate(e.ctx, "s", 1)))
	e.clock.Advance(hour / 2)
	e.moveTo(a, b, "s")
	e.clock.Advance(hour / 2)
	equal(e, "idled", e.sweep().Idled, 2)
	s := e.append(b, "s", newMessages(1)...)
	equal(e, "number", s.LastSeq, 4)
	equal(e, "end", s.ExpiresAt, seshattest.Start.Add(4*hour))
	e.clock.Advance(3 * hour)
	e.isGone(b, "s")
}

// restoreFromAhead restores a session from a store whose clock was ahead. A
// later append is not dated before the restored messages.
func restoreFromAhead(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.append(a, "s", newMessages(1)...)
	snap := *e.get(a, "s")
	log := e.log(a, "s")
	ahead := seshattest.Start.Add(hour)
	snap.UpdatedAt = ahead.Add(-minute)
	snap.LastActivityAt = ahead
	snap.ExpiresAt = time.Time{}
	log[0].AppendedAt = ahead
	_, err := b.Restore(e.ctx, seshat.Snapshot{Session: &snap, Messages: messages(log...)})
	e.must(err)
	for range 2 {
		s := e.append(b, "s", newMessages(1)...)
		equal(e, "updated", s.UpdatedAt, ahead)
		equal(e, "appended", e.history(b, "s", seshat.HistoryQuery{Last: 1})[0].AppendedAt, ahead)
	}
	equal(e, "messages after the first", len(e.history(b, "s", seshat.HistoryQuery{AppendedAfter: seshattest.Start})),
		3)
}

func restoreLarge(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	for range 2 {
		e.append(a, "s", newMessages(200)...)
		e.append(a, "s", seshat.Message{Role: seshat.RoleUser, Payload: make([]byte, seshat.MaxPayloadBytes)})
	}
	e.moveTo(a, b, "s")
}

func restoreTaken(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.append(a, "s", newMessages(1)...)
	e.create(b, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: hour}})
	check := e.unchangedSince(b, "s")
	_, err := b.Restore(e.ctx, e.newSnapshot(a, "s", e.get(a, "s")))
	e.isError(err, seshat.ErrExists)
	check()
	e.clock.Advance(hour)
	e.moveTo(a, b, "s")
}

func restoreFails(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.append(a, "s", newMessages(250)...)
	mine := errors.New("mine")
	snap := e.newSnapshot(a, "s", e.get(a, "s"))
	log := snap.Messages
	snap.Messages = func(yield func(seshat.Message, error) bool) {
		for m, err := range log {
			if m.Seq == 200 {
				err = mine
			}
			if !yield(m, err) {
				return
			}
		}
	}
	_, err := b.Restore(e.ctx, snap)
	e.isError(err, mine)
	e.isGone(b, "s")
	e.clock.Advance(hour)
	equal(e, "reclaimed", e.sweep().Reclaimed > 0, true)
	u, err := b.Usage(e.ctx)
	e.must(err)
	equal(e, "usage", u, seshat.Usage{})
}

// restorePauses lets time pass after one message of the source. The messages
// staged before may be reclaimed in that time. The session then does not exist;
// it never exists with part of its log.
func restorePauses(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.append(a, "s", newMessages(256)...)
	for _, at := range []uint64{130, 200, 256} {
		for _, pause := range []time.Duration{10 * minute, 3 * hour} {
			e.Log(at, pause)
			snap := e.newSnapshot(a, "s", e.get(a, "s"))
			log := snap.Messages
			snap.Messages = func(yield func(seshat.Message, error) bool) {
				for m, err := range log {
					if !yield(m, err) {
						return
					}
					if m.Seq == at {
						e.clock.Advance(pause)
						e.sweep()
					}
				}
			}
			_, err := b.Restore(e.ctx, snap)
			if pause > hour {
				e.isError(err, seshat.ErrConflict)
				e.isGone(b, "s")
				continue
			}
			e.must(err)
			sameLogs(e, e.log(b, "s"), e.log(a, "s"))
			e.must(second(b.Delete(e.ctx, "s")))
		}
	}
	e.expectNothingLeft(b)
}

// restoreTooLarge restores more than the namespace can hold. Restore fails
// before it has read much of the source.
func restoreTooLarge(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	for range 8 {
		e.append(a, "s", newMessages(256)...)
	}
	e.must(b.SetQuotas(e.ctx, seshat.NamespaceQuotas{MaxMessages: 200}))
	snap := e.newSnapshot(a, "s", e.get(a, "s"))
	log := snap.Messages
	read := 0
	snap.Messages = func(yield func(seshat.Message, error) bool) {
		for m, err := range log {
			if read++; !yield(m, err) {
				return
			}
		}
	}
	_, err := b.Restore(e.ctx, snap)
	e.isError(err, seshat.ErrQuota)
	if e.isGone(b, "s"); read > 512 {
		e.Errorf("%d messages were read for a namespace that takes 200", read)
	}
	e.expectNothingLeft(b)
	e.must(b.SetQuotas(e.ctx, seshat.NamespaceQuotas{MaxMessages: 8 * 256}))
	e.moveTo(a, b, "s")
}
