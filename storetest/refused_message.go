package storetest

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

// badNames are names that every id, name and label refuses. A required name
// refuses "" too.
var badNames = []struct{ why, name string }{
	{"too long", strings.Repeat("x", seshat.MaxNameBytes+1)},
	{"very long", strings.Repeat("x", 1<<20)},
	{"with a control character", "a\nb"},
	{"not UTF-8", "a\xff"},
}

// badNamesOf spoils the name that at points to. If the name is required, "" is
// refused too.
func badNamesOf[T any](field string, required bool, at func(*T) *string) []refusal[T] {
	var rows []refusal[T]
	for _, bad := range badNames {
		rows = append(rows, refusal[T]{field + " " + bad.why, field, func(v *T) { *at(v) = bad.name }})
	}
	if required {
		rows = append(rows, refusal[T]{field + " missing", field, func(v *T) { *at(v) = "" }})
	}
	return rows
}

// badDocuments are values that cannot be stored at the key k.
var badDocuments = []struct {
	why   string
	value any
}{
	{"of no type that is stored", func() {}},
	{"not finite", math.NaN()},
	{"not UTF-8", "\xff"},
	{"too large", strings.Repeat("x", seshat.MaxDocumentBytes)},
	{"at a bad year", time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)},
}

// badDocumentsOf spoils a document with one bad value, and with two.
func badDocumentsOf[T any](field string, set func(*T, map[string]any)) []refusal[T] {
	var rows []refusal[T]
	for _, bad := range badDocuments {
		rows = append(rows,
			refusal[T]{field + " " + bad.why, field + ".k", func(v *T) { set(v, map[string]any{"k": bad.value}) }})
	}
	return append(rows, refusal[T]{field + " with two bad values", field + ".a", func(v *T) {
		set(v, map[string]any{"c": math.NaN(), "a": math.NaN(), "b": math.NaN()})
	}})
}

type badMessage = refusal[seshat.Message]

// refusedFields spoil each field that a caller sets in a message, except its
// id.
func refusedFields() []badMessage {
	rows := []badMessage{
		{"no role", "role", func(m *seshat.Message) { m.Role = 0 }},
		{"role out of range", "role", func(m *seshat.Message) { m.Role = 6 }},
		{"content type out of range", "content_type", func(m *seshat.Message) { m.ContentType = 5 }},
		{"content not UTF-8", "content", func(m *seshat.Message) { m.Content = "a\xff" }},
		{"content too long", "content", func(m *seshat.Message) { m.Content = longText[:seshat.MaxContentBytes+1] }},
		{"inputs not JSON", "tool_inputs", func(m *seshat.Message) { m.ToolInputs = json.RawMessage("{") }},
		{
			"inputs too long", "tool_inputs",
			func(m *seshat.Message) { m.ToolInputs = longBytes[:seshat.MaxToolJSONBytes+1] },
		},
		{"outputs not JSON", "tool_outputs", func(m *seshat.Message) { m.ToolOutputs = json.RawMessage("{") }},
		{
			"outputs too long", "tool_outputs",
			func(m *seshat.Message) { m.ToolOutputs = longBytes[:seshat.MaxToolJSONBytes+1] },
		},
		{"payload too long", "payload", func(m *seshat.Message) { m.Payload = longBytes }},
		{"too many tokens", "tokens", func(m *seshat.Message) { m.Tokens = 1 << 40 }},
		{"too many tool calls", "tool_calls", func(m *seshat.Message) { m.ToolCalls = 1 << 40 }},
		{"negative latency", "latency_ms", func(m *seshat.Message) { m.Latency = -1 }},
		{"latency too long", "latency_ms", func(m *seshat.Message) { m.Latency = 367 * day }},
		{
			"year too early", "timestamp",
			func(m *seshat.Message) { m.Timestamp = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC) },
		},
		{"year too late", "timestamp", func(m *seshat.Message) { m.Timestamp = far }},
		{"neither inputs nor outputs JSON", "tool_inputs", func(m *seshat.Message) {
			m.ToolOutputs, m.ToolInputs = json.RawMessage("{"), json.RawMessage("{")
		}},
		{"too many tokens and tool calls", "tokens", func(m *seshat.Message) {
			m.ToolCalls = 1 << 40
			m.Tokens = 1 << 40
		}},
	}
	rows = append(rows, badNamesOf("tool_name", false, func(m *seshat.Message) *string { return &m.ToolName })...)
	rows = append(rows, badNamesOf("tool_call_id", false, func(m *seshat.Message) *string { return &m.ToolCallID })...)
	rows = append(rows, badNamesOf("tool_status", false, func(m *seshat.Message) *string { return &m.ToolStatus })...)
	rows = append(rows, badNamesOf("author", false, func(m *seshat.Message) *string { return &m.Author })...)
	return append(rows, badDocumentsOf("metadata", func(m *seshat.Message, d map[string]any) {
		m.Metadata = seshat.NewDocument(d)
	})...)
}

// storeFields spoil a message by setting fields that only the store sets.
var storeFields = []badMessage{
	{"seq given", "seq", func(m *seshat.Message) { m.Seq = 7 }},
	{"appended_at given", "appended_at", func(m *seshat.Message) { m.AppendedAt = far }},
	{"summary given", "summary", func(m *seshat.Message) { m.Summary = seshat.Range{From: 1, To: 9} }},
}

var (
	longBytes = make([]byte, seshat.MaxPayloadBytes+1)
	longText  = strings.Repeat("x", seshat.MaxContentBytes+1)
)

func messageID(m *seshat.Message) *string { return &m.ID }

func refusedMessages(e *env) {
	t := e.refusedStore()
	good := seshat.Message{Role: seshat.RoleUser, Content: "hello"}
	ids := badNamesOf("message_id", false, messageID)
	refuseAll(e, t, "Append", "messages[0].", good, func(m seshat.Message) error {
		return second(t.Append(e.ctx, "s", m))
	}, refusedFields(), ids, storeFields)
	refuseAll(e, t, "AppendTurn", "messages[2].", good, func(m seshat.Message) error {
		return second(t.AppendTurn(e.ctx, "s", seshat.Turn{Messages: []seshat.Message{good, good, m, {}}}))
	}, refusedFields(), ids, storeFields)
	refuseAll(e, t, "Summarize", "summary.", good, func(m seshat.Message) error {
		return second(t.Summarize(e.ctx, "s", seshat.Range{From: 1, To: 1}, m))
	}, refusedFields(), ids, storeFields, []badMessage{
		{"message_id given", "message_id", func(m *seshat.Message) { m.ID = "x" }},
	})
	stored := e.log(t, "s")[0]
	refuseAll(e, t, "EditMessage", "message.", stored, func(bad seshat.Message) error {
		return second(t.EditMessage(e.ctx, "s", 1, func(m *seshat.Message) error {
			*m = bad
			return nil
		}))
	}, refusedFields(), ids, storeFields, []badMessage{
		{"another message_id", "message_id", func(m *seshat.Message) { m.ID = "x" }},
		{"another message_id and seq", "message_id", func(m *seshat.Message) {
			m.Seq = 2
			m.ID = "x"
		}},
	})
	session := e.get(t, "s")
	session.ID = "restored"
	refuseAll(e, t, "Restore", "messages[0].", stored, func(m seshat.Message) error {
		return second(t.Restore(e.ctx, seshat.Snapshot{Session: session, Messages: messages(m)}))
	}, refusedFields(), badNamesOf("message_id", true, messageID), storeFields)
	refusedTurns(e, t, good)
}

// refusedTurns appends turns whose messages are valid but do not fit together.
func refusedTurns(e *env, t *seshat.Tenant, good seshat.Message) {
	named := good
	named.ID = "twice"
	large := good
	large.Content = longText[:seshat.MaxContentBytes]
	type turn = seshat.Turn
	refuseAll(e, t, "AppendTurn", "", turn{Messages: []seshat.Message{good}}, func(v turn) error {
		return second(t.AppendTurn(e.ctx, "s", v))
	}, []refusal[turn]{
		{"no messages", "messages", func(v *turn) { v.Messages = nil }},
		{
			"too many messages", "messages",
			func(v *turn) { v.Messages = make([]seshat.Message, seshat.MaxTurnMessages+1) },
		},
		{"too many bytes", "messages", func(v *turn) {
			v.Messages = []seshat.Message{large, large, large, large, large, large, large, large, large}
		}},
		{"an id twice", "messages[2].message_id", func(v *turn) { v.Messages = []seshat.Message{named, good, named} }},
		{"state with an empty key", "state", func(v *turn) { v.State = map[string]any{"": 1} }},
		{"user state with an empty key", "user_state", func(v *turn) { v.UserState = map[string]any{"": 1} }},
		{
			"namespace state with an empty key", "namespace_state",
			func(v *turn) { v.NamespaceState = map[string]any{"": 1} },
		},
	}, badDocumentsOf("state", func(v *turn, d map[string]any) { v.State = d }),
		badDocumentsOf("user_state", func(v *turn, d map[string]any) { v.UserState = d }),
		badDocumentsOf("namespace_state", func(v *turn, d map[string]any) { v.NamespaceState = d }))
}
