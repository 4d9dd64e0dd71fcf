package seshat

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// Bounds of a session's labels and name.
const (
	MaxLabels      = 32
	MaxSessionName = 512 // bytes
)

// Session is one conversation between a user and an agent, as it was when it
// was read. It is the caller's own: changing it changes nothing in the store.
//
// Times are UTC with millisecond precision; the zero time means "not" or
// "never". Fields marked "editable" are those that [Tenant.Update] may change.
type Session struct {
	ID          string // unique in its namespace
	NamespaceID string // of its namespace
	InternalID  string // of the organization that owns the namespace
	UserID      string // "" = none

	Name       string            // editable; "" until the first user message gives it a title
	Agent      AgentConfig       // what the agent was started with
	Quotas     Quotas            // what the session may use
	UserMemory Document          // editable; what was learned about the user
	Metadata   Document          // editable
	Labels     map[string]string // editable; nil = none

	Status   Status
	LastMove Move // the last transition; its zero value until the first

	MessageCount uint64 // messages in the log now
	Stats        SessionStats
	Version      uint64 // counts changes of the editable part and of the status
	LastSeq      uint64 // number of the newest message ever appended; 0 = none

	CreatedAt      time.Time
	UpdatedAt      time.Time // last change of any kind
	LastActivityAt time.Time // last message, Touch or return to active
	ExpiresAt      time.Time // the first moment at which the session does not exist; zero = never
	TerminatedAt   time.Time // zero = not terminated

	Lifecycle Lifecycle // editable; as resolved, so no field is zero
	Parent    Parent    // where Fork took it from

	// MemoryDisabled: the session was created without user memory.
	MemoryDisabled bool

	inner
}

// inner is the part of a stored session that callers do not see.
type inner struct {
	incarnation driver.Incarnation
	course      rules.Course // the times and the status; the exported fields follow from it
	updated     int64
	own         Lifecycle // what was chosen for the session itself, unresolved
	latency     latency
	rate        rate
	lease       lease
	bytes       uint64 // driver.Record.Bytes
	filed       int64  // driver.Record.Due
	extra       string // trailing elements of the body that this version does not know
}

// SessionStats counts what a session has seen since its creation. Editing,
// deleting or truncating messages does not lower them.
type SessionStats struct {
	TotalMessages  uint64  `json:"total_messages"`
	TotalTokens    uint64  `json:"total_tokens"`
	TotalToolCalls uint64  `json:"total_tool_calls"`
	AvgLatencyMS   float64 `json:"avg_latency_ms"` // over the messages that gave one; 0 = none did
}

// Parent is the place that a fork came from; its zero value means none.
type Parent struct {
	SessionID string `json:"session_id"`
	Seq       uint64 `json:"seq"` // the last message that was copied
}

// latency is what the running average is made of.
type latency struct{ SumMS, Count uint64 }

// rate counts the messages of a minute and of the one before it.
type rate struct {
	Minute         int64 // Unix minutes
	Count, Earlier uint64
}

// lease is who may append, if anybody took it.
type lease struct {
	Owner   string
	Token   uint64 // the newest ever given
	Expires int64  // Unix milliseconds
}

// NewSession is what Create and Ensure make a session of. Every field is
// optional.
type NewSession struct {
	ID         string            // the caller's own id; by default "ses_" and a ULID
	User       string            // opaque id of the user
	Name       string            // by default made from the first user message
	Agent      AgentConfig       // copied
	Quotas     Quotas            // zero fields are unlimited
	UserMemory map[string]any    // see Doc for what values are allowed; copied
	Metadata   map[string]any    // likewise
	Labels     map[string]string // copied
	Lifecycle  Lifecycle         // zero fields come from the namespace, then Options

	// DisableMemory creates the session without user memory: UserMemory must
	// be empty, now and in every Update.
	DisableMemory bool
}

func (n *NewSession) check() error {
	if err := checkOptional("session_id", n.ID); err != nil {
		return err
	}
	if err := checkOptional("user_id", n.User); err != nil {
		return err
	}
	if err := checkTitle(n.Name); err != nil {
		return err
	}
	if err := n.Agent.check(); err != nil {
		return err
	}
	if err := n.Quotas.check(); err != nil {
		return err
	}
	if n.DisableMemory && len(n.UserMemory) > 0 {
		return errMemoryDisabled
	}
	if err := checkLabels(n.Labels); err != nil {
		return err
	}
	return n.Lifecycle.check("lifecycle")
}

var errMemoryDisabled = invalid("user_memory", "is disabled for this session")

func checkTitle(name string) error {
	if len(name) > MaxSessionName {
		return invalid("session_name", "has %d bytes; at most %d are allowed", len(name), MaxSessionName)
	}
	return checkText("session_name", name)
}

func checkLabels(labels map[string]string) error {
	if len(labels) > MaxLabels {
		return invalid("labels", "are %d; at most %d are allowed", len(labels), MaxLabels)
	}
	for k, v := range labels {
		if err := checkName("labels", k); err != nil {
			return err
		}
		if err := checkOptional("labels."+k, v); err != nil {
			return err
		}
	}
	return nil
}

// sortedLabels is labels as a driver wants them.
func sortedLabels(labels map[string]string) []driver.Label {
	if len(labels) == 0 {
		return nil
	}
	out := make([]driver.Label, 0, len(labels))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		out = append(out, driver.Label{Name: k, Value: labels[k]})
	}
	return out
}

// build makes the session that n describes, in a namespace, at now.
func (n *NewSession) build(ns *Namespace, base Lifecycle, now int64) (*Session, error) {
	s := &Session{
		ID: n.ID, NamespaceID: ns.ID, InternalID: ns.InternalID, UserID: n.User,
		Name: n.Name, Agent: n.Agent.clone(), Quotas: n.Quotas, Labels: maps.Clone(n.Labels),
		Version: 1, MemoryDisabled: n.DisableMemory,
	}
	s.UserMemory, s.Metadata = Doc(n.UserMemory), Doc(n.Metadata)
	if err := s.checkDocuments(); err != nil {
		return nil, err
	}
	s.incarnation = driver.Incarnation(newULID(now))
	s.own = n.Lifecycle
	s.updated, s.filed = now, driver.Never
	s.course = rules.Course{
		Life: n.Lifecycle.or(ns.Lifecycle).or(base).life(), Status: rules.Active, StatusAt: now,
		Created: now, Active: now, MaxAge: maxAge(n.Quotas),
	}
	s.course.Write(now)
	s.publish()
	return s, nil
}

func maxAge(q Quotas) int64 {
	if q.MaxSessionDurationMinutes == 0 {
		return rules.Never
	}
	return int64(q.MaxSessionDurationMinutes) * 60_000
}

// publish sets the exported fields that follow from the course.
func (s *Session) publish() {
	c := &s.course
	s.Status = Status(c.Status)
	s.CreatedAt, s.UpdatedAt = instant(c.Created), instant(s.updated)
	s.LastActivityAt, s.ExpiresAt = instant(c.Active), instant(c.Expires)
	s.TerminatedAt = instant(c.Terminated)
	s.Lifecycle = lifecycleOf(c.Life)
	if s.latency.Count > 0 {
		s.Stats.AvgLatencyMS = float64(s.latency.SumMS) / float64(s.latency.Count)
	}
}

func (s *Session) checkDocuments() error {
	if err := s.UserMemory.check("user_memory"); err != nil {
		return err
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
