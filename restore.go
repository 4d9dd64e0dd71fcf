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

	// State is the session's own. It may be nil.
	State map[string]any

	// Messages is the log, oldest first, numbered as in the store that it
	// comes from. It may be nil.
	Messages iter.Seq2[Message, error]
}

// Restore creates a session that is the one of another store, or of another
// time: with its times, status, version, stats and deadlines, and its messages
// with their numbers and ids. Its namespace is this one. What belongs to a
// running store does not come along: leases, rates, the ids of messages that
// were removed, and earlier state, so StateAt has State for every number. A
// message that was not read from a store is known by all that is in it: a
// repeated append has to give the same, its timestamp too. The log is staged
// in bounded steps; the session is visible when it is whole. Between two steps
// there must be less than half an hour.
//
// The session's expires_at has to follow from its lifecycle and times; if it
// is zero it is made of them. Its message_count is not looked at.
//
// ErrExists: the id is taken. ErrInvalid: something does not fit, or the
// session's expires_at has passed. ErrConflict: Messages paused for too long.
// ErrQuota, ErrNotFound (the namespace was deleted), or the error of Messages.
func (t *Tenant) Restore(ctx context.Context, snap Snapshot) (*Session, error) {
	const op = "Restore"
	if snap.Session == nil {
		return nil, t.wrapError(op, "", invalid("session", "is nil"))
	}
	id := snap.Session.ID
	if err := t.checkCall(ctx, id); err != nil {
		return nil, t.wrapError(op, id, err)
	}
	if err := checkRestored(snap.Session); err != nil {
		return nil, t.wrapError(op, id, err)
	}
	state, err := newStateMerge(SessionScope(id), "state", snap.State)
	if err != nil {
		return nil, t.wrapError(op, id, err)
	}
	if err := t.checkIDAvailable(ctx, id); err != nil {
		return nil, t.wrapError(op, id, err)
	}
	g, appended, err := t.stageLog(ctx, snap)
	if err != nil {
		return nil, t.wrapError(op, id, err)
	}
	return t.writeSession(ctx, op, id, driver.Target{}, func(c *tenantWrite) error {
		if err := c.takeID(); err != nil {
			return err
		}
		if g.mayBeReclaimed(c.view.Now) {
			return ErrConflict
		}
		if err := c.initRestored(snap.Session, g, appended); err != nil {
			return err
		}
		return state.applyFresh(&c.out, t.ordinal)
	})
}

// checkRestored checks what Create would, and what the store otherwise gives.
func checkRestored(s *Session) error {
	n := NewSession{
		ID: s.ID, UserID: s.UserID, Name: s.Name, Agent: s.Agent, Quotas: s.Quotas,
		Labels: s.Labels, Lifecycle: s.Lifecycle, DisableMemory: s.MemoryDisabled,
	}
	if err := n.check(); err != nil {
		return err
	}
	if err := s.Status.check("status"); err != nil {
		return err
	}
	if err := s.LastTransition.check(); err != nil {
		return err
	}
	if err := checkOptional("parent.session_id", s.Parent.SessionID); err != nil {
		return err
	}
	if err := checkStoreFields(s); err != nil {
		return err
	}
	return s.checkDocuments()
}

func checkStoreFields(s *Session) error {
	if err := checkTimes(s); err != nil {
		return err
	}
	st := s.Stats
	switch {
	case s.Version == 0 || s.Version >= math.MaxInt64:
		return invalid("version", "is outside 1 to %d", int64(math.MaxInt64)-1)
	case s.LastSeq >= math.MaxInt64:
		return invalid("last_seq", "is above %d", int64(math.MaxInt64)-1)
	case st.TotalMessages > maxTotal || st.TotalTokens > maxTotal || st.TotalToolCalls > maxTotal:
		return invalid("stats", "has a total above %d", uint64(maxTotal))
	case st.LatencyCount > st.TotalMessages:
		return invalid("stats.latency_count", "is above total_messages")
	case !(st.AvgLatencyMS >= 0 && st.AvgLatencyMS <= float64(maxLatency.Milliseconds())):
		return invalid("stats.avg_latency_ms", "is outside 0 to %d", maxLatency.Milliseconds())
	case st.AvgLatencyMS*float64(st.LatencyCount) > maxTotal || st.LatencyCount == 0 && st.AvgLatencyMS != 0:
		return invalid("stats.avg_latency_ms", "does not fit latency_count")
	}
	return nil
}

// maxTotal bounds the stats of a restored session, so that none overflows.
const maxTotal = 1 << 62

func checkTimes(s *Session) error {
	for _, x := range []struct {
		name     string
		t        time.Time
		optional bool
	}{
		{"created_at", s.CreatedAt, false},
		{"updated_at", s.UpdatedAt, false},
		{"last_activity_at", s.LastActivityAt, false},
		{"expires_at", s.ExpiresAt, true},
		{"terminated_at", s.TerminatedAt, true},
		{"last_move.at", s.LastTransition.At, true},
	} {
		if !(x.optional && x.t.IsZero()) && !isStorableTime(x.t) {
			return invalid(x.name, "is missing, or outside the years 1970 to 9999")
		}
	}
	if (s.Status == StatusTerminated) == s.TerminatedAt.IsZero() {
		return invalid("terminated_at", "and status terminated go together")
	}
	return nil
}

// isStorableTime reports whether t is a time that the store may have given.
func isStorableTime(t time.Time) bool {
	y := t.UTC().Year()
	return y >= 1970 && y <= 9999 && t.UnixMilli() > 0
}

// stageLog stages the messages of a snapshot, and returns when the last was
// appended.
func (t *Tenant) stageLog(ctx context.Context, snap Snapshot) (g *stagedLog, appended time.Time, err error) {
	g = t.newStage()
	if snap.Messages == nil {
		return g, appended, nil
	}
	ids := map[string]bool{}
	for m, err := range snap.Messages {
		if err != nil {
			return nil, appended, err
		}
		if err := checkRestoredMessage(&m, snap.Session, g.last, ids, appended); err != nil {
			return nil, appended, err
		}
		ids[m.ID], appended = true, m.AppendedAt
		digest := m.digest
		if digest == ([16]byte{}) {
			digest = messageDigest(&m)
		}
		m.setDefaults(millisFromTime(m.AppendedAt))
		err := g.add(ctx, driver.Message{Seq: m.Seq, ID: m.ID, Digest: digest, Body: encodeMessage(nil, &m)})
		if err != nil {
			return nil, appended, err
		}
	}
	return g, appended, g.flush(ctx)
}

func checkRestoredMessage(m *Message, s *Session, last uint64, ids map[string]bool, appended time.Time) error {
	switch {
	case m.Seq <= last || m.Seq > s.LastSeq:
		return invalid("messages.seq", "is %d after %d; numbers ascend up to last_seq, %d", m.Seq, last, s.LastSeq)
	case ids[m.ID]:
		return invalid("messages.message_id", "is given twice")
	case !isStorableTime(m.AppendedAt):
		return invalid("messages.appended_at", "of message %d is missing, or outside the years 1970 to 9999", m.Seq)
	case m.AppendedAt.Before(appended):
		return invalid("messages.appended_at", "of message %d is before that of an earlier one", m.Seq)
	case m.Summary != (Range{}) && (m.Summary.From <= last || m.Summary.From > m.Summary.To || m.Summary.To != m.Seq):
		return invalid("messages.summary", "of message %d does not end at it, or has others in it", m.Seq)
	}
	if err := checkName("messages.message_id", m.ID); err != nil {
		return err
	}
	given := *m
	given.Seq, given.AppendedAt, given.Summary = 0, time.Time{}, Range{}
	return given.check("messages")
}

// initRestored makes the change's session the one that from describes, with a log
// of which the last message was appended at that time.
func (c *tenantWrite) initRestored(from *Session, g *stagedLog, appended time.Time) error {
	s := &storedSession{Session: *from.clone(), storedFields: storedFields{
		updated: max(millisFromTime(from.UpdatedAt), millisFromTime(appended)), chosenLifecycle: from.Lifecycle, filedDue: driver.Never,
	}}
	s.lease = lease{}
	s.NamespaceID, s.OrganizationID = c.tenant.id, c.tenant.organization
	s.LastTransition.At = timeFromMillis(millisFromTime(s.LastTransition.At))
	s.latency = latency{
		SumMS: uint64(math.Round(s.Stats.AvgLatencyMS * float64(s.Stats.LatencyCount))),
		Count: s.Stats.LatencyCount,
	}
	if err := s.restoreCourse(s.Lifecycle.inherit(c.namespace.Lifecycle).inherit(c.tenant.store.opts.Lifecycle).resolve()); err != nil {
		return err
	}
	if !s.timeline.Alive(c.view.Now) {
		return invalid("expires_at", "has passed")
	}
	g.attachTo(s)
	if s.MessageCount > s.Stats.TotalMessages {
		return invalid("stats.total_messages", "is below the number of messages")
	}
	c.create(s, g.messages)
	return nil
}

// restoreCourse makes the session's course of its published fields.
func (s *storedSession) restoreCourse(life rules.Lifecycle) error {
	created, expires := millisFromTime(s.CreatedAt), millisFromTime(s.ExpiresAt)
	s.timeline = rules.Timeline{
		Lifecycle: life, Status: rules.Status(s.Status), StatusAt: created, Created: created,
		Active: millisFromTime(s.LastActivityAt), Terminated: millisFromTime(s.TerminatedAt), MaxAge: maxAge(s.Quotas),
	}
	if !s.LastTransition.At.IsZero() {
		s.timeline.StatusAt = millisFromTime(s.LastTransition.At)
	}
	s.timeline.RecordWrite(millisFromTime(s.UpdatedAt))
	if expires != 0 && expires != s.timeline.Expires && life.TTL <= expires {
		// The last change did not extend the TTL: an ApplyPolicy.
		s.timeline.RecordWrite(expires - life.TTL)
	}
	if expires != 0 && expires != s.timeline.Expires {
		return invalid("lifecycle", "does not lead to expires_at")
	}
	return nil
}
