package transfer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/transfer"
)

// FuzzImportOpenAI reads anything as conversations in the chat format. Promise:
// it returns, with an error that says what is wrong or with all conversations,
// whose messages have the bytes of the file; it can be repeated and then does
// nothing; what came in goes out, and what went out comes in and goes out as
// the same bytes, in this format and in the store's own; the store is sound.
func FuzzImportOpenAI(f *testing.F) {
	for _, s := range []string{
		`{"session":"s","user_id":"mia","messages":[{"role":"user","content":"Hi"},{"role":"assistant",` +
			`"content":null,` +
			`"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},` +
			`{"role":"tool","tool_call_id":"1","content":"ok"}]}`,
		`{"messages":[{"role":"developer","content":[{"type":"text","text":"a"},{"type":"image_url"}],"name":"n"}],` +
			`"reward":1.50,"tags":["a", "b"]}`,
		`{"session":"s","user_id":null,"messages":[]}` + "\n\n" + `{"session":"s","messages":[]}`,
		`{"session":"s","messages":[{"role":"function","name":"f","content":""}],"messages":[]}` + "\n[]",
		"{\"messages\":[{\"role\":\"user\",\r\"content\":\"\\ud800\xff\"}],\"a\":{}, \"a\":null}",
		`{"session":"\u0000","messages":[{"role":"assistant","tool_calls":[{},{}]}]}`,
	} {
		f.Add([]byte(s+"\n"), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, in []byte, skip bool) {
		s := seshattest.Open(t)
		other, before := bystander(t, s)
		tn := tenant(t, s, "into")
		o := transfer.Options{MaxLine: 1 << 16, Workers: 1}
		if skip {
			o.Existing = transfer.Skip
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r, err := transfer.ImportOpenAI(ctx, tn, bytes.NewReader(in), o)
		checkRefusal(t, err)
		if err == nil {
			checkReport(t, s, r)
			checkPayloads(t, tn, in)
			checkRepeats(t, tn, in)
		}
		if after := exportTenant(t, other); !bytes.Equal(before, after) {
			t.Errorf("another namespace changed:\n%s\n%s", before, after)
		}
		checkChatGoesOut(t, tn)
		checkGoesOutAgain(t, s)
	})
}

// checkPayloads compares the log of each session with its line, where a single
// line has its name.
func checkPayloads(t *testing.T, tn *seshat.Tenant, in []byte) {
	t.Helper()
	lines := map[string][]json.RawMessage{}
	for raw := range bytes.Lines(in) {
		var l map[string]json.RawMessage
		var id string
		var messages []json.RawMessage
		if json.Unmarshal(raw, &l) != nil || json.Unmarshal(l["session"], &id) != nil {
			continue // blank, or without a name
		}
		must(t, json.Unmarshal(l["messages"], &messages))
		if _, twice := lines[id]; twice {
			return
		}
		lines[id] = messages
	}
	for id, want := range lines {
		if id != "" {
			checkLogIs(t, tn, id, want)
		}
	}
}

func checkLogIs(t *testing.T, tn *seshat.Tenant, id string, want []json.RawMessage) {
	t.Helper()
	n := 0
	for m, err := range tn.Messages(t.Context(), id, seshat.HistoryQuery{}) {
		must(t, err)
		if n >= len(want) || !bytes.Equal(m.Payload, want[n]) {
			t.Fatalf("message %d of %q is %q", m.Seq, id, m.Payload)
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%q has %d messages; want %d", id, n, len(want))
	}
}

// checkRepeats imports once more, where each session has a name.
func checkRepeats(t *testing.T, tn *seshat.Tenant, in []byte) {
	t.Helper()
	before := exportTenant(t, tn)
	r, err := transfer.ImportOpenAI(t.Context(), tn, bytes.NewReader(in), transfer.Options{Existing: transfer.Skip})
	if err != nil {
		t.Fatalf("a repeated import: %v", err)
	}
	if after := exportTenant(t, tn); r.Sessions == 0 && !bytes.Equal(before, after) {
		t.Errorf("a repeated import changed something:\n%s\n%s", before, after)
	}
}

// checkChatGoesOut moves all of a tenant into another store, in the chat
// format.
func checkChatGoesOut(t *testing.T, tn *seshat.Tenant) {
	t.Helper()
	to := tenant(t, seshattest.Open(t), "copy")
	first := exportChat(t, tn)
	_, err := transfer.ImportOpenAI(t.Context(), to, bytes.NewReader(first), transfer.Options{Workers: 1})
	if err != nil {
		t.Fatalf("the chat export of what was imported is refused: %v\n%s", err, first)
	}
	if second := exportChat(t, to); !bytes.Equal(first, second) {
		t.Errorf("exports differ:\n%s\n%s", first, second)
	}
}

func exportChat(t *testing.T, tn *seshat.Tenant) []byte {
	t.Helper()
	var b bytes.Buffer
	_, err := transfer.ExportOpenAI(t.Context(), tn, seshat.Query{OldestFirst: true}, &b)
	must(t, err)
	return b.Bytes()
}
