package storetest

import (
	"math"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

var far = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)

// badSessions spoil a session, keyed by the field that the error names.
var badSessions = map[string][]func(*seshat.Session){
	"session_id":       {func(s *seshat.Session) { s.ID = "" }, func(s *seshat.Session) { s.ID = "\n" }},
	"user_id":          {func(s *seshat.Session) { s.UserID = strings.Repeat("x", 129) }},
	"session_name":     {func(s *seshat.Session) { s.Name = "\x00" }},
	"labels":           {func(s *seshat.Session) { s.Labels = map[string]string{"": ""} }},
	"status":           {func(s *seshat.Session) { s.Status = 0 }, func(s *seshat.Session) { s.Status = 5 }},
	"last_move.reason": {func(s *seshat.Session) { s.LastTransition.Reason = strings.Repeat("x", 1025) }},
	"last_move.actor":  {func(s *seshat.Session) { s.LastTransition.Actor = "\n" }},
	"last_move.at":     {func(s *seshat.Session) { s.LastTransition.At = far }},
	"created_at": {
		func(s *seshat.Session) { s.CreatedAt = time.Time{} },
		func(s *seshat.Session) { s.CreatedAt = far },
	},
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
			s.Lifecycle.Expiry = seshat.ExpiryAbsolute
		},
		func(s *seshat.Session) { s.Lifecycle.TTL = seshat.Never },
		func(s *seshat.Session) { s.Lifecycle.MaxLifetime = hour },
	},
	"lifecycle.ttl": {func(s *seshat.Session) { s.Lifecycle.TTL = -7 }},
	"terminated_at": {
		func(s *seshat.Session) { s.Status = seshat.StatusTerminated },
		func(s *seshat.Session) { s.TerminatedAt = s.CreatedAt },
	},
	"version": {
		func(s *seshat.Session) { s.Version = 0 },
		func(s *seshat.Session) { s.Version = math.MaxUint64 },
	},
	"last_seq":             {func(s *seshat.Session) { s.LastSeq = math.MaxUint64 }},
	"messages[0].seq":      {func(s *seshat.Session) { s.LastSeq = 0 }},
	"stats.total_tokens":   {func(s *seshat.Session) { s.Stats.TotalTokens = math.MaxUint64 }},
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
		s.MemoryDisabled, s.UserMemory = true, seshat.NewDocument(map[string]any{"k": 1})
	}},
	"metadata.k": {func(s *seshat.Session) {
		s.Metadata = seshat.NewDocument(map[string]any{"k": func() {}})
	}},
	"agent_config.temperature": {func(s *seshat.Session) { s.Agent.Temperature = seshat.Ptr(9.0) }},
	"quotas.max_messages":      {func(s *seshat.Session) { s.Quotas.MaxMessages = math.MaxUint64 }},
}

func restoreRefused(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.append(a, "s", seshat.Message{Role: seshat.RoleUser, Latency: ms})
	good := *e.get(a, "s")
	for field, edits := range badSessions {
		for i, edit := range edits {
			bad := good
			edit(&bad)
			_, err := b.Restore(e.ctx, e.newSnapshot(a, "s", &bad))
			e.Log(field, i)
			e.isInvalid(err, field)
			e.isGone(b, "s")
		}
	}
	_, err := b.Restore(e.ctx, seshat.Snapshot{})
	e.isInvalid(err, "session")
	_, err = b.Restore(e.ctx, seshat.Snapshot{Session: &good, State: map[string]any{"": 1}})
	e.isInvalid(err, "state")
	e.expectNothingLeft(b)
}

// expectNothingLeft fails the test if refused calls left anything behind.
func (e *env) expectNothingLeft(t *seshat.Tenant) {
	e.Helper()
	e.clock.Advance(hour)
	e.sweep()
	u, err := t.Usage(e.ctx)
	e.must(err)
	equal(e, "usage", u, seshat.Usage{})
}

func restoreRefusedMessages(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.append(a, "s", newMessages(3)...)
	snap := *e.get(a, "s")
	for field, edits := range map[string][]func(m []seshat.Message){
		"messages[0].seq": {func(m []seshat.Message) { m[0].Seq = 0 }},
		"messages[1].seq": {func(m []seshat.Message) { m[1].Seq = 1 }},
		"messages[2].seq": {
			func(m []seshat.Message) { m[2].Seq = 4 },
			func(m []seshat.Message) { m[2].Seq = math.MaxUint64 },
		},
		"messages[0].message_id": {
			func(m []seshat.Message) { m[0].ID = "" }, func(m []seshat.Message) { m[0].ID = "\n" },
		},
		"messages[2].message_id":  {func(m []seshat.Message) { m[2].ID = m[0].ID }},
		"messages[0].appended_at": {func(m []seshat.Message) { m[0].AppendedAt = time.Time{} }},
		"messages[2].appended_at": {
			func(m []seshat.Message) { m[2].AppendedAt = m[1].AppendedAt.Add(-ms) },
			func(m []seshat.Message) { m[2].AppendedAt = far },
		},
		"messages[0].summary": {
			func(m []seshat.Message) { m[0].Summary = seshat.Range{From: 0, To: 1} },
			func(m []seshat.Message) { m[0].Summary = seshat.Range{From: 1, To: 3} },
		},
		"messages[1].summary": {func(m []seshat.Message) { m[1].Summary = seshat.Range{From: 1, To: 2} }},
		"messages[2].summary": {func(m []seshat.Message) { m[2].Summary = seshat.Range{From: 4, To: 3} }},
		"messages[0].role":    {func(m []seshat.Message) { m[0].Role = 9 }},
		"messages[0].content": {func(m []seshat.Message) { m[0].Content = "\xff" }},
	} {
		for i, edit := range edits {
			log := e.log(a, "s")
			edit(log)
			_, err := b.Restore(e.ctx, seshat.Snapshot{Session: &snap, Messages: messages(log...)})
			e.Log(field, i)
			e.isInvalid(err, field)
			e.isGone(b, "s")
		}
	}
	e.expectNothingLeft(b)
}
