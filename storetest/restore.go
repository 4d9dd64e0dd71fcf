package storetest

import (
	"errors"
	"iter"
	"math"
	"strings"
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
	{name: "a session that does not fit is refused", test: restoreRefused},
	{name: "messages that do not fit are refused", test: restoreRefusedMessages},
	{name: "random snapshots do no harm", test: restoreRandom},
}

// snapshot reads a session as another store would give it.
func (e *env) snapshot(t *seshat.Tenant, id string, as *seshat.Session) seshat.Snapshot {
	e.Helper()
	state, err := t.State(e.ctx, seshat.SessionState(id))
	e.must(err)
	return seshat.Snapshot{Session: as, State: state, Messages: t.Messages(e.ctx, id)}
}

// moved copies a session to another tenant, and expects an equal one there.
func (e *env) moved(from, to *seshat.Tenant, id string) *seshat.Session {
	e.Helper()
	s := e.get(from, id)
	got, err := to.Restore(e.ctx, e.snapshot(from, id, s))
	e.must(err)
	want := *s
	want.NamespaceID, want.InternalID = to.ID(), to.InternalID()
	e.same("restored", got, &want)
	e.same("read", e.get(to, id), &want)
	sameLogs(e, e.log(to, id), e.log(from, id))
	state, err := from.State(e.ctx, seshat.SessionState(id))
	e.must(err)
	e.holds(to, seshat.SessionState(id), state)
	return got
}

func restoreExact(e *env) {
	a, b := e.tenant("a"), e.tenant("b")
	n := full()
	n.Quotas.MaxMessages, n.Quotas.MaxTokensTotal, n.State = 100, 100, map[string]any{"k": []any{int64(1), nil}}
	e.create(a, n)
	m := digested()
	m.Latency, m.Metadata = 5*ms, seshat.Doc(map[string]any{"deep": map[string]any{"b": []byte{0}}})
	e.append(a, "s", m, seshat.Message{Role: seshat.Framework, Payload: []byte{0, 1}, Latency: 2 * ms})
	e.clock.Advance(minute)
	e.must(second(a.Summarize(e.ctx, "s", seshat.Range{From: 1, To: 1}, lines(1)[0])))
	_, err := a.Transition(e.ctx, "s", seshat.Idle, seshat.Because("lunch", "mia"))
	e.must(err)
	e.clock.Advance(minute)
	e.moved(a, b, "s")
	e.repeated(b, "s", 1, 1, m)
	e.reopen()
	equal(e, "found after reopening", e.count(e.tenant("b"), seshat.Query{User: "mia"}), 1)
}

// restoreLives moves sessions of which each was through something else.
func restoreLives(e *env) {
	a, b := e.tenant("a"), e.tenant("b")
	for id, live := range map[string]func(string){
		"new":        func(string) {},
		"touched":    func(id string) { e.must(second(a.Touch(e.ctx, id))) },
		"talked":     func(id string) { e.append(a, id, lines(3)...) },
		"truncated":  func(id string) { e.append(a, id, lines(3)...); e.must(second(a.Truncate(e.ctx, id, 1))) },
		"emptied":    func(id string) { e.append(a, id, lines(3)...); e.must(second(a.Truncate(e.ctx, id, 0))) },
		"gaps":       func(id string) { e.append(a, id, lines(3)...); e.must(second(a.DeleteMessage(e.ctx, id, 2))) },
		"idle":       func(id string) { e.move(a, id, seshat.Idle) },
		"archived":   func(id string) { e.move(a, id, seshat.Archived) },
		"terminated": func(id string) { e.move(a, id, seshat.Terminated) },
		"woken":      func(id string) { e.move(a, id, seshat.Idle); e.append(a, id, lines(1)...) },
		"renamed":    func(id string) { e.update(a, id, func(s *seshat.Session) { s.Name = "x" }) },
		"absolute":   func(id string) { e.life(a, id, seshat.Lifecycle{Expiry: seshat.Absolute}) },
		"endless":    func(id string) { e.life(a, id, seshat.Lifecycle{TTL: seshat.Never}) },
		"very long":  func(id string) { e.life(a, id, seshat.Lifecycle{TTL: math.MaxInt64}) },
		"capped":     func(id string) { e.life(a, id, seshat.Lifecycle{MaxLifetime: day, TTL: 2 * day}) },
		"short":      func(id string) { e.life(a, id, seshat.Lifecycle{TTL: 90*minute + 1, IdleAfter: 80 * minute}) },
		"leased":     func(id string) { e.acquire(a, id, "me") },
		"state":      func(id string) { e.merge(a, seshat.SessionState(id), map[string]any{"k": 1}) },
	} {
		e.create(a, seshat.NewSession{ID: id})
		e.clock.Advance(minute)
		live(id)
		e.clock.Advance(ms)
		e.moved(a, b, id)
	}
}

// life edits a session's lifecycle.
func (e *env) life(t *seshat.Tenant, id string, l seshat.Lifecycle) {
	e.Helper()
	e.update(t, id, func(s *seshat.Session) { s.Lifecycle = l })
}

// restoreFork: the messages of a fork are older than it.
func restoreFork(e *env) {
	a, b := e.tenant("a"), e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.append(a, "s", lines(2)...)
	e.clock.Advance(hour)
	e.fork(a, "s", seshat.Fork{ID: "f"})
	e.moved(a, b, "f")
}

func restoreAfterPolicy(e *env) {
	a, b := e.tenant("a"), e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.clock.Advance(hour)
	e.must(a.SetLifecycle(e.ctx, seshat.Lifecycle{TTL: 5 * hour}))
	e.apply(a, 1, 1)
	equal(e, "end", e.get(a, "s").ExpiresAt, seshattest.Start.Add(5*hour))
	e.moved(a, b, "s")
}

func restoreDerived(e *env) {
	t := e.tenant("t")
	made := seshattest.Start.Add(-hour)
	s, err := t.Restore(e.ctx, seshat.Snapshot{Session: &seshat.Session{
		ID: "s", Status: seshat.Active, Version: 1, LastSeq: 1, Stats: seshat.SessionStats{TotalMessages: 1},
		CreatedAt: made, UpdatedAt: made, LastActivityAt: made,
	}, Messages: messages(seshat.Message{ID: "m", Seq: 1, Role: seshat.User, AppendedAt: made})})
	e.must(err)
	equal(e, "end", s.ExpiresAt, made.Add(7*day))
	equal(e, "messages", s.MessageCount, 1)
	m := e.log(t, "s")[0]
	equal(e, "timestamp", m.Timestamp, made)
	equal(e, "content type", m.ContentType, seshat.Text)
}

// messages is a log of a snapshot.
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
	a, b := e.tenant("a"), e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: 3 * hour, IdleAfter: hour}})
	e.append(a, "s", lines(3)...)
	e.must(second(a.Truncate(e.ctx, "s", 1)))
	e.clock.Advance(hour / 2)
	e.moved(a, b, "s")
	e.clock.Advance(hour / 2)
	equal(e, "idled", e.sweep().Idled, 2)
	s := e.append(b, "s", lines(1)...)
	equal(e, "number", s.LastSeq, 4)
	equal(e, "end", s.ExpiresAt, seshattest.Start.Add(4*hour))
	e.clock.Advance(3 * hour)
	e.gone(b, "s")
}

// restoreFromAhead takes a session from a store whose clock was ahead: what is
// appended then is not dated before what was there.
func restoreFromAhead(e *env) {
	a, b := e.tenant("a"), e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.append(a, "s", lines(1)...)
	snap, log := *e.get(a, "s"), e.log(a, "s")
	ahead := seshattest.Start.Add(hour)
	snap.UpdatedAt, snap.LastActivityAt, snap.ExpiresAt = ahead.Add(-minute), ahead, time.Time{}
	log[0].AppendedAt = ahead
	_, err := b.Restore(e.ctx, seshat.Snapshot{Session: &snap, Messages: messages(log...)})
	e.must(err)
	for range 2 {
		s := e.append(b, "s", lines(1)...)
		equal(e, "updated", s.UpdatedAt, ahead)
		equal(e, "appended", e.log(b, "s", seshat.Last(1))[0].AppendedAt, ahead)
	}
	equal(e, "messages after the first", len(e.log(b, "s", seshat.AppendedAfter(seshattest.Start))), 3)
}

func restoreLarge(e *env) {
	a, b := e.tenant("a"), e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	for range 2 {
		e.append(a, "s", lines(200)...)
		e.append(a, "s", seshat.Message{Role: seshat.User, Payload: make([]byte, seshat.MaxPayload)})
	}
	e.moved(a, b, "s")
}

func restoreTaken(e *env) {
	a, b := e.tenant("a"), e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.append(a, "s", lines(1)...)
	e.create(b, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: hour}})
	check := e.still(b, "s")
	_, err := b.Restore(e.ctx, e.snapshot(a, "s", e.get(a, "s")))
	e.fails(err, seshat.ErrExists)
	check()
	e.clock.Advance(hour)
	e.moved(a, b, "s")
}

func restoreFails(e *env) {
	a, b := e.tenant("a"), e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.append(a, "s", lines(250)...)
	mine := errors.New("mine")
	snap := e.snapshot(a, "s", e.get(a, "s"))
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
	e.fails(err, mine)
	e.gone(b, "s")
	e.clock.Advance(hour)
	equal(e, "reclaimed", e.sweep().Reclaimed > 0, true)
	u, err := b.Usage(e.ctx)
	e.must(err)
	equal(e, "usage", u, seshat.Usage{})
}

func restoreRefused(e *env) {
	a, b := e.tenant("a"), e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.append(a, "s", seshat.Message{Role: seshat.User, Latency: ms})
	good := *e.get(a, "s")
	far := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	for field, edits := range map[string][]func(*seshat.Session){
		"session_id":       {func(s *seshat.Session) { s.ID = "" }, func(s *seshat.Session) { s.ID = "\n" }},
		"user_id":          {func(s *seshat.Session) { s.UserID = strings.Repeat("x", 129) }},
		"session_name":     {func(s *seshat.Session) { s.Name = "\x00" }},
		"labels":           {func(s *seshat.Session) { s.Labels = map[string]string{"": ""} }},
		"status":           {func(s *seshat.Session) { s.Status = 0 }, func(s *seshat.Session) { s.Status = 5 }},
		"reason":           {func(s *seshat.Session) { s.LastMove.Reason = strings.Repeat("x", 1025) }},
		"actor":            {func(s *seshat.Session) { s.LastMove.Actor = "\n" }},
		"last_move.at":     {func(s *seshat.Session) { s.LastMove.At = far }},
		"created_at":       {func(s *seshat.Session) { s.CreatedAt = time.Time{} }, func(s *seshat.Session) { s.CreatedAt = far }},
		"updated_at":       {func(s *seshat.Session) { s.UpdatedAt = time.UnixMilli(0) }},
		"last_activity_at": {func(s *seshat.Session) { s.LastActivityAt = time.Unix(math.MaxInt64, 0) }},
		"expires_at": {
			func(s *seshat.Session) { s.ExpiresAt = far },
			func(s *seshat.Session) { s.ExpiresAt, s.Lifecycle.TTL = s.UpdatedAt, ms },
			func(s *seshat.Session) { s.ExpiresAt = time.Unix(-1, 0) },
		},
		"lifecycle": {
			func(s *seshat.Session) {
				s.ExpiresAt = s.ExpiresAt.AddDate(90, 0, 0)
				s.Lifecycle.Expiry = seshat.Absolute
			},
			func(s *seshat.Session) { s.Lifecycle.TTL = seshat.Never },
			func(s *seshat.Session) { s.Lifecycle.MaxLifetime = hour },
		},
		"lifecycle.ttl": {func(s *seshat.Session) { s.Lifecycle.TTL = -7 }},
		"terminated_at": {
			func(s *seshat.Session) { s.Status = seshat.Terminated },
			func(s *seshat.Session) { s.TerminatedAt = s.CreatedAt },
		},
		"version":              {func(s *seshat.Session) { s.Version = 0 }, func(s *seshat.Session) { s.Version = math.MaxUint64 }},
		"last_seq":             {func(s *seshat.Session) { s.LastSeq = math.MaxUint64 }},
		"messages.seq":         {func(s *seshat.Session) { s.LastSeq = 0 }},
		"stats":                {func(s *seshat.Session) { s.Stats.TotalTokens = math.MaxUint64 }},
		"stats.total_messages": {func(s *seshat.Session) { s.Stats = seshat.SessionStats{} }},
		"stats.latency_count":  {func(s *seshat.Session) { s.Stats.LatencyCount = 2 }},
		"stats.avg_latency_ms": {
			func(s *seshat.Session) { s.Stats.AvgLatencyMS = math.NaN() },
			func(s *seshat.Session) { s.Stats.AvgLatencyMS = -1 },
			func(s *seshat.Session) { s.Stats.LatencyCount = 0 },
			func(s *seshat.Session) {
				s.Stats = seshat.SessionStats{TotalMessages: 1 << 61, LatencyCount: 1 << 61, AvgLatencyMS: 1e9}
			},
		},
		"parent.session_id": {func(s *seshat.Session) { s.Parent.SessionID = "\n" }},
		"user_memory": {func(s *seshat.Session) {
			s.MemoryDisabled, s.UserMemory = true, seshat.Doc(map[string]any{"k": 1})
		}},
		"metadata.k":               {func(s *seshat.Session) { s.Metadata = seshat.Doc(map[string]any{"k": func() {}}) }},
		"agent_config.temperature": {func(s *seshat.Session) { s.Agent.Temperature = seshat.Ptr(9.0) }},
		"quotas.max_messages":      {func(s *seshat.Session) { s.Quotas.MaxMessages = math.MaxUint64 }},
	} {
		for i, edit := range edits {
			bad := good
			edit(&bad)
			_, err := b.Restore(e.ctx, e.snapshot(a, "s", &bad))
			e.Log(field, i)
			e.refused(err, field)
			e.gone(b, "s")
		}
	}
	_, err := b.Restore(e.ctx, seshat.Snapshot{})
	e.refused(err, "session")
	_, err = b.Restore(e.ctx, seshat.Snapshot{Session: &good, State: map[string]any{"": 1}})
	e.refused(err, "state")
	e.nothingLeft(b)
}

// nothingLeft expects that refused calls left nothing that stays.
func (e *env) nothingLeft(t *seshat.Tenant) {
	e.Helper()
	e.clock.Advance(hour)
	e.sweep()
	u, err := t.Usage(e.ctx)
	e.must(err)
	equal(e, "usage", u, seshat.Usage{})
}

func restoreRefusedMessages(e *env) {
	a, b := e.tenant("a"), e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.append(a, "s", lines(3)...)
	snap := *e.get(a, "s")
	for field, edits := range map[string][]func(m []seshat.Message){
		"messages.seq": {
			func(m []seshat.Message) { m[1].Seq = 1 }, func(m []seshat.Message) { m[0].Seq = 0 },
			func(m []seshat.Message) { m[2].Seq = 4 }, func(m []seshat.Message) { m[2].Seq = math.MaxUint64 },
		},
		"messages.message_id": {
			func(m []seshat.Message) { m[2].ID = m[0].ID }, func(m []seshat.Message) { m[0].ID = "" },
			func(m []seshat.Message) { m[0].ID = "\n" },
		},
		"messages.appended_at": {
			func(m []seshat.Message) { m[0].AppendedAt = time.Time{} },
			func(m []seshat.Message) { m[2].AppendedAt = m[1].AppendedAt.Add(-ms) },
			func(m []seshat.Message) { m[2].AppendedAt = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) },
		},
		"messages.summary": {
			func(m []seshat.Message) { m[1].Summary = seshat.Range{From: 1, To: 2} },
			func(m []seshat.Message) { m[0].Summary = seshat.Range{From: 0, To: 1} },
			func(m []seshat.Message) { m[0].Summary = seshat.Range{From: 1, To: 3} },
			func(m []seshat.Message) { m[2].Summary = seshat.Range{From: 4, To: 3} },
		},
		"messages.role":    {func(m []seshat.Message) { m[0].Role = 9 }},
		"messages.content": {func(m []seshat.Message) { m[0].Content = "\xff" }},
	} {
		for i, edit := range edits {
			log := e.log(a, "s")
			edit(log)
			_, err := b.Restore(e.ctx, seshat.Snapshot{Session: &snap, Messages: messages(log...)})
			e.Log(field, i)
			e.refused(err, field)
			e.gone(b, "s")
		}
	}
	e.nothingLeft(b)
}
