package seshat

import (
	"context"
	"iter"
	"math"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// Snapshot is a whole session, to move it between stores or points in time.
type Snapshot struct {
	// Session is required.
	Session *Session

	// State is the session's own state. It may be nil.
	State map[string]any

	// Messages is the log, oldest first, with the numbers of the store that it
	// comes from. It may be nil. An error ends the restore.
	Messages iter.Seq2[Message, error]
}

// Restore creates a session from a snapshot, in this tenant's namespace. The
// session keeps its id, times, status, version, stats and deadlines, and its
// messages keep their numbers and ids. Leases, rate limits and the ids of
// removed messages are not restored. Nor is earlier state: StateAt returns the
// restored state for every number.
//
// A message that was read from a store is recognized when it is appended again.
// A message that was not read from a store is recognized only if every field is
// the same, including its timestamp.
//
// The session's expires_at must follow from its lifecycle and times; if it is
// zero, Restore computes it. message_count is ignored. The log is staged in
// bounded steps, at most half an hour apart, and the session appears when it is
// complete.
//
// Errors: ErrExists if the id is taken; ErrInvalid if a field is not allowed,
// or expires_at has passed; ErrConflict if Messages paused for too long;
// ErrQuota; ErrNotFound if the namespace was deleted; the error of Messages.
func (t *Tenant) Restore(ctx context.Context, snap Snapshot) (s *Session, err error) {
	const op = "Restore"
	if snap.Session == nil {
		return nil, t.wrapError(op, "", invalid("session", "is nil; a session is required"))
	}
	id := snap.Session.ID
	defer t.wrapOnReturn(op, id, &err)
	if err := t.checkCall(ctx, id); err != nil {
		return nil, err
	}
	if err := checkRestored(snap.Session).err(); err != nil {
		return nil, err
	}
	state, err := newStateMerge(SessionScope(id), "state", snap.State)
	if err != nil {
		return nil, err
	}
	if err := t.checkIDAvailable(ctx, id); err != nil {
		return nil, err
	}
	g, appended, err := t.stageLog(ctx, snap)
	if err != nil {
		return nil, err
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

// checkRestored checks the fields that Create checks, and the fields that the
// store sets.
func checkRestored(s *Session) *fieldError {
	n := NewSession{
		ID: s.ID, UserID: s.UserID, Name: s.Name, Agent: s.Agent, Quotas: s.Quotas,
		Labels: s.Labels, Lifecycle: s.Lifecycle, DisableMemory: s.MemoryDisabled,
	}
	if e := n.check(); e != nil {
		return e
	}
	if e := s.Status.check(); e != nil {
		return e
	}
	if e := s.LastTransition.check(); e != nil {
		return e.at("last_move")
	}
	if e := checkOptional("session_id", s.Parent.SessionID); e != nil {
		return e.at("parent")
	}
	if e := checkTimes(s); e != nil {
		return e
	}
	if e := checkCounters(s); e != nil {
		return e
	}
	return s.checkDocuments()
}

func checkCounters(s *Session) *fieldError {
	const maxNumber = math.MaxInt64 - 1
	switch {
	case s.Version == 0 || s.Version > maxNumber:
		return refuse("version", "is %d; 1 to %d are allowed", s.Version, int64(maxNumber))
	case s.LastSeq > maxNumber:
		return refuse("last_seq", "is %d; at most %d is allowed", s.LastSeq, int64(maxNumber))
	}
	if e := s.Stats.check(); e != nil {
		return e.at("stats")
	}
	return nil
}

// maxTotal bounds the stats of a restored session, so that none overflows.
const maxTotal = 1 << 62

func (st *SessionStats) check() *fieldError {
	for _, x := range [...]struct {
		field string
		n     uint64
	}{
		{"total_messages", st.TotalMessages},
		{"total_tokens", st.TotalTokens},
		{"total_tool_calls", st.TotalToolCalls},
	} {
		if x.n > maxTotal {
			return refuse(x.field, "is %d; at most %d is allowed", x.n, uint64(maxTotal))
		}
	}
	maxAverage := float64(MaxLatency.Milliseconds())
	switch {
	case st.LatencyCount > st.TotalMessages:
		return refuse("latency_count", "is %d; at most total_messages, %d, is allowed", st.LatencyCount,
			st.TotalMessages)
	case !(st.AvgLatencyMS >= 0 && st.AvgLatencyMS <= maxAverage):
		return refuse("avg_latency_ms", "is %v; 0 to %v are allowed", st.AvgLatencyMS, maxAverage)
	case st.LatencyCount == 0 && st.AvgLatencyMS != 0:
		return refuse("avg_latency_ms", "is %v; 0 is allowed if latency_count is 0", st.AvgLatencyMS)
	case st.AvgLatencyMS*float64(st.LatencyCount) > maxTotal:
		return refuse("avg_latency_ms", "is too large; at most %d / latency_count is allowed", uint64(maxTotal))
	}
	return nil
}

func checkTimes(s *Session) *fieldError {
	for _, x := range [...]struct {
		field    string
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
		if x.optional && x.t.IsZero() {
			continue
		}
		if e := checkStorableTime(x.field, x.t); e != nil {
			return e
		}
	}
	if rules.Status(s.Status).Final() == s.TerminatedAt.IsZero() {
		return refuse("terminated_at", "is required if and only if the status is terminated")
	}
	return nil
}

// checkStorableTime refuses a time that a store never sets.
func checkStorableTime(field string, t time.Time) *fieldError {
	year := t.UTC().Year()
	switch {
	case t.IsZero():
		return refuse(field, "is missing; a time after 1970-01-01T00:00:00Z is required")
	case year < 1970 || year > 9999 || t.UnixMilli() <= 0:
		return refuse(field, "is out of range; times after 1970-01-01T00:00:00Z and before the year 10000 are allowed")
	}
	return nil
}

// stageLog stages the messages of a snapshot, and returns the AppendedAt of the
// last one.
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
		if e := checkRestoredMessage(&m, snap.Session, g.last, ids, appended); e != nil {
			return nil, appended, e.atIndex("messages", len(ids)).err()
		}
		ids[m.ID] = true
		appended = m.AppendedAt
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

// checkRestoredMessage checks a message that follows message number last, which
// was appended at that time, in a log with these ids.
func checkRestoredMessage(m *Message, s *Session, last uint64, ids map[string]bool, appended time.Time) *fieldError {
	if e := checkName("message_id", m.ID); e != nil {
		return e
	}
	if ids[m.ID] {
		return refuse("message_id", "is given twice; each id is allowed once")
	}
	if m.Seq <= last || m.Seq > s.LastSeq {
		return refuse("seq", "is %d; a number above %d, of the message before, and up to last_seq, %d, is allowed",
			m.Seq, last, s.LastSeq)
	}
	if e := checkStorableTime("appended_at", m.AppendedAt); e != nil {
		return e
	}
	if m.AppendedAt.Before(appended) {
		return refuse("appended_at", "is before that of the message before; equal or later is allowed")
	}
	if sum := m.Summary; sum != (Range{}) && (sum.From <= last || sum.From > sum.To || sum.To != m.Seq) {
		return refuse("summary", "is not a range from above %d, of the message before, to %d, its own number", last,
			m.Seq)
	}
	given := *m
	given.Seq = 0
	given.AppendedAt = time.Time{}
	given.Summary = Range{}
	return given.check()
}

// initRestored creates the session that from describes, with the staged log g
// whose last message was appended at that time.
func (w *tenantWrite) initRestored(from *Session, g *stagedLog, appended time.Time) error {
	s := &storedSession{Session: *from.clone(), storedFields: storedFields{
		updated: max(millisFromTime(from.UpdatedAt), millisFromTime(appended)), chosenLifecycle: from.Lifecycle,
		filedDue: driver.Never,
	}}
	s.lease = lease{}
	s.NamespaceID = w.tenant.id
	s.OrganizationID = w.tenant.organization
	s.LastTransition.At = timeFromMillis(millisFromTime(s.LastTransition.At))
	s.latency = latency{
		SumMS: uint64(math.Round(s.Stats.AvgLatencyMS * float64(s.Stats.LatencyCount))),
		Count: s.Stats.LatencyCount,
	}
	if err := s.restoreCourse(w.resolve(s.Lifecycle)); err != nil {
		return err
	}
	if !s.timeline.Alive(w.view.Now) {
		return invalid("expires_at", "has passed; a time in the future is allowed")
	}
	g.attachTo(s)
	if s.MessageCount > s.Stats.TotalMessages {
		return invalid("stats.total_messages", "is %d; at least the number of messages, %d, is allowed",
			s.Stats.TotalMessages, s.MessageCount)
	}
	w.create(s, g.messages)
	return nil
}

// restoreCourse derives the session's timeline from its exported fields.
func (s *storedSession) restoreCourse(life rules.Lifecycle) error {
	created := millisFromTime(s.CreatedAt)
	expires := millisFromTime(s.ExpiresAt)
	s.timeline = rules.Timeline{
		Lifecycle: life, Status: rules.Status(s.Status), StatusAt: created, Created: created,
		Active: millisFromTime(s.LastActivityAt), Terminated: millisFromTime(s.TerminatedAt), MaxAge: maxAge(s.Quotas),
	}
	if !s.LastTransition.At.IsZero() {
		s.timeline.StatusAt = millisFromTime(s.LastTransition.At)
	}
	s.timeline.RecordWrite(millisFromTime(s.UpdatedAt))
	if expires != 0 && expires != s.timeline.Expires && life.TTL <= expires {
		// ApplyPolicy changed the session last, which does not extend the TTL.
		s.timeline.RecordWrite(expires - life.TTL)
	}
	if expires != 0 && expires != s.timeline.Expires {
		return invalid("lifecycle", "does not lead to expires_at; leave expires_at empty to have it computed")
	}
	return nil
}
