package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/transfer"
)

// All shapes of chat messages come back byte for byte, with members that the
// store has no field for.
func TestChatFormat(t *testing.T) {
	ctx := context.Background()
	const in = `{"session":"s","user_id":"mia","reward":1.50,"tags":["a", "b"],"messages":[` +
		`{"role":"developer","content":"Be kind."},` +
		`{"role":"user","content":[{"type":"text","text":"See "},{"type":"image_url","image_url":{"url":"x"}},` +
		`{"type":"text","text":"this"}]},` +
		`{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function",` +
		`"function":{"name":"f","arguments":"not json"}}]},` +
		`{"role":"tool","tool_call_id":"1","name":"f","content":"ok"},` +
		`{"role":"assistant","content":null,"tool_calls":[` +
		`{"id":"2","type":"function","function":{"name":"f","arguments":"{}"}},` +
		`{"id":"3","type":"function","function":{"name":"g","arguments":"{}"}}]}` +
		"]}\n"
	tn := tenant(t, seshattest.Open(t), "acme")
	_, err := transfer.ImportOpenAI(ctx, tn, strings.NewReader(in), transfer.Options{})
	must(t, err)
	page, err := tn.History(ctx, "s", seshat.HistoryQuery{})
	must(t, err)
	ms := page.Messages
	if len(ms) != 5 || ms[0].Role != seshat.RoleSystem || ms[1].Content != "See this" || ms[2].ToolInputs != nil ||
		ms[3].ToolName != "f" || ms[4].ToolCalls != 2 || ms[4].ToolName != "" {
		t.Errorf("imported as %+v", ms)
	}
	var out bytes.Buffer
	_, err = transfer.ExportOpenAI(ctx, tn, seshat.Query{}, &out)
	must(t, err)
	if out.String() != in {
		t.Errorf("exported\n%swant\n%s", out.String(), in)
	}
}

// A session that was not imported is written in the chat format too, and comes
// back as what it was.
func TestChatFormatOfOtherSessions(t *testing.T) {
	ctx := context.Background()
	from, to := everything(t, seshattest.Open(t), "acme"), tenant(t, seshattest.Open(t), "acme")
	_, err := from.Create(ctx, seshat.NewSession{ID: "calls"})
	must(t, err)
	_, err = from.Append(ctx, "calls", messages()...)
	must(t, err)
	var out bytes.Buffer
	n, err := transfer.ExportOpenAI(ctx, from, seshat.Query{}, &out)
	must(t, err)
	if n.Sessions != 4 {
		t.Errorf("exported %+v; want 4 sessions", n)
	}
	_, err = transfer.ImportOpenAI(ctx, to, &out, transfer.Options{})
	must(t, err)
	page, err := to.History(ctx, "calls", seshat.HistoryQuery{})
	must(t, err)
	ms := page.Messages
	if len(ms) != 4 { // without the event of a framework
		t.Fatalf("%d messages came back; want 4", len(ms))
	}
	for i, want := range messages()[:4] {
		m := ms[i]
		if m.Role != want.Role || m.ContentType != max(want.ContentType, seshat.ContentText) ||
			m.ToolCallID != want.ToolCallID || m.ToolName != want.ToolName ||
			string(m.ToolInputs) != string(want.ToolInputs) {
			t.Errorf("message %d came back as %+v; want %+v", i+1, m, want)
		}
	}
}

// A run that was interrupted goes on where it stopped, also inside of a long
// conversation.
func TestInterruptedChatImportGoesOn(t *testing.T) {
	ctx := context.Background()
	var b strings.Builder
	b.WriteString(`{"session":"long","messages":[{"role":"user","content":"1"}`)
	for i := 2; i <= 600; i++ {
		fmt.Fprintf(&b, `,{"role":"user","content":"%d"}`, i)
	}
	whole := b.String() + "]}\n"
	tn := tenant(t, seshattest.Open(t), "acme")
	_, err := transfer.ImportOpenAI(ctx, tn, strings.NewReader(whole), transfer.Options{})
	must(t, err)
	_, err = tn.Delete(ctx, "long")
	must(t, err)
	part := whole[:strings.Index(whole, `,{"role":"user","content":"257"}`)] + "]}\n"
	for _, in := range []string{part, whole, whole} {
		_, err := transfer.ImportOpenAI(ctx, tn, strings.NewReader(in), transfer.Options{Existing: transfer.Skip})
		must(t, err)
	}
	s, err := tn.Get(ctx, "long")
	if err != nil || s.MessageCount != 600 || s.LastSeq != 600 {
		t.Errorf("the session is %v, %v; want 600 messages", s, err)
	}
	if _, err := transfer.ImportOpenAI(ctx, tn, strings.NewReader(whole), transfer.Options{}); !errors.Is(err,
		seshat.ErrExists) {
		t.Errorf("a repeated run with Fail: %v; want ErrExists", err)
	}
}

// A line that is no conversation is named, and the ones before it are kept.
func TestRefusedConversations(t *testing.T) {
	const good = `{"session":"good","messages":[{"role":"user","content":"hi"}]}` + "\n\n"
	for name, bad := range map[string]string{
		"text": "hello", "a list": "[]", "no messages": `{"session":"x"}`, "cut off": `{"session":"x","messages":[`,
		"two objects": `{"messages":[]}{}`, "messages of another kind": `{"messages":{}}`,
		"no role":                 `{"messages":[{"content":"x"}]}`,
		"content of another kind": `{"messages":[{"role":"user","content":7}]}`,
		"user of another kind":    `{"user_id":7,"messages":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			tn := tenant(t, seshattest.Open(t), "acme")
			_, err := transfer.ImportOpenAI(context.Background(), tn, strings.NewReader(good+bad),
				transfer.Options{Workers: 1})
			var at *transfer.LineError
			if !errors.Is(err, transfer.ErrFormat) || !errors.As(err, &at) || at.Line != 3 {
				t.Fatalf("got %v; want ErrFormat at line 3", err)
			}
			if u, err := tn.Usage(context.Background()); err != nil || u.Sessions() > 1 {
				t.Errorf("the namespace holds %+v, %v", u, err)
			}
		})
	}
}
