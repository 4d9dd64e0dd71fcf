package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var logs = []promise{
	{name: "a message comes back byte for byte", test: logRoundTrip},
	{name: "absent and empty differ", test: logAbsent},
	{name: "what is left out gets its default", test: logDefaults},
	{name: "numbers ascend by one and are never reused", test: logNumbers},
	{name: "a turn is appended whole", test: logWhole},
	{name: "a refused turn leaves no trace", test: logRefused},
	{name: "bounds of a turn", test: logBounds},
}

// newMessages returns n messages of a user.
func newMessages(n int) []seshat.Message {
	all := make([]seshat.Message, n)
	for i := range all {
		all[i] = seshat.Message{Role: seshat.RoleUser, Content: fmt.Sprintf("message %d", i)}
	}
	return all
}

// append appends messages and returns the session. It must succeed.
func (e *env) append(t *seshat.Tenant, id string, messages ...seshat.Message) *seshat.Session {
	e.Helper()
	s, err := t.Append(e.ctx, id, messages...)
	e.must(err)
	return s
}

// log returns the whole log.
func (e *env) log(t *seshat.Tenant, id string) []seshat.Message {
	e.Helper()
	return e.history(t, id, seshat.HistoryQuery{Limit: seshat.MaxHistory})
}

// history returns the messages that the query selects.
func (e *env) history(t *seshat.Tenant, id string, q seshat.HistoryQuery) []seshat.Message {
	e.Helper()
	page, err := t.History(e.ctx, id, q)
	e.must(err)
	return page.Messages
}

// numbers returns the sequence numbers of messages.
func numbers(all []seshat.Message) []uint64 {
	out := []uint64{}
	for i := range all {
		out = append(out, all[i].Seq)
	}
	return out
}

// expectNumbers fails the test unless the log has these numbers.
func (e *env) expectNumbers(t *seshat.Tenant, id string, want ...uint64) {
	e.Helper()
	if got := numbers(e.log(t, id)); fmt.Sprint(got) != fmt.Sprint(want) {
		e.Fatalf("log of %q: got %v, want %v", id, got, want)
	}
}

// unchangedSince returns a function that fails the test if the session or its
// log has changed since this call.
func (e *env) unchangedSince(t *seshat.Tenant, id string) func() {
	e.Helper()
	s := e.get(t, id)
	log := e.log(t, id)
	return func() {
		e.Helper()
		if now := e.get(t, id); !reflect.DeepEqual(now, s) {
			e.Fatalf("the session changed from\n%+v to\n%+v", s, now)
		}
		if now := e.log(t, id); !reflect.DeepEqual(now, log) {
			e.Fatalf("the log changed from\n%+v to\n%+v", log, now)
		}
	}
}

// strange are contents that careless code changes.
var strange = []string{
	"", " ", "\n", "\x00", "\x00\x01\x1f\x7f", "a\r\nb\n\n", "\ufeffBOM", "\u200b\u202e", "\ufffd", "\U0010ffff",
	"e\u0301 é", "👩‍👩‍👧‍👦", "日本語", "שלום", `{"a":1}`, `"quoted\"`, "<script>&amp;", "\u2028\u2029",
	strings.Repeat("x", 50_000),
}

func logRoundTrip(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	at := time.Date(1931, 3, 1, 12, 0, 0, 987654321, time.FixedZone("east", 3600))
	for i, text := range strange {
		m := seshat.Message{
			ID: fmt.Sprintf("m/%d ä", i), Role: seshat.RoleAssistant, Content: text, ContentType: seshat.ContentEvent,
			ToolName: "näme", ToolCallID: "call/1", ToolCalls: 3, ToolStatus: "ok ✓", Author: "böt",
			ToolInputs: json.RawMessage(" { \"b\" : 1.0 , \"a\":[ ] } "), ToolOutputs: json.RawMessage("\tnull\n"),
			Metadata: seshat.NewDocument(map[string]any{"k": text, "n": nil, "l": []any{}, "b": []byte{0, 255}}),
			Tokens:   7, Latency: 1500 * time.Microsecond, Timestamp: at, Payload: []byte{0, 255, 10},
		}
		e.append(t, "s", m)
		want := m
		want.Seq = uint64(i + 1)
		want.AppendedAt = seshattest.Start
		want.Latency, want.Timestamp = 2*ms, at.UTC().Truncate(ms)
		got := e.history(t, "s", seshat.HistoryQuery{Last: 1})[0]
		same(e, got, want)
	}
}

// same fails the test unless the exported fields of two messages are equal.
func same(e *env, got, want seshat.Message) {
	e.Helper()
	if a, b := exportedFields(got), exportedFields(want); !reflect.DeepEqual(a, b) {
		e.Fatalf("got message\n%#v\nwant\n%#v", a, b)
	}
}

// exportedFields returns the exported fields of a message.
func exportedFields(m seshat.Message) map[string]any {
	out := map[string]any{}
	v := reflect.ValueOf(m)
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() {
			out[f.Name] = v.Field(i).Interface()
		}
	}
	return out
}

func logAbsent(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", seshat.Message{Role: seshat.RoleTool})
	e.append(t, "s", seshat.Message{
		Role: seshat.RoleTool, ToolInputs: json.RawMessage{}, ToolOutputs: json.RawMessage{}, Payload: []byte{},
	})
	log := e.log(t, "s")
	if m := log[0]; m.ToolInputs != nil || m.ToolOutputs != nil || m.Payload != nil {
		e.Fatalf("absent came back as %#v", m)
	}
	if m := log[1]; m.ToolInputs == nil || m.ToolOutputs == nil || m.Payload == nil {
		e.Fatalf("empty came back as %#v", m)
	}
}

func logDefaults(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.clock.Advance(minute)
	e.append(t, "s", seshat.Message{Role: seshat.RoleUser}, seshat.Message{
		Role:        seshat.RoleAssistant,
		ContentType: seshat.ContentToolCall,
	})
	log := e.log(t, "s")
	now := seshattest.Start.Add(minute)
	for i, m := range log {
		if !strings.HasPrefix(m.ID, "msg_") || len(m.ID) != len("msg_")+26 {
			e.Fatalf("generated id %q", m.ID)
		}
		equal(e, "times", [2]time.Time{m.Timestamp, m.AppendedAt}, [2]time.Time{now, now})
		equal(e, "tool calls", m.ToolCalls, uint64(i))
	}
	equal(e, "content type", log[0].ContentType, seshat.ContentText)
	equal(e, "two generated ids are one", log[0].ID == log[1].ID, false)
}

// logNumbers removes the end of the log in every way. No number is used again,
// and a new session with the same id begins at 1.
func logNumbers(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: hour}})
	e.append(t, "s", newMessages(3)...)
	_, err := t.DeleteMessage(e.ctx, "s", 3)
	e.must(err)
	equal(e, "number after a deletion", e.append(t, "s", newMessages(1)...).LastSeq, 4)
	_, err = t.Truncate(e.ctx, "s", 1)
	e.must(err)
	a, err := t.AppendTurn(e.ctx, "s", seshat.Turn{Messages: newMessages(2)})
	e.must(err)
	equal(e, "numbers after a truncation", [2]uint64{a.First, a.Last}, [2]uint64{5, 6})
	_, err = t.Summarize(e.ctx, "s", seshat.Range{From: 1, To: 6}, newMessages(1)[0])
	e.must(err)
	e.append(t, "s", newMessages(1)...)
	e.expectNumbers(t, "s", 6, 7)
	_, err = t.Truncate(e.ctx, "s", 0)
	e.must(err)
	equal(e, "last number of an empty log", e.get(t, "s").LastSeq, 7)
	e.reopen()
	t = e.tenant("t")
	equal(e, "number in an empty log", e.append(t, "s", newMessages(1)...).LastSeq, 8)
	e.clock.Advance(hour)
	e.create(t, seshat.NewSession{ID: "s"})
	equal(e, "number in a new life", e.append(t, "s", newMessages(1)...).LastSeq, 1)
	e.expectNumbers(t, "s", 1)
}

func logWhole(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(2)...)
	a, err := t.AppendTurn(e.ctx, "s", seshat.Turn{Messages: newMessages(seshat.MaxTurnMessages)})
	e.must(err)
	equal(e, "turn", [2]uint64{a.First, a.Last}, [2]uint64{3, 2 + seshat.MaxTurnMessages})
	equal(e, "repeated", a.Repeated, false)
	equal(e, "newest number", a.Session.LastSeq, a.Last)
	if s := e.get(t, "s"); !reflect.DeepEqual(s, a.Session) {
		e.Fatalf("the append returned\n%+v\nread is\n%+v", a.Session, s)
	}
	for i, m := range e.history(t, "s", seshat.HistoryQuery{FromSeq: 3, Limit: seshat.MaxHistory}) {
		equal(e, "content", m.Content, fmt.Sprintf("message %d", i))
	}
}

func logRefused(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", seshat.Message{ID: "known", Role: seshat.RoleUser, Content: "hello"})
	check := e.unchangedSince(t, "s")
	good := seshat.Message{ID: "fresh", Role: seshat.RoleUser}
	for field, bad := range badMessages() {
		_, err := t.Append(e.ctx, "s", good, bad)
		e.isInvalid(err, field)
	}
	_, err := t.Append(e.ctx, "s", good, seshat.Message{ID: "known", Role: seshat.RoleUser, Content: "other"})
	e.isError(err, seshat.ErrConflict)
	_, err = t.Append(e.ctx, "s", good, good)
	e.isInvalid(err, "messages[1].message_id")
	_, err = t.Append(e.ctx, "s")
	e.isInvalid(err, "messages")
	_, err = t.Append(e.ctx, "absent", good)
	e.isError(err, seshat.ErrNotFound)
	check()
	e.append(t, "s", good) // the refused turn did not take its id
	e.expectNumbers(t, "s", 1, 2)
}

// badMessages are messages that every call refuses, keyed by the field of the
// error. The bad message is the second of a turn.
func badMessages() map[string]seshat.Message {
	with := func(fn func(*seshat.Message)) seshat.Message {
		m := seshat.Message{Role: seshat.RoleUser}
		fn(&m)
		return m
	}
	return map[string]seshat.Message{
		"messages[1].role":         {Role: 6},
		"messages[1].content_type": with(func(m *seshat.Message) { m.ContentType = 5 }),
		"messages[1].message_id":   with(func(m *seshat.Message) { m.ID = "a\x00" }),
		"messages[1].tool_name":    with(func(m *seshat.Message) { m.ToolName = strings.Repeat("x", 129) }),
		"messages[1].tool_call_id": with(func(m *seshat.Message) { m.ToolCallID = "\n" }),
		"messages[1].tool_status":  with(func(m *seshat.Message) { m.ToolStatus = "\x7f" }),
		"messages[1].author":       with(func(m *seshat.Message) { m.Author = "\xff" }),
		"messages[1].content":      with(func(m *seshat.Message) { m.Content = "a\xff" }),
		"messages[1].tool_inputs":  with(func(m *seshat.Message) { m.ToolInputs = json.RawMessage(`{"a"`) }),
		"messages[1].tool_outputs": with(func(m *seshat.Message) { m.ToolOutputs = json.RawMessage(` `) }),
		"messages[1].payload": with(func(m *seshat.Message) {
			m.Payload = make([]byte, seshat.MaxPayloadBytes+1)
		}),
		"messages[1].tokens":     with(func(m *seshat.Message) { m.Tokens = 1 << 40 }),
		"messages[1].latency_ms": with(func(m *seshat.Message) { m.Latency = -1 }),
		"messages[1].metadata.k": with(func(m *seshat.Message) {
			m.Metadata = seshat.NewDocument(map[string]any{"k": func() {}})
		}),
		"messages[1].seq": with(func(m *seshat.Message) { m.Seq = 1 }),
		"messages[1].timestamp": with(func(m *seshat.Message) {
			m.Timestamp = time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("west", -7200))
		}),
	}
}

func logBounds(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	_, err := t.Append(e.ctx, "s", newMessages(seshat.MaxTurnMessages+1)...)
	e.isInvalid(err, "messages")
	large := seshat.Message{Role: seshat.RoleUser, Payload: make([]byte, seshat.MaxPayloadBytes)}
	_, err = t.Append(e.ctx, "s", large, large, seshat.Message{Role: seshat.RoleUser, Content: "x"})
	e.isInvalid(err, "messages")
	_, err = t.Append(e.ctx, "s", seshat.Message{
		Role:    seshat.RoleUser,
		Content: strings.Repeat("x", seshat.MaxContentBytes+1),
	})
	e.isInvalid(err, "messages[0].content")
	equal(e, "messages", e.get(t, "s").MessageCount, 0)
	e.append(t, "s", large, large)
	name := strings.Repeat("n", seshat.MaxNameBytes)
	largest := seshat.Message{
		Role: seshat.RoleTool, Payload: large.Payload, Content: strings.Repeat("\u00e4", seshat.MaxContentBytes/2),
		ToolInputs: json.RawMessage(`"` + strings.Repeat("x", seshat.MaxToolJSONBytes-2) + `"`),
		ID:         name, ToolName: name, ToolCallID: name, ToolStatus: name, Author: name,
		Metadata: seshat.NewDocument(nearlyFull()), Tokens: seshat.MaxMessageTokens, ToolCalls: seshat.MaxMessageTokens,
		Latency: seshat.MaxLatency,
	}
	largest.ToolOutputs = largest.ToolInputs
	e.append(t, "s", largest)
	got := e.history(t, "s", seshat.HistoryQuery{Last: 1})[0]
	if got.Content != largest.Content || string(got.ToolOutputs) != string(largest.ToolOutputs) {
		e.Fatal("the largest message did not come back")
	}
}
