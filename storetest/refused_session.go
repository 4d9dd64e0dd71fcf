package storetest

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

type badSession = refusal[seshat.NewSession]

// badLifecycles spoils each field of a lifecycle.
func badLifecycles[T any](at func(*T) *seshat.Lifecycle) []refusal[T] {
	return []refusal[T]{
		{"negative ttl", "lifecycle.ttl", func(v *T) { at(v).TTL = -2 }},
		{"negative max_lifetime", "lifecycle.max_lifetime", func(v *T) { at(v).MaxLifetime = -2 }},
		{"negative idle_after", "lifecycle.idle_after", func(v *T) { at(v).IdleAfter = -2 }},
		{"negative archive_after", "lifecycle.archive_after", func(v *T) { at(v).ArchiveAfter = -2 }},
		{"negative retention", "lifecycle.retention", func(v *T) { at(v).Retention = -2 }},
		{"expiry out of range", "lifecycle.expiry", func(v *T) { at(v).Expiry = 3 }},
		{"negative ttl and retention", "lifecycle.ttl", func(v *T) { at(v).Retention, at(v).TTL = -2, -2 }},
	}
}

// badLabels spoils the names, the values and the number of labels.
func badLabels[T any](at func(*T) *map[string]string) []refusal[T] {
	many := map[string]string{}
	for i := range seshat.MaxLabels + 1 {
		many[fmt.Sprint(i)] = ""
	}
	rows := []refusal[T]{
		{"too many labels", "labels", func(v *T) { *at(v) = many }},
		{"a label without a name", "labels", func(v *T) { *at(v) = map[string]string{"": "x"} }},
		{"three bad values", "labels.a", func(v *T) { *at(v) = map[string]string{"c": "\n", "b": "\xff", "a": "\n"} }},
		{"a bad value and a bad name", "labels.a", func(v *T) { *at(v) = map[string]string{"b\n": "", "a": "\n"} }},
	}
	for _, bad := range badNames {
		rows = append(rows,
			refusal[T]{"label name " + bad.why, "labels", func(v *T) { *at(v) = map[string]string{bad.name: "x"} }},
			refusal[T]{"label value " + bad.why, "labels.k", func(v *T) { *at(v) = map[string]string{"k": bad.name} }})
	}
	return rows
}

// badTitles spoils a session's name.
func badTitles[T any](at func(*T) *string) []refusal[T] {
	return []refusal[T]{
		{"name too long", "session_name", func(v *T) { *at(v) = strings.Repeat("x", seshat.MaxSessionNameBytes+1) }},
		{"name with a control character", "session_name", func(v *T) { *at(v) = "a\x00" }},
		{"name not UTF-8", "session_name", func(v *T) { *at(v) = "a\xff" }},
	}
}

// badSettings spoils the agent and the quotas of a new session.
func badSettings[T any](agent func(*T) *seshat.AgentConfig, quotas func(*T) *seshat.Quotas) []refusal[T] {
	const huge = math.MaxInt64
	rows := []refusal[T]{
		{"negative temperature", "agent_config.temperature", func(v *T) { agent(v).Temperature = seshat.Ptr(-0.1) }},
		{"temperature too high", "agent_config.temperature", func(v *T) { agent(v).Temperature = seshat.Ptr(2.1) }},
		{
			"temperature no number", "agent_config.temperature",
			func(v *T) { agent(v).Temperature = seshat.Ptr(math.NaN()) },
		},
		{"no tokens", "agent_config.max_tokens", func(v *T) { agent(v).MaxTokens = seshat.Ptr(0) }},
		{"negative tokens", "agent_config.max_tokens", func(v *T) { agent(v).MaxTokens = seshat.Ptr(-1) }},
		{"too many tokens", "agent_config.max_tokens", func(v *T) { agent(v).MaxTokens = seshat.Ptr(100_001) }},
		{"prompt too long", "agent_config.system_prompt", func(v *T) { agent(v).SystemPrompt = longText[:64<<10+1] }},
		{"prompt not UTF-8", "agent_config.system_prompt", func(v *T) { agent(v).SystemPrompt = "\xff" }},
		{
			"too many tools", "agent_config.available_tools",
			func(v *T) { agent(v).AvailableTools = make([]string, 257) },
		},
		{"temperature and tokens", "agent_config.temperature", func(v *T) {
			agent(v).MaxTokens, agent(v).Temperature = seshat.Ptr(-1), seshat.Ptr(-1.0)
		}},
		{"messages", "quotas.max_messages", func(v *T) { quotas(v).MaxMessages = huge }},
		{"tokens", "quotas.max_tokens_total", func(v *T) { quotas(v).MaxTokensTotal = huge }},
		{"tool calls", "quotas.max_tool_calls", func(v *T) { quotas(v).MaxToolCalls = huge }},
		{"rate", "quotas.rate_limit_messages_per_minute", func(v *T) { quotas(v).RateLimitMessagesPerMinute = huge }},
		{"duration", "quotas.max_session_duration_minutes", func(v *T) { quotas(v).MaxSessionDurationMinutes = huge }},
	}
	rows = append(rows, badNamesOf("agent_config.model", false, func(v *T) *string { return &agent(v).Model })...)
	return append(rows, badNamesOf("agent_config.available_tools", true, func(v *T) *string {
		agent(v).AvailableTools = []string{""}
		return &agent(v).AvailableTools[0]
	})...)
}

func refusedSessions(e *env) {
	t := e.refusedStore()
	type n = seshat.NewSession
	rows := [][]badSession{
		badNamesOf("session_id", false, func(v *n) *string { return &v.ID }),
		badNamesOf("user_id", false, func(v *n) *string { return &v.UserID }),
		badTitles(func(v *n) *string { return &v.Name }),
		badSettings(func(v *n) *seshat.AgentConfig { return &v.Agent }, func(v *n) *seshat.Quotas { return &v.Quotas }),
		badLabels(func(v *n) *map[string]string { return &v.Labels }),
		badLifecycles(func(v *n) *seshat.Lifecycle { return &v.Lifecycle }),
		badDocumentsOf("user_memory", func(v *n, d map[string]any) { v.UserMemory = d }),
		badDocumentsOf("metadata", func(v *n, d map[string]any) { v.Metadata = d }),
		badDocumentsOf("state", func(v *n, d map[string]any) { v.State = d }),
		badDocumentsOf("user_state", func(v *n, d map[string]any) {
			v.UserID = "mia"
			v.UserState = d
		}),
		badDocumentsOf("namespace_state", func(v *n, d map[string]any) { v.NamespaceState = d }),
		{
			{"memory, and memory disabled", "user_memory", func(v *n) {
				v.DisableMemory = true
				v.UserMemory = map[string]any{"k": 1}
			}},
			{"user state without a user", "user_state", func(v *n) { v.UserState = map[string]any{"k": 1} }},
			{"state with an empty key", "state", func(v *n) { v.State = map[string]any{"": 1} }},
		},
	}
	refuseAll(e, t, "Create", "", n{}, func(v n) error { return second(t.Create(e.ctx, v)) }, rows...)
	refuseAll(e, t, "Ensure", "", n{}, func(v n) error {
		_, _, err := t.Ensure(e.ctx, v)
		return err
	}, rows...)
}

func refusedEdits(e *env) {
	t := e.refusedStore()
	type s = seshat.Session
	earlier := time.Unix(1, 0)
	refuseAll(e, t, "Update", "", *e.get(t, "s"), func(v s) error {
		return second(t.Update(e.ctx, "s", func(edited *s) error {
			*edited = v
			return nil
		}, seshat.UpdateOptions{}))
	},
		badTitles(func(v *s) *string { return &v.Name }),
		badLabels(func(v *s) *map[string]string { return &v.Labels }),
		badLifecycles(func(v *s) *seshat.Lifecycle { return &v.Lifecycle }),
		badDocumentsOf("user_memory", func(v *s, d map[string]any) { v.UserMemory = seshat.NewDocument(d) }),
		badDocumentsOf("metadata", func(v *s, d map[string]any) { v.Metadata = seshat.NewDocument(d) }),
		[]refusal[s]{
			{"edited", "session_id", func(v *s) { v.ID = "x" }},
			{"edited", "namespace_id", func(v *s) { v.NamespaceID = "x" }},
			{"edited", "internal_id", func(v *s) { v.OrganizationID = "x" }},
			{"edited", "user_id", func(v *s) { v.UserID = "x" }},
			{"edited", "agent_config", func(v *s) { v.Agent.Model = "x" }},
			{"edited", "quotas", func(v *s) { v.Quotas.MaxMessages = 1 }},
			{"edited", "status", func(v *s) { v.Status = seshat.StatusIdle }},
			{"edited", "last_move", func(v *s) { v.LastTransition.Reason = "x" }},
			{"edited", "message_count", func(v *s) { v.MessageCount = 9 }},
			{"edited", "stats", func(v *s) { v.Stats.TotalTokens = 9 }},
			{"edited", "version", func(v *s) { v.Version = 9 }},
			{"edited", "last_seq", func(v *s) { v.LastSeq = 9 }},
			{"edited", "parent", func(v *s) { v.Parent.Seq = 9 }},
			{"edited", "memory_disabled", func(v *s) { v.MemoryDisabled = true }},
			{"edited", "created_at", func(v *s) { v.CreatedAt = earlier }},
			{"edited", "updated_at", func(v *s) { v.UpdatedAt = earlier }},
			{"edited", "last_activity_at", func(v *s) { v.LastActivityAt = earlier }},
			{"edited", "expires_at", func(v *s) { v.ExpiresAt = earlier }},
			{"edited", "terminated_at", func(v *s) { v.TerminatedAt = earlier }},
			{"status and version edited", "status", func(v *s) {
				v.Version = 9
				v.Status = seshat.StatusIdle
			}},
		})
}

func refusedSnapshots(e *env) {
	t := e.refusedStore()
	type s = seshat.Session
	good := *e.get(t, "s")
	good.ID = "restored"
	var rows []refusal[s]
	for field, edits := range badSessions {
		if field == "messages[0].seq" || field == "stats.total_messages" {
			continue // only the messages show it
		}
		for i, edit := range edits {
			rows = append(rows, refusal[s]{fmt.Sprint(field, " ", i), field, edit})
		}
	}
	refuseAll(e, t, "Restore", "", good, func(v s) error {
		return second(t.Restore(e.ctx, seshat.Snapshot{Session: &v}))
	}, rows,
		badNamesOf("session_id", true, func(v *s) *string { return &v.ID }),
		badNamesOf("user_id", false, func(v *s) *string { return &v.UserID }),
		badNamesOf("last_move.actor", false, func(v *s) *string { return &v.LastTransition.Actor }),
		badNamesOf("parent.session_id", false, func(v *s) *string { return &v.Parent.SessionID }),
		badTitles(func(v *s) *string { return &v.Name }),
		badSettings(func(v *s) *seshat.AgentConfig { return &v.Agent }, func(v *s) *seshat.Quotas { return &v.Quotas }),
		badLabels(func(v *s) *map[string]string { return &v.Labels }),
		badLifecycles(func(v *s) *seshat.Lifecycle { return &v.Lifecycle }),
		badDocumentsOf("user_memory", func(v *s, d map[string]any) { v.UserMemory = seshat.NewDocument(d) }),
		badDocumentsOf("metadata", func(v *s, d map[string]any) { v.Metadata = seshat.NewDocument(d) }))
	refuseAll(e, t, "Restore", "", seshat.Snapshot{Session: &good}, func(v seshat.Snapshot) error {
		return second(t.Restore(e.ctx, v))
	}, []refusal[seshat.Snapshot]{
		{"no session", "session", func(v *seshat.Snapshot) { v.Session = nil }},
		{"state with an empty key", "state", func(v *seshat.Snapshot) { v.State = map[string]any{"": 1} }},
	}, badDocumentsOf("state", func(v *seshat.Snapshot, d map[string]any) { v.State = d }))
}
