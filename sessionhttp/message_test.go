package sessionhttp

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonin"
)

// propertiesOf returns the properties of a schema of the description.
func propertiesOf(t *testing.T, schema string) map[string]any {
	t.Helper()
	var description any
	if err := json.Unmarshal(OpenAPI, &description); err != nil {
		t.Fatal(err)
	}
	properties, _ := member(t, description, "components", "schemas", schema, "properties").(map[string]any)
	return properties
}

// sampleMembers has a value of each field of a message in a request. A new
// field needs one.
var sampleMembers = map[string]string{
	"message_id": `"m"`, "role": `"tool"`, "content": `"c"`, "content_type": `"tool_result"`, "tool_name": `"n"`,
	"tool_call_id": `"i"`, "tool_calls": `3`, "tool_inputs": `{"a":1}`, "tool_outputs": `[2]`, "tool_status": `"s"`,
	"author": `"a"`, "metadata": `{"k":"v"}`, "tokens": `7`, "latency_ms": `20`, "timestamp": `"2026-01-05T09:30:00Z"`,
}

// Each field of a message that the description has is read into a field of its
// own.
func TestEachFieldOfAMessageIsRead(t *testing.T) {
	read := func(body string) seshat.Message {
		ps := &problems{}
		m := newForm(ps, "", jsonin.Value([]byte(body))).message()
		if err := ps.err(); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		return m
	}
	blank := read(`{"role":"user"}`)
	taken := map[string]string{} // by field
	for name := range propertiesOf(t, "NewMessage") {
		body := `{"role":"user","` + name + `":` + sampleMembers[name] + `}`
		if name == "role" {
			body = `{"role":` + sampleMembers[name] + `}`
		}
		if sampleMembers[name] == "" {
			t.Errorf("no sample of %s: add one", name)
			continue
		}
		changed := changedFields(blank, read(body))
		if len(changed) != 1 || taken[changed[0]] != "" {
			t.Errorf("%s changes the fields %q, want one of its own", name, changed)
			continue
		}
		taken[changed[0]] = name
	}
}

// changedFields returns the names of the fields in which a and b differ.
func changedFields(a, b seshat.Message) (names []string) {
	x := reflect.ValueOf(a)
	y := reflect.ValueOf(b)
	for _, f := range reflect.VisibleFields(x.Type()) {
		if !f.IsExported() {
			continue
		}
		if !reflect.DeepEqual(x.FieldByIndex(f.Index).Interface(), y.FieldByIndex(f.Index).Interface()) {
			names = append(names, f.Name)
		}
	}
	return names
}

// An answer has the fields that the description has, and in each the value of
// the message.
func TestEachFieldOfAMessageIsShown(t *testing.T) {
	shown := func(m seshat.Message) map[string]any {
		var members map[string]any
		if err := json.Unmarshal(appendMessage(nil, &m), &members); err != nil {
			t.Fatal(err)
		}
		return members
	}
	blank := shown(seshat.Message{})
	full := shown(seshat.Message{
		ID: "m", Role: seshat.RoleTool, Content: "c", ContentType: seshat.ContentToolResult, ToolName: "n",
		ToolInputs: json.RawMessage(`1`), ToolOutputs: json.RawMessage(`2`), ToolStatus: "s",
		Timestamp: time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC),
	})
	got := slices.Sorted(maps.Keys(full))
	if want := slices.Sorted(maps.Keys(propertiesOf(t, "Message"))); !slices.Equal(got, want) {
		t.Errorf("an answer has\n%q, described are\n%q", got, want)
	}
	for name, value := range full {
		if reflect.DeepEqual(value, blank[name]) {
			t.Errorf("%s is not the message's", name)
		}
	}
}
