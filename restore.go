package seshat

import (
	"context"
	"iter"
	"math"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// Snapshot is a whole session, as one store gives it and another takes it.
type Snapshot struct {
	Session *Session

	// Messages is the log, oldest first, numbered as in the store that it
	// comes from. It may be nil.
	Messages iter.Seq2[Message, error]
}

// Restore creates a session that is the one of another store, or of another
// time: with its times, status, version, stats and deadlines, and its messages
// with their numbers and ids. Its namespace is this one. What belongs to a
// running store does not come along: leases, rates, and the ids of messages
// that were removed. The log is staged in bounded steps; the session is
// visible when it is whole.
//
// ErrExists: the id is taken. ErrInvalid: something does not fit, or the
// session's expires_at has passed. ErrQuota, ErrNotFound (the namespace was
// deleted), or the error of Messages.
func (t *Tenant) Restore(ctx context.Context, snap Snapshot) (*Session, error) {
	const op = "Restore"
	if snap.Session == nil {
		return nil, t.fail(op, "", invalid("session", "is nil"))
	}
	id := snap.Session.ID
	if err := t.ready(ctx, id); err != nil {
		return nil, t.fail(op, id, err)
	}
	if err := checkRestored(snap.Session); err != nil {
		return nil, t.fail(op, id, err)
	}
	g, err := t.stageLog(ctx, snap)
	if err != nil {
		return nil, t.fail(op, id, err)
	}
	return t.write(ctx, op, id, driver.Target{}, func(c *change) error {
		if c.s != nil {
			return ErrExists
		}
		if r := c.view.Record; r != nil {
			c.expired(r)
		}
		return c.restore(snap.Session, g)
	})
}

// checkRestored checks what Create would, and what the store otherwise gives.
func checkRestored(s *Session) error {
	n := NewSession{
		ID: s.ID, User: s.UserID, Name: s.Name, Agent: s.Agent, Quotas: s.Quotas,
		Labels: s.Labels, Lifecycle: s.Lifecycle, DisableMemory: s.MemoryDisabled,
	}
	if err := n.check(); err != nil {
		return err
	}
	if err := s.Status.check("status"); err != nil {
		return err
	}
	if err := s.LastMove.check(); err != nil {
		return err
	}
	if err := checkOptional("parent.session_id", s.Parent.SessionID); err != nil {
		return err
	}
	if err := checkStoreGiven(s); err != nil {
		return err
	}
	return s.checkDocuments()
}

func checkStoreGiven(s *Session) error {
	for _, x := range []struct {
		name string
		t    time.Time
	}{
		{"created_at", s.CreatedAt}, {"updated_at", s.UpdatedAt}, {"last_activity_at", s.LastActivityAt},
	} {
		if ms := x.t.UnixMilli(); ms <= 0 {
			return invalid(x.name, "is missing, or before 1970")
		}
	}
	if (s.Status == Terminated) == s.TerminatedAt.IsZero() {
		return invalid("terminated_at", "and status terminated go together")
	}
	st := s.Stats
	switch {
	case s.Version == 0:
		return invalid("version", "is 0; versions begin at 1")
	case s.LastSeq >= math.MaxInt64:
		return invalid("last_seq", "is above %d", int64(math.MaxInt64))
	case st.TotalMessages > 1<<62 || st.TotalTokens > 1<<62 || st.TotalToolCalls > 1<<62 || st.LatencyCount > st.TotalMessages:
		return invalid("stats", "do not fit together")
	case !(st.AvgLatencyMS >= 0 && st.AvgLatencyMS <= float64(maxLatency.Milliseconds())):
		return invalid("stats.avg_latency_ms", "is outside 0 to %d", maxLatency.Milliseconds())
	}
	return nil
}

// stageLog stages the messages of a snapshot.
func (t *Tenant) stageLog(ctx context.Context, snap Snapshot) (*stage, error) {
	g := t.newStage()
	if snap.Messages == nil {
		return g, nil
	}
	ids := map[string]bool{}
	appended := snap.Session.CreatedAt
	for m, err := range snap.Messages {
		if err != nil {
			return nil, err
		}
		if err := checkRestoredMessage(&m, snap.Session, g.last, ids, appended); err != nil {
			return nil, err
		}
		ids[m.ID], appended = true, m.AppendedAt
		digest := m.digest
		if digest == ([16]byte{}) {
			digest = messageDigest(&m)
		}
		m.normalize()
		err := g.add(ctx, driver.Message{Seq: m.Seq, ID: m.ID, Digest: digest, Body: encodeMessage(nil, &m)})
		if err != nil {
			return nil, err
		}
	}
	return g, g.flush(ctx)
}

func checkRestoredMessage(m *Message, s *Session, last uint64, ids map[string]bool, appended time.Time) error {
	switch {
	case m.Seq <= last || m.Seq > s.LastSeq:
		return invalid("messages.seq", "is %d after %d; numbers ascend up to last_seq, %d", m.Seq, last, s.LastSeq)
	case ids[m.ID]:
		return invalid("messages.message_id", "is given twice")
	case m.AppendedAt.Before(appended):
		return invalid("messages.appended_at", "of message %d is before that of an earlier one", m.Seq)
	case m.Summary != (Range{}) && (m.Summary.From == 0 || m.Summary.From > m.Summary.To || m.Summary.To != m.Seq):
		return invalid("messages.summary", "of message %d does not end at it", m.Seq)
	}
	if err := checkName("messages.message_id", m.ID); err != nil {
		return err
	}
	given := *m
	given.Seq, given.AppendedAt, given.Summary = 0, time.Time{}, Range{}
	return given.check("messages")
}

// restore makes the change's session the one that from describes.
func (c *change) restore(from *Session, g *stage) error {
	s := from.clone()
	s.NamespaceID, s.InternalID = c.t.id, c.t.org
	s.inner = inner{updated: unixMilli(s.UpdatedAt), own: s.Lifecycle, filed: driver.Never}
	s.latency = latency{
		SumMS: uint64(math.Round(s.Stats.AvgLatencyMS * float64(s.Stats.LatencyCount))),
		Count: s.Stats.LatencyCount,
	}
	life := s.Lifecycle.or(c.ns.Lifecycle).or(c.t.s.opts.Lifecycle).life()
	s.course = rules.Course{
		Life: life, Status: rules.Status(s.Status), StatusAt: unixMilli(s.CreatedAt),
		Created: unixMilli(s.CreatedAt), Written: unixMilli(s.UpdatedAt), Active: unixMilli(s.LastActivityAt),
		Terminated: unixMilli(s.TerminatedAt), MaxAge: maxAge(s.Quotas), Expires: rules.Never,
	}
	if !s.LastMove.At.IsZero() {
		s.course.StatusAt = unixMilli(s.LastMove.At)
	}
	if !s.ExpiresAt.IsZero() {
		s.course.Expires = unixMilli(s.ExpiresAt)
	}
	if !s.course.Alive(c.now) {
		return invalid("expires_at", "has passed")
	}
	g.adopt(s)
	if s.MessageCount > s.Stats.TotalMessages {
		return invalid("stats.total_messages", "is below the number of messages")
	}
	c.s, c.addSessions, c.addMessages = s, 1, g.messages
	c.put, c.kind = true, eventCreated
	return nil
}
