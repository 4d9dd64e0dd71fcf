package seshat

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// A fieldRule says where a field of Message or Session must be known. A new
// field needs a row, and each column that is set is then proved.
type fieldRule struct {
	field  string // of the struct
	json   string // in JSON
	body   bool   // in the stored body; the others are fields of the driver's types
	digest bool   // Message: the caller gives it, so it enters the digest
	read   bool   // in what the HTTP API shows
	write  bool   // Message: in what the HTTP API takes
	name   bool   // Message: a text of at most MaxNameBytes, which size() leaves out
}

var messageRules = []fieldRule{
	{field: "ID", json: "message_id", read: true, write: true, name: true},
	{field: "Seq", json: "seq"},
	{field: "Role", json: "role", body: true, digest: true, read: true, write: true},
	{field: "Content", json: "content", body: true, digest: true, read: true, write: true},
	{field: "ContentType", json: "content_type", body: true, digest: true, read: true, write: true},
	{field: "ToolName", json: "tool_name", body: true, digest: true, read: true, write: true, name: true},
	{field: "ToolCallID", json: "tool_call_id", body: true, digest: true, write: true, name: true},
	{field: "ToolCalls", json: "tool_calls", body: true, digest: true, write: true},
	{field: "ToolInputs", json: "tool_inputs", body: true, digest: true, read: true, write: true},
	{field: "ToolOutputs", json: "tool_outputs", body: true, digest: true, read: true, write: true},
	{field: "ToolStatus", json: "tool_status", body: true, digest: true, read: true, write: true, name: true},
	{field: "Author", json: "author", body: true, digest: true, write: true, name: true},
	{field: "Metadata", json: "metadata", body: true, digest: true, write: true},
	{field: "Tokens", json: "tokens", body: true, digest: true, write: true},
	{field: "Latency", json: "latency_ms", body: true, digest: true, write: true},
	{field: "Timestamp", json: "timestamp", body: true, digest: true, read: true, write: true},
	{field: "AppendedAt", json: "appended_at", body: true},
	{field: "Payload", json: "payload", body: true, digest: true},
	{field: "Summary", json: "summary", body: true},
}

var sessionRules = []fieldRule{
	{field: "ID", json: "session_id", read: true},
	{field: "NamespaceID", json: "namespace_id", read: true},
	{field: "OrganizationID", json: "internal_id", read: true},
	{field: "UserID", json: "user_id", read: true},
	{field: "Name", json: "session_name", body: true, read: true},
	{field: "Agent", json: "agent_config", body: true, read: true},
	{field: "Quotas", json: "quotas", body: true},
	{field: "UserMemory", json: "user_memory", body: true, read: true},
	{field: "Metadata", json: "metadata", body: true},
	{field: "Labels", json: "labels"},
	{field: "Status", json: "status", read: true},
	{field: "LastTransition", json: "last_move", body: true},
	{field: "MessageCount", json: "message_count", read: true},
	{field: "Stats", json: "stats", body: true, read: true},
	{field: "Version", json: "version"},
	{field: "LastSeq", json: "last_seq"},
	{field: "CreatedAt", json: "created_at", read: true},
	{field: "UpdatedAt", json: "updated_at", read: true},
	{field: "LastActivityAt", json: "last_activity_at", read: true},
	{field: "ExpiresAt", json: "expires_at", read: true},
	{field: "TerminatedAt", json: "terminated_at"},
	{field: "Lifecycle", json: "lifecycle"},
	{field: "Parent", json: "parent", body: true},
	{field: "MemoryDisabled", json: "memory_disabled", body: true},
}

// sampleOf returns a value of the type, other than zero, that is allowed to be
// stored. A field of a new type needs a case.
func sampleOf(t *testing.T, typ reflect.Type) reflect.Value {
	t.Helper()
	samples := []any{
		"text", uint64(7), true, Role(2), ContentType(3), Status(2), json.RawMessage(`{"a":1}`),
		[]byte{1},
		NewDocument(map[string]any{"a": 1}), 1500 * time.Millisecond, timeFromMillis(1_700_000_000_123),
		Range{1, 2},
		AgentConfig{
			Model: "m", Temperature: Ptr(0.5), MaxTokens: Ptr(9), SystemPrompt: "p", AvailableTools: []string{"t"},
		},
		Quotas{1, 2, 3, 4, 5},
		map[string]string{"k": "v"},
		Parent{"p", 3},
		defaultLifecycle,
		Transition{At: timeFromMillis(9_000), Reason: "r", Actor: "a"},
		SessionStats{TotalMessages: 1, TotalTokens: 2},
	}
	for _, v := range samples {
		if reflect.TypeOf(v) == typ {
			return reflect.ValueOf(v)
		}
	}
	t.Fatalf("no sample of type %v: add one", typ)
	return reflect.Value{}
}

// checkRules fails unless the rules name exactly the exported fields of typ,
// and the HTTP API's schemas know them as the rules say.
func checkRules(t *testing.T, typ reflect.Type, rules []fieldRule, readSchema, writeSchema string) {
	t.Helper()
	var fields, ruled []string
	for _, f := range reflect.VisibleFields(typ) {
		if f.IsExported() {
			fields = append(fields, f.Name)
		}
	}
	for _, r := range rules {
		ruled = append(ruled, r.field)
	}
	slices.Sort(fields)
	slices.Sort(ruled)
	if !slices.Equal(fields, ruled) {
		t.Errorf("%v has the fields\n%v, the rules name\n%v", typ, fields, ruled)
	}
	for _, r := range rules {
		if _, ok := schemaProperties(t, readSchema)[r.json]; ok != r.read {
			t.Errorf("%s in the schema %s: %v, want %v", r.json, readSchema, ok, r.read)
		}
		if writeSchema == "" {
			continue
		}
		if _, ok := schemaProperties(t, writeSchema)[r.json]; ok != r.write {
			t.Errorf("%s in the schema %s: %v, want %v", r.json, writeSchema, ok, r.write)
		}
	}
}

// schemaProperties returns the properties of a schema of the HTTP API.
func schemaProperties(t *testing.T, name string) map[string]json.RawMessage {
	t.Helper()
	data, err := os.ReadFile("sessionhttp/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var api struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(data, &api); err != nil {
		t.Fatal(err)
	}
	if len(api.Components.Schemas[name].Properties) == 0 {
		t.Fatalf("the API has no schema %s", name)
	}
	return api.Components.Schemas[name].Properties
}

// changedJSON returns the names of the members in which the JSON of a and b
// differs.
func changedJSON(t *testing.T, a, b any) (names []string) {
	t.Helper()
	var members [2]map[string]json.RawMessage
	for i, v := range []any{a, b} {
		if err := json.Unmarshal([]byte(marshal(t, v)), &members[i]); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range members[1] {
		if string(members[0][name]) != string(value) {
			names = append(names, name)
		}
	}
	return names
}

// TestMessageFieldsAreKnownEverywhere proves that each field of Message is in
// the codec, the digest, JSON and the HTTP API, or that its rule says why not.
func TestMessageFieldsAreKnownEverywhere(t *testing.T) {
	typ := reflect.TypeFor[Message]()
	checkRules(t, typ, messageRules, "Message", "NewMessage")
	blank := Message{Role: RoleUser}
	for _, rule := range messageRules {
		f, ok := typ.FieldByName(rule.field)
		if !ok {
			continue // checkRules has said so
		}
		m := blank
		reflect.ValueOf(&m).Elem().FieldByIndex(f.Index).Set(sampleOf(t, f.Type))
		got, err := decodeMessage(&driver.Message{ID: m.ID, Seq: m.Seq, Body: encodeMessage(nil, &m)})
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%s: stored and read it is %+v, %v", rule.field, got, err)
		}
		if stored := string(encodeMessage(nil, &m)) != string(encodeMessage(nil, &blank)); stored != rule.body {
			t.Errorf("%s is in the body: %v, want %v", rule.field, stored, rule.body)
		}
		if enters := messageDigest(&m) != messageDigest(&blank); enters != rule.digest {
			t.Errorf("%s enters the digest: %v, want %v", rule.field, enters, rule.digest)
		}
		if names := changedJSON(t, blank, m); !slices.Equal(names, []string{rule.json}) {
			t.Errorf("%s changes %q in JSON, want %q", rule.field, names, rule.json)
		}
		if back := throughJSON(t, m); !reflect.DeepEqual(back, m) {
			t.Errorf("%s: through JSON it is %+v", rule.field, back)
		}
	}
}

// TestMessageFieldsAreCounted proves that each field of Message without a fixed
// size counts towards MaxTurnBytes, or is a short name.
func TestMessageFieldsAreCounted(t *testing.T) {
	typ := reflect.TypeFor[Message]()
	for _, rule := range messageRules {
		f, ok := typ.FieldByName(rule.field)
		if !ok {
			continue // checkRules has said so
		}
		var m Message
		v := reflect.ValueOf(&m).Elem().FieldByIndex(f.Index)
		v.Set(sampleOf(t, f.Type))
		grows := v.Kind() == reflect.String || v.Kind() == reflect.Slice || v.Type() == reflect.TypeFor[Document]()
		if counted := m.size() > 0; counted != (grows && !rule.name) {
			t.Errorf("%s counts towards the size of a turn: %v", rule.field, counted)
		}
		if !rule.name {
			continue
		}
		m = Message{Role: RoleUser}
		v.SetString(strings.Repeat("x", MaxNameBytes+1))
		if e := m.check(); e == nil {
			t.Errorf("%s may be longer than a name, but does not count", rule.field)
		}
	}
}

// TestSessionFieldsAreKnownEverywhere proves that each field of Session is in
// the codec, JSON and the HTTP API, or that its rule says why not.
func TestSessionFieldsAreKnownEverywhere(t *testing.T) {
	typ := reflect.TypeFor[Session]()
	checkRules(t, typ, sessionRules, "Session", "")
	blank := storedSession{Session: Session{Status: StatusActive}}
	for _, rule := range sessionRules {
		f, ok := typ.FieldByName(rule.field)
		if !ok {
			continue // checkRules has said so
		}
		s := blank
		reflect.ValueOf(&s.Session).Elem().FieldByIndex(f.Index).Set(sampleOf(t, f.Type))
		if stored := string(encodeSession(nil, &s)) != string(encodeSession(nil, &blank)); stored != rule.body {
			t.Errorf("%s is in the body: %v, want %v", rule.field, stored, rule.body)
		}
		var in storedFields
		var read Session
		if err := read.decodeBody(string(encodeSession(nil, &s)), &in, new(agentAlloc)); err != nil {
			t.Fatal(err)
		}
		got := reflect.ValueOf(read).FieldByIndex(f.Index).Interface()
		if want := sampleOf(t, f.Type).Interface(); rule.body && !reflect.DeepEqual(got, want) {
			t.Errorf("%s is stored as %+v, want %+v", rule.field, got, want)
		}
		if names := changedJSON(t, blank.Session, s.Session); !slices.Equal(names, []string{rule.json}) {
			t.Errorf("%s changes %q in JSON, want %q", rule.field, names, rule.json)
		}
		if back := throughJSON(t, s.Session); !reflect.DeepEqual(back, s.Session) {
			t.Errorf("%s: through JSON it is %+v", rule.field, back)
		}
	}
}
