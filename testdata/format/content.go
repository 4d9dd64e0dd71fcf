package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

// sessions makes sessions with ids of many sorts, and one in each status.
func (c *content) sessions() {
	for i, id := range []string{"s", "s/", "st", "日本語", "a b", "\U0010ffff", strings.Repeat("x", seshat.MaxNameBytes)} {
		c.create(seshat.NewSession{
			ID: id, UserID: []string{"", "mia", "mi", "mia/o"}[i%4], Labels: map[string]string{"i": fmt.Sprint(i % 2), "ø": ""},
			State: map[string]any{"at": id}, Lifecycle: seshat.Lifecycle{TTL: seshat.Never},
		})
	}
	c.create(seshat.NewSession{
		ID: "full", UserID: "mia", Name: "Everything",
		Agent: seshat.AgentConfig{
			Model: "gpt-4o", Temperature: seshat.Ptr(0.0), MaxTokens: seshat.Ptr(100), SystemPrompt: "Be brief.\nBe kind.",
			AvailableTools: []string{"search", "book"},
		},
		Quotas: seshat.Quotas{
			MaxMessages: 1000, MaxTokensTotal: 1 << 40, MaxToolCalls: 50, RateLimitMessagesPerMinute: 100, MaxSessionDurationMinutes: 1 << 20,
		},
		UserMemory: values(), Metadata: map[string]any{"n": 1},
		Lifecycle: seshat.Lifecycle{TTL: 72 * time.Hour, Expiry: seshat.ExpiryAbsolute, MaxLifetime: 96 * time.Hour, IdleAfter: seshat.Never},
		UserState: map[string]any{"from": "full"}, NamespaceState: values(),
	})
	c.create(seshat.NewSession{ID: "no memory", DisableMemory: true})
	c.move("st", seshat.StatusIdle)
	c.move("日本語", seshat.StatusArchived)
	c.move("a b", seshat.StatusTerminated)
	c.merge(seshat.UserScope("mia"), values())
	c.merge(seshat.SessionScope("s"), values())
}

// log appends messages of every type, one of several pages.
func (c *content) log() {
	c.append("full", seshat.Turn{
		Messages: []seshat.Message{
			{ID: "m/1", Role: seshat.RoleUser, Content: "Find me a flight to Seattle.", Tokens: 7, Author: "mia"},
			{ID: "m/2", Role: seshat.RoleAssistant, ContentType: seshat.ContentToolCall, ToolName: "search", ToolCallID: "c1", ToolInputs: json.RawMessage(`{"to": "SEA"}`), Latency: 1500 * time.Millisecond},
			{ID: "m/3", Role: seshat.RoleTool, ContentType: seshat.ContentToolResult, ToolName: "search", ToolCallID: "c1", ToolOutputs: json.RawMessage(`[1, 2]`), ToolStatus: "ok"},
			{ID: "m/4", Role: seshat.RoleSystem, Content: "ſystem", Metadata: seshat.NewDocument(values())},
			{ID: "m/5", Role: seshat.RoleAssistant, ContentType: seshat.ContentEvent, Payload: []byte("\x00\xff opaque"), Timestamp: time.Date(2025, 1, 2, 3, 4, 5, 6e6, time.UTC)},
		},
		State: map[string]any{"step": 5}, UserState: map[string]any{"step": 5}, NamespaceState: map[string]any{"step": 5},
	})
	c.append("full", seshat.Turn{Messages: []seshat.Message{{ID: "long", Role: seshat.RoleUser, Content: strings.Repeat("long ", 4000)}}})
	c.append("st", seshat.Turn{Messages: []seshat.Message{{ID: "wakes", Role: seshat.RoleUser, Content: "first line\nsecond"}}})
	for i := range 12 {
		c.append("s", seshat.Turn{
			Messages: []seshat.Message{{ID: fmt.Sprint("n", i), Role: seshat.RoleUser, Content: fmt.Sprint("number ", i), Tokens: uint64(i)}},
			State:    map[string]any{"i": i},
		})
	}
}

// edits changes logs and sessions in each way.
func (c *content) edits() {
	_, err := c.t.Update(c.ctx, "s", func(s *seshat.Session) error {
		s.Name, s.Labels = "renamed ẞ", map[string]string{"k": "v"}
		s.Lifecycle.TTL = 24 * time.Hour
		return nil
	}, seshat.UpdateOptions{})
	c.keep(err)
	_, err = c.t.EditMessage(c.ctx, "s", 2, func(m *seshat.Message) error { m.Content = "edited"; return nil })
	c.keep(err)
	_, err = c.t.DeleteMessage(c.ctx, "s", 3)
	c.keep(err)
	_, err = c.t.Summarize(c.ctx, "s", seshat.Range{From: 4, To: 7}, seshat.Message{Role: seshat.RoleSystem, Content: "in short"})
	c.keep(err)
	_, err = c.t.Truncate(c.ctx, "s", 10)
	c.keep(err)
	_, err = c.t.Fork(c.ctx, "s", seshat.ForkOptions{ID: "fork", Seq: 9})
	c.keep(err)
	_, err = c.t.Touch(c.ctx, "s/")
	c.keep(err)
	_, err = c.t.AcquireLease(c.ctx, "s/", "runner-1", time.Hour)
	c.keep(err)
}

// ends lets sessions end in each way; one has expired and is not swept.
func (c *content) ends() {
	for _, user := range []string{"erased", "kept"} {
		c.create(seshat.NewSession{ID: "of " + user, UserID: user, State: map[string]any{"k": 1}, UserState: map[string]any{"k": 1}})
	}
	_, err := c.t.DeleteUser(c.ctx, "erased")
	c.keep(err)
	_, err = c.t.Delete(c.ctx, "no memory")
	c.keep(err)
	c.create(seshat.NewSession{ID: "no memory", Name: "another life"})
	c.create(seshat.NewSession{ID: "expired", Lifecycle: seshat.Lifecycle{TTL: time.Second}})
	c.create(seshat.NewSession{ID: "idles", Lifecycle: seshat.Lifecycle{IdleAfter: time.Second}})
}

// keys makes API keys of two organizations.
func (c *content) keys() {
	_, _, err := c.s.CreateAPIKey(c.ctx, seshat.APIKey{Name: "all", ExpiresAt: c.now.Add(time.Hour)})
	c.keep(err)
	_, secret, err := c.s.CreateAPIKey(c.ctx, seshat.APIKey{OrganizationID: "int_ørg", Name: "ein Schlüssel", Namespaces: []string{c.t.ID()}, ReadOnly: true})
	c.keep(err)
	c.secret = secret
}
