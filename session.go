package seshat

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// MaxLabels bounds the labels of one session.
const MaxLabels = 32

// Session is a snapshot of one conversation between a user and an agent. It
// belongs to the caller: changing it changes nothing in the store.
//
// Times are UTC with millisecond precision. [Tenant.Update] may change the
// fields marked "editable".
type Session struct {
	ID             string // unique in its namespace
	NamespaceID    string // id of the namespace
	OrganizationID string // id of the organization that owns the namespace
	UserID         string // the user; "" = none

	Name       string            // editable; "" until the first user message gives it a title
	Agent      AgentConfig       // configuration of the agent
	Quotas     Quotas            // limits of the session
	UserMemory Document          // editable; facts that the agent learned about the user
	Metadata   Document          // editable
	Labels     map[string]string // editable; nil = none

	Status         Status     // status when the session was read
	LastTransition Transition // last transition; zero until the first

	MessageCount uint64       // messages in the log
	Stats        SessionStats // totals since creation

	// Version starts at 1 and increases with every edit, log rewrite and
	// status change. Appends, touches and waking leave it unchanged.
	Version uint64

	// LastSeq is the number of the newest message ever appended; 0 = none.
	LastSeq uint64

	CreatedAt      time.Time // creation
	UpdatedAt      time.Time // last change of any kind
	LastActivityAt time.Time // last message, Touch or return to active
	ExpiresAt      time.Time // the session ceases to exist at this time; zero = never
	TerminatedAt   time.Time // termination; zero = not terminated

	Lifecycle Lifecycle // editable; resolved, so no field is zero
	Parent    Parent    // origin of a fork; zero = not a fork

	// MemoryDisabled reports whether the session was created without user
	// memory.
	MemoryDisabled bool

	incarnation driver.Incarnation
	lease       lease
}

// storedSession is a session with the fields that only writes need. A read
// decodes only the Session, which is two thirds of the stored size.
type storedSession struct {
	Session
	storedFields
}

// storedFields is the part of a stored session that callers do not see.
type storedFields struct {
	timeline        rules.Timeline // times and status, from which publish derives exported fields
	updated         int64          // Unix milliseconds of the last change
	chosenLifecycle Lifecycle      // the session's own lifecycle, unresolved
	latency         latency
	rate            rules.Rate
	logEdits        uint64 // changes of the log other than appends
	bytes           uint64 // driver.Record.Bytes
	filedDue        int64  // driver.Record.Due
	extra           string // trailing elements of the body that this version does not know
}

// SessionStats holds a session's totals since its creation. Editing, deleting
// or truncating messages does not lower them.
type SessionStats struct {
	TotalMessages  uint64  `json:"total_messages"`   // messages ever appended
	TotalTokens    uint64  `json:"total_tokens"`     // sum of Message.Tokens
	TotalToolCalls uint64  `json:"total_tool_calls"` // sum of Message.ToolCalls
	AvgLatencyMS   float64 `json:"avg_latency_ms"`   // mean of Message.Latency in milliseconds; 0 = none given
	LatencyCount   uint64  `json:"latency_count"`    // messages with a Latency
}

// Parent is the origin of a fork. The zero Parent means none.
type Parent struct {
	SessionID string `json:"session_id"` // the session that was forked
	Seq       uint64 `json:"seq"`        // number of the last message that was copied
}

// latency is a running sum of latencies, for their average.
type latency struct{ SumMS, Count uint64 }

// lease is the lease of a session. Owner is empty if nobody holds it.
type lease struct {
	Owner   string
	Token   uint64 // newest token ever given
	Expires int64  // Unix milliseconds
}

// checkLabels refuses too many labels, and illegal names and values. If several
// labels are illegal, it reports the one whose name sorts first.
func checkLabels(labels map[string]string) *fieldError {
	if len(labels) > MaxLabels {
		return refuse("labels", "has %d labels; at most %d are allowed", len(labels), MaxLabels)
	}
	var bad string
	var first *fieldError
	for name, value := range labels {
		if e := checkLabel(name, value); e != nil && (first == nil || name < bad) {
			bad = name
			first = e
		}
	}
	return first
}

func checkLabel(name, value string) *fieldError {
	if e := checkName("labels", name); e != nil {
		return e
	}
	if e := checkOptional("", value); e != nil {
		return e.at("labels." + name)
	}
	return nil
}

// driverLabels returns labels in the driver's form, sorted by name.
func driverLabels(labels map[string]string) []driver.Label {
	if len(labels) == 0 {
		return nil
	}
	out := make([]driver.Label, 0, len(labels))
	for name, value := range labels {
		out = append(out, driver.Label{Name: name, Value: value})
	}
	slices.SortFunc(out, func(a, b driver.Label) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// publish sets the exported fields that follow from the stored ones.
func (s *storedSession) publish() { s.deriveFields(&s.storedFields) }

func (s *Session) deriveFields(in *storedFields) {
	c := &in.timeline
	s.Status = Status(c.Status)
	s.CreatedAt = timeFromMillis(c.Created)
	s.UpdatedAt = timeFromMillis(in.updated)
	s.LastActivityAt = timeFromMillis(c.Active)
	s.ExpiresAt = timeFromMillis(c.Expires)
	s.TerminatedAt = timeFromMillis(c.Terminated)
	s.Lifecycle = lifecycleFromRules(c.Lifecycle)
	if s.Stats.LatencyCount = in.latency.Count; in.latency.Count > 0 {
		s.Stats.AvgLatencyMS = float64(in.latency.SumMS) / float64(in.latency.Count)
	}
}

func (s *Session) checkDocuments() *fieldError {
	if e := s.UserMemory.check("user_memory"); e != nil {
		return e
	}
	if s.MemoryDisabled && !s.UserMemory.IsZero() {
		return errMemoryDisabled
	}
	return s.Metadata.check("metadata")
}

// clone returns a copy that shares no mutable memory with s.
func (s *Session) clone() *Session {
	c := *s
	c.Agent = s.Agent.clone()
	c.Labels = maps.Clone(s.Labels)
	return &c
}

// String describes the session without its content.
func (s *Session) String() string {
	return fmt.Sprintf("session %q (%v, %d messages)", s.ID, s.Status, s.MessageCount)
}

// Get returns the live session at id.
//
// Errors: ErrNotFound if there is no such session, or it belongs to another
// tenant; ErrInvalid; ErrCorrupt.
func (t *Tenant) Get(ctx context.Context, id string) (*Session, error) {
	rec := sessionRecords.Get().(*driver.Record)
	defer releaseSessionRecord(rec)
	if err := t.readRecord(ctx, id, rec); err != nil {
		return nil, t.wrapError("Get", id, err)
	}
	s, err := decodeSession(rec, t.id, t.organization)
	if err != nil {
		return nil, t.wrapError("Get", id, err)
	}
	return s, nil
}

// sessionRecords pools the records that Get reads into. The pool never reuses
// memory that a session shares with its record.
var sessionRecords = sync.Pool{New: func() any { return new(driver.Record) }}

// releaseSessionRecord returns a record to the pool without the memory that its
// session may share.
func releaseSessionRecord(rec *driver.Record) {
	resetRecord(rec)
	sessionRecords.Put(rec)
}

// loadStored returns the live session at id with the fields that writes need.
func (t *Tenant) loadStored(ctx context.Context, id string) (*storedSession, error) {
	var rec driver.Record
	if err := t.readRecord(ctx, id, &rec); err != nil {
		return nil, err
	}
	return decodeStoredSession(&rec, t.id, t.organization)
}

// readRecord reads the record of the live session at id. Errors: ErrNotFound;
// ErrInvalid.
func (t *Tenant) readRecord(ctx context.Context, id string, rec *driver.Record) error {
	now := t.store.clock.Read()
	if err := t.checkCall(ctx, id); err != nil {
		return err
	}
	return t.store.d.Get(ctx, driver.Key{Namespace: t.ordinal, ID: id}, now, rec)
}

// resetRecord clears a record, and keeps the memory of its labels.
func resetRecord(rec *driver.Record) {
	clear(rec.Labels)
	*rec = driver.Record{Labels: rec.Labels[:0]}
}

// Touch marks the session as in use: it counts as activity and extends a
// sliding TTL.
//
// Errors: ErrNotFound; ErrReadOnly; ErrInvalid.
func (t *Tenant) Touch(ctx context.Context, id string) (*Session, error) {
	return t.writeSession(ctx, "Touch", id, driver.Target{}, func(c *tenantWrite) error {
		s, err := c.requireWritable()
		if err != nil {
			return err
		}
		s.timeline.Active = c.view.Now
		c.markWritten(noEvent)
		return nil
	})
}

// reload reads s again. If the incarnation of s has ended, it returns
// ErrNotFound.
func (t *Tenant) reload(ctx context.Context, s *Session) (*storedSession, error) {
	now, err := t.loadStored(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	if now.incarnation != s.incarnation {
		return nil, ErrNotFound
	}
	return now, nil
}

var errMemoryDisabled = refuse("user_memory", "is not empty, and this session has no user memory; leave it empty")
