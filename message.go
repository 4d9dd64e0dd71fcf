package seshat

import (
	"encoding/json"
	"time"
)

// Bounds of a message.
const (
	MaxContentBytes  = 1 << 20   // bytes of Content
	MaxPayloadBytes  = 4 << 20   // bytes of Payload
	MaxToolJSONBytes = 1 << 20   // bytes of ToolInputs and of ToolOutputs
	MaxTurnMessages  = 256       // messages of one append
	MaxTurnBytes     = 8 << 20   // bytes of one append, encoded
	MaxMessageTokens = 1<<40 - 1 // Tokens, and ToolCalls, so that sums do not overflow
	MaxLatency       = 366 * 24 * time.Hour
)

// Role is the author's role in a conversation.
type Role uint8

// The roles of a message.
const (
	RoleUser      Role = 1
	RoleAssistant Role = 2
	RoleTool      Role = 3
	RoleSystem    Role = 4
	RoleFramework Role = 5 // an opaque event of an agent framework
)

// ContentType is the type of a message's content.
type ContentType uint8

// The types of content. The zero value means ContentText.
const (
	ContentText       ContentType = 1
	ContentToolCall   ContentType = 2
	ContentToolResult ContentType = 3
	ContentEvent      ContentType = 4
)

// Message is one entry of a session's log.
type Message struct {
	// ID is unique in the session, also among removed messages. If a message
	// with an ID is appended twice with the same content, it is stored once.
	// The default is "msg_" and a ULID.
	ID string `json:"message_id"`

	// Seq is the message's number, from 1. The store sets it.
	Seq uint64 `json:"seq"`

	Role        Role        `json:"role"`         // required
	Content     string      `json:"content"`      // at most MaxContentBytes bytes of UTF-8
	ContentType ContentType `json:"content_type"` // the default is ContentText

	ToolName    string          `json:"tool_name"`    // name of the tool
	ToolCallID  string          `json:"tool_call_id"` // pairs a tool call with its result
	ToolCalls   uint64          `json:"tool_calls"`   // number of calls; the default is 1 for ContentToolCall, else 0
	ToolInputs  json.RawMessage `json:"tool_inputs"`  // any JSON; kept byte for byte
	ToolOutputs json.RawMessage `json:"tool_outputs"` // any JSON; kept byte for byte
	ToolStatus  string          `json:"tool_status"`  // outcome of the tool, in the caller's words

	Author    string        `json:"author"`    // name of the agent or person
	Metadata  Document      `json:"metadata"`  // the caller's own values
	Tokens    uint64        `json:"tokens"`    // tokens of the message; 0 = not given
	Latency   time.Duration `json:"-"`         // rounded to milliseconds; 0 = not given
	Timestamp time.Time     `json:"timestamp"` // UTC with millisecond precision; the default is AppendedAt

	// AppendedAt is the time of the append, in UTC with millisecond precision.
	// It never decreases along a log. The store sets it.
	AppendedAt time.Time `json:"appended_at"`

	// Payload has bytes of an agent framework, which are kept unchanged.
	Payload []byte `json:"payload"`

	// Summary is the range of messages that this message replaced; see
	// [Tenant.Summarize]. The store sets it.
	Summary Range `json:"summary"`

	digest [16]byte // messageDigest when it was appended; zero = not read from a store
	extra  string   // trailing elements of the body that this version does not know
}

// Range is a range of message numbers, both ends included. The zero Range is
// empty.
type Range struct {
	From uint64 `json:"from"` // the first number
	To   uint64 `json:"to"`   // the last number
}

var (
	roleNames = [...]string{
		RoleUser: "user", RoleAssistant: "assistant", RoleTool: "tool",
		RoleSystem: "system", RoleFramework: "framework",
	}
	contentTypeNames = [...]string{
		ContentText: "text", ContentToolCall: "tool_call",
		ContentToolResult: "tool_result", ContentEvent: "event",
	}
)

// String returns user, assistant, tool, system or framework.
func (r Role) String() string { return enumName(roleNames[:], int(r), "role") }

// MarshalText returns the role's name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the role's name.
//
// Errors: ErrInvalid if there is no such role.
func (r *Role) UnmarshalText(text []byte) error {
	i, err := parseEnum(roleNames[:], string(text), "role")
	*r = Role(i)
	return err
}

// String returns text, tool_call, tool_result or event.
func (c ContentType) String() string { return enumName(contentTypeNames[:], int(c), "content_type") }

// MarshalText returns the content type's name.
func (c ContentType) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the content type's name.
//
// Errors: ErrInvalid if there is no such type.
func (c *ContentType) UnmarshalText(text []byte) error {
	i, err := parseEnum(contentTypeNames[:], string(text), "content_type")
	*c = ContentType(i)
	return err
}

// checkTurn refuses messages that cannot be appended in one turn.
func checkTurn(ms []Message) *fieldError {
	if len(ms) == 0 || len(ms) > MaxTurnMessages {
		return refuse("messages", "has %d messages; 1 to %d are allowed", len(ms), MaxTurnMessages)
	}
	size := 0
	for i := range ms {
		if e := ms[i].check(); e != nil {
			return e.atIndex("messages", i)
		}
		size += ms[i].size()
	}
	if i := repeatedID(ms); i >= 0 {
		return refuse("message_id", "is given twice in one turn; each id is allowed once").atIndex("messages", i)
	}
	if size > MaxTurnBytes {
		return refuse("messages", "has %d bytes; at most %d are allowed", size, MaxTurnBytes)
	}
	return nil
}

// repeatedID returns the index of the first message whose id an earlier one
// has, or -1. It allocates only for a turn of several messages with ids.
func repeatedID(ms []Message) int {
	if len(ms) == 1 {
		return -1
	}
	var seen map[string]bool
	for i := range ms {
		id := ms[i].ID
		if id == "" {
			continue
		}
		if seen[id] {
			return i
		}
		if seen == nil {
			seen = make(map[string]bool, len(ms)-i)
		}
		seen[id] = true
	}
	return -1
}

func (m *Message) size() int {
	return len(m.Content) + len(m.ToolInputs) + len(m.ToolOutputs) + len(m.Payload) + len(m.Metadata.enc)
}

// check refuses a message that a caller may not append.
func (m *Message) check() *fieldError {
	if e := m.checkStoreFields(); e != nil {
		return e
	}
	if enumNameAt(roleNames[:], int(m.Role)) == "" {
		return refuseEnum("role", roleNames[:])
	}
	if m.ContentType != 0 && enumNameAt(contentTypeNames[:], int(m.ContentType)) == "" {
		return refuseEnum("content_type", contentTypeNames[:])
	}
	for _, x := range [...]struct{ field, value string }{
		{"message_id", m.ID},
		{"tool_name", m.ToolName},
		{"tool_call_id", m.ToolCallID},
		{"tool_status", m.ToolStatus},
		{"author", m.Author},
	} {
		if e := checkOptional(x.field, x.value); e != nil {
			return e
		}
	}
	if e := checkUTF8("content", m.Content); e != nil {
		return e
	}
	if e := m.checkSizes(); e != nil {
		return e
	}
	if e := m.checkNumbers(); e != nil {
		return e
	}
	return m.Metadata.check("metadata")
}

// checkStoreFields refuses fields that only the store sets.
func (m *Message) checkStoreFields() *fieldError {
	const reason = "is set by the store; leave it empty"
	switch {
	case m.Seq != 0:
		return refuse("seq", reason)
	case !m.AppendedAt.IsZero():
		return refuse("appended_at", reason)
	case m.Summary != Range{}:
		return refuse("summary", reason)
	}
	return nil
}

func (m *Message) checkSizes() *fieldError {
	for _, x := range [...]struct {
		field     string
		size, max int
	}{
		{"content", len(m.Content), MaxContentBytes},
		{"tool_inputs", len(m.ToolInputs), MaxToolJSONBytes},
		{"tool_outputs", len(m.ToolOutputs), MaxToolJSONBytes},
		{"payload", len(m.Payload), MaxPayloadBytes},
	} {
		if x.size > x.max {
			return refuse(x.field, "has %d bytes; at most %d are allowed", x.size, x.max)
		}
	}
	if len(m.ToolInputs) > 0 && !json.Valid(m.ToolInputs) {
		return refuse("tool_inputs", "is not valid JSON; any JSON value is allowed")
	}
	if len(m.ToolOutputs) > 0 && !json.Valid(m.ToolOutputs) {
		return refuse("tool_outputs", "is not valid JSON; any JSON value is allowed")
	}
	return nil
}

func (m *Message) checkNumbers() *fieldError {
	year := m.Timestamp.UTC().Year()
	switch {
	case m.Tokens > MaxMessageTokens:
		return refuse("tokens", "is %d; at most %d is allowed", m.Tokens, uint64(MaxMessageTokens))
	case m.ToolCalls > MaxMessageTokens:
		return refuse("tool_calls", "is %d; at most %d is allowed", m.ToolCalls, uint64(MaxMessageTokens))
	case m.Latency < 0 || m.Latency > MaxLatency:
		return refuse("latency_ms", "is %v; 0 to %v are allowed", m.Latency, MaxLatency)
	case !m.Timestamp.IsZero() && (year < 1 || year > 9999):
		return refuse("timestamp", "is in the year %d; 1 to 9999 are allowed", year)
	}
	return nil
}

// setDefaults sets the fields that the store sets, and those that the caller
// left empty.
func (m *Message) setDefaults(now int64) {
	if m.ID == "" {
		m.ID = messagePrefix + newULID(now).String()
	}
	m.AppendedAt = timeFromMillis(now)
	if m.Timestamp.IsZero() {
		m.Timestamp = m.AppendedAt
	}
	m.Timestamp = m.Timestamp.UTC().Truncate(time.Millisecond)
	m.normalize()
}

// normalize sets the defaults that follow from other fields.
func (m *Message) normalize() {
	if m.ContentType == 0 {
		m.ContentType = ContentText
	}
	if m.ToolCalls == 0 && m.ContentType == ContentToolCall {
		m.ToolCalls = 1
	}
	m.Latency = m.Latency.Round(time.Millisecond)
}

// messageTotals are the additions of an append to stats and quotas.
type messageTotals struct {
	messages, tokens, toolCalls uint64
	latency                     latency
}

func (n *messageTotals) add(m messageTotals) {
	n.messages += m.messages
	n.tokens += m.tokens
	n.toolCalls += m.toolCalls
	n.latency.SumMS += m.latency.SumMS
	n.latency.Count += m.latency.Count
}

func totalsOf(ms []Message) (n messageTotals) {
	for i := range ms {
		m := ms[i]
		m.normalize()
		n.messages++
		n.tokens += m.Tokens
		n.toolCalls += m.ToolCalls
		if m.Latency > 0 {
			n.latency.SumMS += uint64(m.Latency.Milliseconds())
			n.latency.Count++
		}
	}
	return n
}
