package seshat

import (
	"encoding/json"
	"fmt"
	"time"
)

// Bounds of a message.
const (
	MaxContent  = 1 << 20   // bytes of Content
	MaxPayload  = 4 << 20   // bytes of Payload
	MaxToolJSON = 1 << 20   // bytes of ToolInputs and of ToolOutputs
	MaxTurn     = 256       // messages of one append
	MaxTurnSize = 8 << 20   // bytes of one append, encoded
	maxTokens   = 1<<40 - 1 // of one message: keeps sums from overflowing
)

// Role says who speaks in a message.
type Role uint8

// The roles of a message.
const (
	User      Role = 1
	Assistant Role = 2
	Tool      Role = 3
	System    Role = 4
	Framework Role = 5 // an opaque event of an agent framework
)

// ContentType says what a message is.
type ContentType uint8

// The types of content. The zero value means Text.
const (
	Text       ContentType = 1
	ToolCall   ContentType = 2
	ToolResult ContentType = 3
	EventData  ContentType = 4
)

// Message is one entry of a session's log.
type Message struct {
	// ID is unique in the session, also among messages that are gone. Given
	// twice with the same content it is appended once. By default "msg_" and
	// a ULID.
	ID string `json:"message_id"`

	// Seq is the message's number, from 1. The store gives it.
	Seq uint64 `json:"seq"`

	Role        Role        `json:"role"` // required
	Content     string      `json:"content"`
	ContentType ContentType `json:"content_type"` // by default Text

	ToolName    string          `json:"tool_name"`
	ToolCallID  string          `json:"tool_call_id"` // pairs a call with its result
	ToolCalls   uint64          `json:"tool_calls"`   // calls in it; by default 1 for ToolCall, else 0
	ToolInputs  json.RawMessage `json:"tool_inputs"`  // any JSON; kept byte for byte
	ToolOutputs json.RawMessage `json:"tool_outputs"` // any JSON; kept byte for byte
	ToolStatus  string          `json:"tool_status"`

	Author    string        `json:"author"`
	Metadata  Document      `json:"metadata"`
	Tokens    uint64        `json:"tokens"`
	Latency   time.Duration `json:"-"`         // rounded to milliseconds; 0 = not given
	Timestamp time.Time     `json:"timestamp"` // UTC, milliseconds; by default when it was appended

	// AppendedAt is when the store took it: never before that of an earlier
	// message. The store sets it.
	AppendedAt time.Time `json:"appended_at"`

	// Payload is what a framework wants back byte for byte.
	Payload []byte `json:"payload"`

	// Summary is the range of messages that this one replaced; see
	// [Tenant.Summarize]. The store sets it.
	Summary Range `json:"summary"`

	extra string // trailing elements of the body that this version does not know
}

// Range is a range of message numbers, both ends included. Its zero value is
// no range.
type Range struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

var (
	roleNames        = [...]string{User: "user", Assistant: "assistant", Tool: "tool", System: "system", Framework: "framework"}
	contentTypeNames = [...]string{Text: "text", ToolCall: "tool_call", ToolResult: "tool_result", EventData: "event"}
)

// String returns user, assistant, tool, system or framework.
func (r Role) String() string { return nameOf(roleNames[:], int(r), "role") }

// MarshalText returns the role's name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the role's name. ErrInvalid: there is no such role.
func (r *Role) UnmarshalText(text []byte) error {
	i, err := numberOf(roleNames[:], string(text), "role")
	*r = Role(i)
	return err
}

// String returns text, tool_call, tool_result or event.
func (c ContentType) String() string { return nameOf(contentTypeNames[:], int(c), "content_type") }

// MarshalText returns the content type's name.
func (c ContentType) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the content type's name. ErrInvalid: there is none such.
func (c *ContentType) UnmarshalText(text []byte) error {
	i, err := numberOf(contentTypeNames[:], string(text), "content_type")
	*c = ContentType(i)
	return err
}

func nameOf(names []string, i int, field string) string {
	if i > 0 && i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s(%d)", field, i)
}

func numberOf(names []string, name, field string) (int, error) {
	for i, n := range names {
		if i > 0 && n == name {
			return i, nil
		}
	}
	return 0, invalid(field, "is none of %q", names[1:])
}
