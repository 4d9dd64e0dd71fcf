package seshat

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// Bounds of a session's labels and name.
const (
	MaxLabels           = 32
	MaxSessionNameBytes = 512 // bytes
)

// Session is one conversation between a user and an agent, as it was when it
// was read. It is the caller's own: changing it changes nothing in the store.
//
// Times are UTC with millisecond precision; the zero time means "not" or
// "never". Fields marked "editable" are those that [Tenant.Update] may change.
type Session struct {
	ID             string // unique in its namespace
	NamespaceID    string // of its namespace
	OrganizationID string // of the organization that owns the namespace
	UserID         string // "" = none

	Name       string            // editable; "" until the first user message gives it a title
	Agent      AgentConfig       // what the agent was started with
	Quotas     Quotas            // what the session may use
	UserMemory Document          // editable; what was learned about the user
	Metadata   Document          // editable
	Labels     map[string]string // editable; nil = none

	Status         Status
	LastTransition Transition // the last transition; its zero value until the first

	MessageCount uint64 // messages in the log now
	Stats        SessionStats
	// counts changes of the editable part, of the log but for appends, and of
	// the status but for waking
	Version uint64
	LastSeq uint64 // number of the newest message ever appended; 0 = none

	CreatedAt      time.Time
	UpdatedAt      time.Time // last change of any kind
	LastActivityAt time.Time // last message, Touch or return to active
	ExpiresAt      time.Time // the first moment at which the session does not exist; zero = never
	TerminatedAt   time.Time // zero = not terminated

	Lifecycle Lifecycle // editable; as resolved, so no field is zero
	Parent    Parent    // where Fork took it from

	// MemoryDisabled: the session was created without user memory.
	MemoryDisabled bool

	incarnation driver.Incarnation
	lease       lease
}

// storedSession is a session as writes need it. Reads make a Session alone, which is
// two thirds as large.
type storedSession struct {
	Session
	storedFields
}

// storedFields is the part of a stored session that callers do not see.
type storedFields struct {
	timeline        rules.Timeline // the times and the status; the exported fields follow from it
	updated         int64
	chosenLifecycle Lifecycle // what was chosen for the session itself, unresolved
	latency         latency
	rate            rules.Rate
	logEdits        uint64 // changes of the log other than appends
	bytes           uint64 // driver.Record.Bytes
	filedDue        int64  // driver.Record.Due
	extra           string // trailing elements of the body that this version does not know
}

// SessionStats counts what a session has seen since its creation. Editing,
// deleting or truncating messages does not lower them.
type SessionStats struct {
	TotalMessages  uint64  `json:"total_messages"`
	TotalTokens    uint64  `json:"total_tokens"`
	TotalToolCalls uint64  `json:"total_tool_calls"`
	AvgLatencyMS   float64 `json:"avg_latency_ms"` // over the messages that gave one; 0 = none did
	LatencyCount   uint64  `json:"latency_count"`  // how many gave one
}

// Parent is the place that a fork came from; its zero value means none.
type Parent struct {
	SessionID string `json:"session_id"`
	Seq       uint64 `json:"seq"` // the last message that was copied
}

// latency is what the running average is made of.
type latency struct{ SumMS, Count uint64 }

// lease is who may append, if anybody took it.
type lease struct {
	Owner   string
	Token   uint64 // the newest ever given
	Expires int64  // Unix milliseconds
}

// checkLabels refuses too many labels, and illegal names and values. Of several
// it names the one whose name sorts first.
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

// driverLabels is labels as a driver wants them.
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

// publish sets the exported fields that follow from the inner ones.
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

// clone returns a copy that shares nothing that can be changed.
func (s *Session) clone() *Session {
	c := *s
	c.Agent = s.Agent.clone()
	c.Labels = maps.Clone(s.Labels)
	return &c
}

// String names the session without its content.
func (s *Session) String() string {
	return fmt.Sprintf("session %q (%v, %d messages)", s.ID, s.Status, s.MessageCount)
}

// Get returns the live session at id. ErrNotFound: there is none, or it is
// another tenant's. ErrInvalid, ErrCorrupt.
func (t *Tenant) Get(ctx context.Context, id string) (*Session, error) {
	var rec driver.Record
	if err := t.readRecord(ctx, id, &rec); err != nil {
		return nil, t.wrapError("Get", id, err)
	}
	s, err := decodeSession(&rec, t.id, t.organization)
	if err != nil {
		return nil, t.wrapError("Get", id, err)
	}
	return s, nil
}

// loadStored is Get of what writes know of a session.
func (t *Tenant) loadStored(ctx context.Context, id string) (*storedSession, error) {
	var rec driver.Record
	if err := t.readRecord(ctx, id, &rec); err != nil {
		return nil, err
	}
	return decodeStoredSession(&rec, t.id, t.organization)
}

// readRecord reads the record of the live session at id. ErrNotFound, ErrInvalid.
func (t *Tenant) readRecord(ctx context.Context, id string, rec *driver.Record) error {
	now := t.store.clock.Read()
	if err := t.checkCall(ctx, id); err != nil {
		return err
	}
	return t.store.d.Get(ctx, driver.Key{Namespace: t.ordinal, ID: id}, now, rec)
}

// resetRecord leaves of a record only the memory of its labels.
func resetRecord(rec *driver.Record) {
	clear(rec.Labels)
	*rec = driver.Record{Labels: rec.Labels[:0]}
}

// Touch marks the session as in use: it counts as activity, and extends a
// sliding TTL. ErrNotFound, ErrReadOnly, ErrInvalid.
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

// Delete removes the session with all that belongs to it, in any status, at
// once and for good; a session made of its id later starts empty. It returns
// what was removed. ErrNotFound, ErrInvalid.
func (t *Tenant) Delete(ctx context.Context, id string) (EraseReport, error) {
	var gone EraseReport
	_, err := t.writeSession(ctx, "Delete", id, driver.Target{}, func(c *tenantWrite) error {
		s, err := c.requireLive()
		if err != nil {
			return err
		}
		gone = EraseReport{Sessions: 1, Messages: s.MessageCount, Bytes: s.bytes}
		c.remove(eventDeleted)
		return nil
	})
	if err != nil {
		return EraseReport{}, err
	}
	return gone, nil
}

// reload reads a session once more. ErrNotFound: its life has ended.
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

// isLive reports whether the life that s is of goes on.
func (t *Tenant) isLive(ctx context.Context, s *Session) (bool, error) {
	log, err := t.openLog(ctx, s.ID)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && log.inc == s.incarnation, err
}
