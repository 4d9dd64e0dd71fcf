package seshat

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// throughJSON encodes v as JSON and returns the decoded value.
func throughJSON[T any](t *testing.T, v T) (back T) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return back
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestSessionJSON proves that a session in JSON has the documented names, null
// for what is absent, and times with milliseconds in UTC.
func TestSessionJSON(t *testing.T) {
	s := Session{
		ID: "ses_1", NamespaceID: "ns_1", OrganizationID: "int_1", Status: StatusActive, Version: 1,
		CreatedAt: time.Date(2026, 5, 20, 12, 0, 0, 120e6, time.FixedZone("", 7200)),
		Lifecycle: defaultLifecycle,
	}
	const want = `{"session_id":"ses_1","namespace_id":"ns_1","internal_id":"int_1","user_id":null,` +
		`"session_name":null,` +
		`"agent_config":{"model":"","temperature":null,"max_tokens":null,"system_prompt":"","available_tools":null},` +
		`"quotas":{},"user_memory":null,"metadata":null,"labels":null,"status":"active","last_move":null,` +
		`"message_count":0,` +
		`"stats":{"total_messages":0,"total_tokens":0,"total_tool_calls":0,"avg_latency_ms":0,"latency_count":0},` +
		`"version":1,"last_seq":0,"created_at":"2026-05-20T10:00:00.120Z","updated_at":null,` +
		`"last_activity_at":null,` +
		`"expires_at":null,"terminated_at":null,"lifecycle":{"ttl":"168h0m0s","expiry":"sliding",` +
		`"max_lifetime":"never",` +
		`"idle_after":"never","archive_after":"never","retention":"168h0m0s"},"parent":null,"memory_disabled":false}`
	if got := marshal(t, s); got != want {
		t.Errorf("%s, not\n%s", got, want)
	}
	if got := marshal(t, &s); got != want {
		t.Errorf("a pointer gives %s", got)
	}
}

// TestSessionJSONRoundTrip proves that every exported field of a session
// survives JSON.
func TestSessionJSONRoundTrip(t *testing.T) {
	for seed := range uint64(50) {
		s := &newRandom(seed).session().Session
		s.UserMemory = NewDocument(map[string]any{"n": 1, "f": 1.5, "l": []any{nil, true, "x"}})
		s.Metadata = Document{}
		for _, at := range []*time.Time{
			&s.CreatedAt, &s.UpdatedAt, &s.LastActivityAt, &s.ExpiresAt, &s.TerminatedAt, &s.LastTransition.At,
		} {
			*at = timeFromMillis(int64(seed) * 1_000_003)
		}
		back := throughJSON(t, s)
		s.incarnation = driver.Incarnation{}
		s.lease = lease{}
		if !reflect.DeepEqual(back, s) {
			t.Fatalf("seed %d:\n%+v\ncomes back as\n%+v", seed, s, back)
		}
	}
}

func TestJSONReplacesAll(t *testing.T) {
	s := typical().Session
	if err := json.Unmarshal([]byte(`{"session_id":"ses_2","status":"idle"}`), &s); err != nil {
		t.Fatal(err)
	}
	if want := (Session{ID: "ses_2", Status: StatusIdle}); !reflect.DeepEqual(s, want) {
		t.Errorf("%+v", s)
	}
}

func TestSessionJSONRefusals(t *testing.T) {
	for _, in := range []string{
		`{"status":"asleep"}`, `{"user_memory":{"a":1,"a":2}}`, `{"metadata":[]}`, `{"lifecycle":{"ttl":"-1h"}}`,
		`{"lifecycle":{"ttl":"7d"}}`, `{"lifecycle":{"expiry":"weekly"}}`,
	} {
		s := Session{ID: "kept"}
		if err := json.Unmarshal([]byte(in), &s); !errors.Is(err, ErrInvalid) ||
			!reflect.DeepEqual(s, Session{ID: "kept"}) {
			t.Errorf("%s: %v, and the session is %+v", in, err, s)
		}
	}
	if _, err := json.Marshal(Session{Status: StatusActive, CreatedAt: time.Date(10_000, 1, 1, 0, 0, 0, 0,
		time.UTC)}); !errors.Is(err, ErrInvalid) {
		t.Errorf("the year 10000: %v", err)
	}
}

func TestLifecycleJSON(t *testing.T) {
	for _, l := range []Lifecycle{
		{},
		defaultLifecycle,
		{TTL: 90 * time.Minute, Expiry: ExpiryAbsolute, Retention: Never},
		{MaxLifetime: 1, IdleAfter: time.Duration(1<<63 - 1), ArchiveAfter: time.Millisecond},
	} {
		if back := throughJSON(t, l); back != l {
			t.Errorf("%+v comes back as %+v", l, back)
		}
	}
	if got := marshal(t, Lifecycle{}); got != "{}" {
		t.Errorf("nothing chosen is %s", got)
	}
	var l Lifecycle
	if err := json.Unmarshal([]byte(`{"ttl":"never","idle_after":"","retention":"1h30m"}`), &l); err != nil ||
		l != (Lifecycle{TTL: Never, Retention: 90 * time.Minute}) {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestMessageJSON(t *testing.T) {
	const want = `{"message_id":"msg_1","seq":0,"role":"user","content":"hi","content_type":null,"tool_name":null,` +
		`"tool_call_id":null,"tool_calls":0,"tool_inputs":null,"tool_outputs":null,"tool_status":null,"author":null,` +
		`"metadata":null,"tokens":0,"latency_ms":null,"timestamp":null,"appended_at":null,"payload":null,` +
		`"summary":null}`
	if got := marshal(t, Message{
		ID: "msg_1", Role: RoleUser, Content: "hi",
		ToolInputs: json.RawMessage{},
	}); got != want {
		t.Errorf("%s, not\n%s", got, want)
	}
	full := Message{
		ID: "msg_1", Seq: 3, Role: RoleTool, Content: "done", ContentType: ContentToolResult, ToolName: "find",
		ToolCallID: "c",
		ToolCalls:  1, ToolInputs: json.RawMessage(`{"q":1}`), ToolOutputs: json.RawMessage(`[1]`), ToolStatus: "ok",
		Author: "a", Metadata: NewDocument(map[string]any{"k": 1}), Tokens: 5, Latency: 1500 * time.Millisecond,
		Timestamp: timeFromMillis(1_700_000_000_120), AppendedAt: timeFromMillis(1_700_000_000_456),
		Payload: []byte{0, 255},
		Summary: Range{1, 2},
	}
	if back := throughJSON(t, full); !reflect.DeepEqual(back, full) {
		t.Errorf("%+v\ncomes back as\n%+v", full, back)
	}
	for _, part := range []string{`"latency_ms":1500`, `"timestamp":"2023-11-14T22:13:20.120Z"`, `"payload":"AP8="`} {
		if got := marshal(t, full); !strings.Contains(got, part) {
			t.Errorf("%s has no %s", got, part)
		}
	}
}

func TestMessageJSONRefusals(t *testing.T) {
	for _, in := range []string{
		`{"role":"robot"}`, `{"content_type":"video"}`, `{"latency_ms":-1}`, `{"latency_ms":9223372036854775807}`,
		`{"metadata":1}`,
	} {
		m := Message{ID: "kept"}
		if err := json.Unmarshal([]byte(in), &m); !errors.Is(err, ErrInvalid) ||
			!reflect.DeepEqual(m, Message{ID: "kept"}) {
			t.Errorf("%s: %v, and the message is %+v", in, err, m)
		}
	}
}
