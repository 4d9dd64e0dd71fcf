package storetest

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/seshatdb/seshat"
)

// secret is content that no error may contain.
const secret = "I have told nobody but you"

// secrets are forms of content that cannot be stored.
var secrets = []string{
	secret + "\xff", secret + "\x00", strings.Repeat(secret, 1<<20/len(secret)),
	strings.Repeat(secret, 8<<20/len(secret)),
}

// secretMessages are invalid messages with content: the content or another
// field is the fault.
func secretMessages() []seshat.Message {
	all := []seshat.Message{
		{Content: secret},
		{Role: seshat.RoleUser, Content: secret, ToolCalls: math.MaxUint64},
		{Role: seshat.RoleUser, Content: secret, Metadata: seshat.NewDocument(map[string]any{secret: math.NaN()})},
		{Role: seshat.RoleUser, Metadata: seshat.NewDocument(map[string]any{"k": map[string]any{secret: func() {}}})},
		{Role: seshat.RoleUser, ToolInputs: json.RawMessage(secret)},
		{Role: seshat.RoleUser, ToolOutputs: json.RawMessage(`{"` + secret)},
	}
	for _, s := range secrets {
		all = append(all,
			seshat.Message{Role: seshat.RoleUser, Content: s + "\xff"},
			seshat.Message{Role: seshat.RoleUser, Payload: []byte(strings.Repeat(s, 1+seshat.MaxPayloadBytes/len(s)))},
			seshat.Message{Role: seshat.RoleUser, ToolName: s}, seshat.Message{Role: seshat.RoleUser, ToolStatus: s},
			seshat.Message{Role: seshat.RoleUser, ToolCallID: s}, seshat.Message{Role: seshat.RoleUser, Author: s},
			seshat.Message{
				Role:     seshat.RoleUser,
				Metadata: seshat.NewDocument(map[string]any{"k": s, secret: func() {}}),
			})
	}
	return all
}

func errorsWithoutContent(e *env) {
	t := e.refusedStore()
	e.create(t, seshat.NewSession{ID: "small", Quotas: seshat.Quotas{MaxMessages: 1}})
	before := e.fingerprint(t)
	for _, m := range secretMessages() {
		e.hidesContent("Append", second(t.Append(e.ctx, "s", m)))
		e.hidesContent("Summarize", second(t.Summarize(e.ctx, "s", seshat.Range{From: 1, To: 1}, m)))
		e.hidesContent("EditMessage", second(t.EditMessage(e.ctx, "s", 1, func(stored *seshat.Message) error {
			m.ID = stored.ID
			m.Seq = stored.Seq
			m.AppendedAt = stored.AppendedAt
			*stored = m
			return nil
		})))
	}
	for _, s := range secrets {
		bad := map[string]any{"k": map[string]any{s: math.NaN()}, s: 1}
		for _, n := range []seshat.NewSession{
			{Name: s},
			{Agent: seshat.AgentConfig{SystemPrompt: s + "\xff"}},
			{Agent: seshat.AgentConfig{Model: s}},
			{UserMemory: bad},
			{Metadata: bad},
			{Labels: map[string]string{s: "v"}},
			{Labels: map[string]string{"k": s}},
			{UserID: s},
			{Agent: seshat.AgentConfig{AvailableTools: []string{s}}},
		} {
			e.hidesContent("Create", second(t.Create(e.ctx, n)))
			e.hidesContent("Update", second(t.Update(e.ctx, "s", func(edited *seshat.Session) error {
				edited.Name = n.Name
				edited.Labels = n.Labels
				edited.UserID = n.UserID
				edited.Agent = n.Agent
				edited.UserMemory, edited.Metadata = seshat.NewDocument(n.UserMemory), seshat.NewDocument(n.Metadata)
				return nil
			}, seshat.UpdateOptions{})))
		}
		for _, n := range []seshat.NewSession{
			{State: bad}, {UserID: "mia", UserState: bad}, {NamespaceState: bad},
		} {
			e.hidesContent("Create", second(t.Create(e.ctx, n)))
		}
		e.hidesContent("MergeState", t.MergeState(e.ctx, seshat.SessionScope("s"), bad))
		e.hidesContent("List", second(t.List(e.ctx, seshat.Query{Cursor: s})))
		e.hidesContent("List", second(t.List(e.ctx, seshat.Query{Labels: map[string]string{"k": s}})))
		e.hidesContent("Authenticate", second(e.Authenticate(e.ctx, s)))
	}
	two := []seshat.Message{{Role: seshat.RoleUser, Content: secret}, {Role: seshat.RoleUser, Content: secret}}
	e.hidesContent("Append", second(t.Append(e.ctx, "small", two...)))
	taken := seshat.Message{ID: "m", Role: seshat.RoleUser, Content: secret}
	e.hidesContent("Append", second(t.Append(e.ctx, "s", taken)))
	equal(e, "the store after refused calls", e.fingerprint(t), before)
}

// hidesContent fails the test unless err is short and contains no content.
func (e *env) hidesContent(method string, err error) {
	e.Helper()
	if err == nil {
		e.Fatalf("%s: accepted", method)
	}
	e.isShort(err)
	if text := err.Error(); strings.Contains(text, "nobody") {
		e.Fatalf("%s: the error shows content: %s", method, text)
	}
}
