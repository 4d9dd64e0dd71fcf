package seshat

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"time"
)

// sessionJSON is the JSON form of a Session, with the documented names of the
// fields. Absent values are null, and times are RFC 3339 in UTC with
// milliseconds.
type sessionJSON struct {
	SessionID      string            `json:"session_id"`
	NamespaceID    string            `json:"namespace_id"`
	OrganizationID string            `json:"internal_id"`
	UserID         textJSON          `json:"user_id"`
	SessionName    textJSON          `json:"session_name"`
	AgentConfig    AgentConfig       `json:"agent_config"`
	Quotas         Quotas            `json:"quotas"`
	UserMemory     Document          `json:"user_memory"`
	Metadata       Document          `json:"metadata"`
	Labels         map[string]string `json:"labels"`
	Status         Status            `json:"status"`
	LastTransition *transitionJSON   `json:"last_move"`
	MessageCount   uint64            `json:"message_count"`
	Stats          SessionStats      `json:"stats"`
	Version        uint64            `json:"version"`
	LastSeq        uint64            `json:"last_seq"`
	CreatedAt      timeJSON          `json:"created_at"`
	UpdatedAt      timeJSON          `json:"updated_at"`
	LastActivityAt timeJSON          `json:"last_activity_at"`
	ExpiresAt      timeJSON          `json:"expires_at"`
	TerminatedAt   timeJSON          `json:"terminated_at"`
	Lifecycle      Lifecycle         `json:"lifecycle"`
	Parent         *Parent           `json:"parent"`
	MemoryDisabled bool              `json:"memory_disabled"`
}

// MarshalJSON returns the exported fields of the session. Absent values are
// null, and times are RFC 3339 in UTC with milliseconds.
func (s Session) MarshalJSON() ([]byte, error) {
	j := sessionJSON{
		SessionID: s.ID, NamespaceID: s.NamespaceID, OrganizationID: s.OrganizationID,
		UserID: textJSON(s.UserID), SessionName: textJSON(s.Name),
		AgentConfig: s.Agent, Quotas: s.Quotas,
		UserMemory: s.UserMemory, Metadata: s.Metadata, Labels: s.Labels,
		Status: s.Status, LastTransition: s.LastTransition.json(),
		MessageCount: s.MessageCount, Stats: s.Stats, Version: s.Version, LastSeq: s.LastSeq,
		CreatedAt: timeJSON(s.CreatedAt), UpdatedAt: timeJSON(s.UpdatedAt),
		LastActivityAt: timeJSON(s.LastActivityAt), ExpiresAt: timeJSON(s.ExpiresAt),
		TerminatedAt: timeJSON(s.TerminatedAt),
		Lifecycle:    s.Lifecycle, Parent: optionalJSON(s.Parent), MemoryDisabled: s.MemoryDisabled,
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads the result of MarshalJSON, and replaces all of s. Bytes
// and times in documents become the strings that JSON has for them.
//
// Errors: ErrInvalid if a name or document is not allowed; an error of
// encoding/json.
func (s *Session) UnmarshalJSON(data []byte) error {
	var j sessionJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return hideInput(err)
	}
	*s = Session{
		ID: j.SessionID, NamespaceID: j.NamespaceID, OrganizationID: j.OrganizationID,
		UserID: string(j.UserID), Name: string(j.SessionName),
		Agent: j.AgentConfig, Quotas: j.Quotas,
		UserMemory: j.UserMemory, Metadata: j.Metadata, Labels: j.Labels,
		Status:       j.Status,
		MessageCount: j.MessageCount, Stats: j.Stats, Version: j.Version, LastSeq: j.LastSeq,
		CreatedAt: time.Time(j.CreatedAt), UpdatedAt: time.Time(j.UpdatedAt),
		LastActivityAt: time.Time(j.LastActivityAt), ExpiresAt: time.Time(j.ExpiresAt),
		TerminatedAt: time.Time(j.TerminatedAt),
		Lifecycle:    j.Lifecycle, Parent: deref(j.Parent), MemoryDisabled: j.MemoryDisabled,
	}
	if m := j.LastTransition; m != nil {
		s.LastTransition = Transition{At: time.Time(m.At), Reason: m.Reason, Actor: m.Actor}
	}
	return nil
}

// transitionJSON is the JSON form of a Transition.
type transitionJSON struct {
	At     timeJSON `json:"at"`
	Reason string   `json:"reason,omitempty"`
	Actor  string   `json:"actor,omitempty"`
}

func (m Transition) json() *transitionJSON {
	if m == (Transition{}) {
		return nil
	}
	return &transitionJSON{At: timeJSON(m.At), Reason: m.Reason, Actor: m.Actor}
}

// textJSON is a string whose empty value is null.
type textJSON string

func (t textJSON) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}

// timeJSON is a time whose zero value is null.
type timeJSON time.Time

const timeLayout = "2006-01-02T15:04:05.000Z07:00"

func (t timeJSON) MarshalJSON() ([]byte, error) {
	at := time.Time(t).UTC()
	if at.IsZero() {
		return []byte("null"), nil
	}
	if at.Year() < 0 || at.Year() > 9999 {
		return nil, invalid("time", "is in the year %d; 0 to 9999 are allowed", at.Year())
	}
	return at.AppendFormat(nil, `"`+timeLayout+`"`), nil
}

// errTimeJSON replaces an error that quotes the input.
var errTimeJSON = errors.New("time is not in RFC 3339")

func (t *timeJSON) UnmarshalJSON(data []byte) error {
	var at time.Time
	if err := json.Unmarshal(data, &at); err != nil {
		return errTimeJSON
	}
	*t = timeJSON(at.UTC())
	return nil
}

// lifecycleJSON is the JSON form of a Lifecycle.
type lifecycleJSON struct {
	TTL          durationJSON `json:"ttl,omitempty"`
	Expiry       Expiry       `json:"expiry,omitempty"`
	MaxLifetime  durationJSON `json:"max_lifetime,omitempty"`
	IdleAfter    durationJSON `json:"idle_after,omitempty"`
	ArchiveAfter durationJSON `json:"archive_after,omitempty"`
	Retention    durationJSON `json:"retention,omitempty"`
}

// MarshalJSON returns durations as text such as "168h0m0s", Never as "never",
// and leaves out zero fields.
func (l Lifecycle) MarshalJSON() ([]byte, error) {
	return json.Marshal(lifecycleJSON{
		durationJSON(l.TTL), l.Expiry, durationJSON(l.MaxLifetime),
		durationJSON(l.IdleAfter), durationJSON(l.ArchiveAfter), durationJSON(l.Retention),
	})
}

// UnmarshalJSON reads the result of MarshalJSON. A duration is "never" or a
// text for time.ParseDuration, and is not negative.
//
// Errors: ErrInvalid; an error of encoding/json.
func (l *Lifecycle) UnmarshalJSON(data []byte) error {
	var j lifecycleJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return hideInput(err)
	}
	*l = Lifecycle{
		time.Duration(j.TTL), j.Expiry, time.Duration(j.MaxLifetime),
		time.Duration(j.IdleAfter), time.Duration(j.ArchiveAfter), time.Duration(j.Retention),
	}
	return nil
}

// durationJSON is a duration as text.
type durationJSON time.Duration

const neverText = "never"

func (d durationJSON) MarshalText() ([]byte, error) {
	if time.Duration(d) == Never {
		return []byte(neverText), nil
	}
	return []byte(time.Duration(d).String()), nil
}

func (d *durationJSON) UnmarshalText(text []byte) error {
	switch string(text) {
	case "":
		*d = 0
		return nil
	case neverText:
		*d = durationJSON(Never)
		return nil
	}
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return invalid("lifecycle", `has a bad duration; "never" and durations such as "168h" or "1m30s" are allowed`)
	}
	*d = durationJSON(v)
	return nil
}

// messageJSON is the JSON form of a Message. It follows the rules of
// sessionJSON.
type messageJSON struct {
	MessageID   string          `json:"message_id"`
	Seq         uint64          `json:"seq"`
	Role        *Role           `json:"role"`
	Content     string          `json:"content"`
	ContentType *ContentType    `json:"content_type"`
	ToolName    textJSON        `json:"tool_name"`
	ToolCallID  textJSON        `json:"tool_call_id"`
	ToolCalls   uint64          `json:"tool_calls"`
	ToolInputs  json.RawMessage `json:"tool_inputs"`
	ToolOutputs json.RawMessage `json:"tool_outputs"`
	ToolStatus  textJSON        `json:"tool_status"`
	Author      textJSON        `json:"author"`
	Metadata    Document        `json:"metadata"`
	Tokens      uint64          `json:"tokens"`
	LatencyMS   *int64          `json:"latency_ms"`
	Timestamp   timeJSON        `json:"timestamp"`
	AppendedAt  timeJSON        `json:"appended_at"`
	Payload     []byte          `json:"payload"`
	Summary     *Range          `json:"summary"`
	Digest      digestJSON      `json:"digest,omitempty"`
}

// MarshalJSON returns the message with its payload as base64. Absent values are
// null, and times are RFC 3339 in UTC with milliseconds. White space between
// the JSON tokens of ToolInputs and ToolOutputs is removed. A message that was
// read from a store also has a digest. With it, [Tenant.Restore] lets the store
// recognize later repeats of the append.
func (m Message) MarshalJSON() ([]byte, error) {
	j := messageJSON{
		MessageID: m.ID, Seq: m.Seq, Content: m.Content,
		Role: optionalJSON(m.Role), ContentType: optionalJSON(m.ContentType),
		ToolName: textJSON(m.ToolName), ToolCallID: textJSON(m.ToolCallID), ToolCalls: m.ToolCalls,
		ToolStatus: textJSON(m.ToolStatus), Author: textJSON(m.Author), Metadata: m.Metadata,
		Tokens: m.Tokens, LatencyMS: optionalJSON(m.Latency.Round(time.Millisecond).Milliseconds()),
		Timestamp: timeJSON(m.Timestamp), AppendedAt: timeJSON(m.AppendedAt),
		Payload: m.Payload, Summary: optionalJSON(m.Summary), Digest: newDigestJSON(m.digest),
	}
	if len(m.ToolInputs) > 0 {
		j.ToolInputs = m.ToolInputs
	}
	if len(m.ToolOutputs) > 0 {
		j.ToolOutputs = m.ToolOutputs
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads the result of MarshalJSON, and replaces all of m. Fields
// that are null or missing become zero.
//
// Errors: ErrInvalid if a name or document is not allowed; an error of
// encoding/json.
func (m *Message) UnmarshalJSON(data []byte) error {
	var j messageJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return hideInput(err)
	}
	ms := deref(j.LatencyMS)
	const maxMS = math.MaxInt64 / int64(time.Millisecond)
	if ms < 0 || ms > maxMS {
		return invalid("latency_ms", "is %d; 0 to %d are allowed", ms, maxMS)
	}
	*m = Message{
		ID: j.MessageID, Seq: j.Seq, Content: j.Content,
		Role: deref(j.Role), ContentType: deref(j.ContentType),
		ToolName: string(j.ToolName), ToolCallID: string(j.ToolCallID), ToolCalls: j.ToolCalls,
		ToolInputs: notNull(j.ToolInputs), ToolOutputs: notNull(j.ToolOutputs),
		ToolStatus: string(j.ToolStatus), Author: string(j.Author), Metadata: j.Metadata,
		Tokens: j.Tokens, Latency: time.Duration(ms) * time.Millisecond,
		Timestamp: time.Time(j.Timestamp), AppendedAt: time.Time(j.AppendedAt),
		Payload: j.Payload, Summary: deref(j.Summary),
	}
	copy(m.digest[:], j.Digest)
	return nil
}

// digestJSON is a message's digest in hexadecimal; see [Tenant.Restore].
type digestJSON []byte

func newDigestJSON(d [16]byte) digestJSON {
	if d == ([16]byte{}) {
		return nil
	}
	return d[:]
}

func (d digestJSON) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d), nil }

func (d *digestJSON) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != len(Message{}.digest) {
		return invalid("digest", "is not a digest; 32 hexadecimal digits are allowed")
	}
	*d = b
	return nil
}

// optionalJSON returns a pointer to v, or nil for the zero value, which JSON
// shows as null.
func optionalJSON[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// deref is the inverse of optionalJSON.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func notNull(data json.RawMessage) json.RawMessage {
	if string(data) == "null" {
		return nil
	}
	return data
}

// hideInput returns err without the number that a *json.UnmarshalTypeError
// quotes, because that number may have any length.
func hideInput(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		wrong.Value, _, _ = strings.Cut(wrong.Value, " ")
	}
	return err
}
