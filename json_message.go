package seshat

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"time"
)

// messageJSON is the form of a Message in JSON, by the rules of sessionJSON.
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

// MarshalJSON returns the message with null for what is absent, times as RFC
// 3339 in UTC with milliseconds, and the payload as base64. Space between the
// tokens of ToolInputs and ToolOutputs is not kept. A message that was read
// from a store has a digest beside the fields, so that one that was given to
// [Tenant.Restore] is still known when it is appended again.
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

// UnmarshalJSON reads what MarshalJSON wrote, and replaces all of m. Fields
// that are null or not there are absent. ErrInvalid: a name or document is not
// allowed.
func (m *Message) UnmarshalJSON(data []byte) error {
	var j messageJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	ms := deref(j.LatencyMS)
	if ms < 0 || ms > math.MaxInt64/int64(time.Millisecond) {
		return invalid("latency_ms", "is negative or too large")
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

// digestJSON is a digest in hexadecimal, by which a message that is appended
// again is known; see [Tenant.Restore]. It is left out where there is none.
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
		return invalid("digest", "is not 32 hexadecimal digits")
	}
	*d = b
	return nil
}

// optionalJSON is nil, which JSON shows as null, for the zero value.
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
