package httpsuite

import (
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

var creation = map[string]func(*env){
	"answers with the new session": func(e *env) {
		o := e.call(201, "POST", sessions, newBody)
		e.keysAre(o, "session_id", "namespace_id", "internal_id", "session_name", "status", "created_at", "expires_at")
		e.is(o, nil, "session_name")
		e.is(o, "active", "status")
		e.is(o, e.acme.ID(), "namespace_id")
		e.is(o, "int_default", "internal_id")
		e.is(o, "2026-01-05T00:00:00.000Z", "created_at")
		e.is(o, "2026-01-12T00:00:00.000Z", "expires_at")
		id := o.at("session_id").(string)
		if got := e.last.Header().Get("Location"); got != sessions+"/"+id || !strings.HasPrefix(id, "ses_") {
			e.Fatalf("Location is %q for %q", got, id)
		}
	},
	"fills in the agent's defaults": func(e *env) {
		o := e.call(201, "POST", sessions, `{"agent_config":{}}`)
		a := e.get(o.at("session_id").(string)).Agent
		if *a.Temperature != 0.7 || *a.MaxTokens != 4096 {
			e.Fatalf("got %v, %v", *a.Temperature, *a.MaxTokens)
		}
	},
	"zero temperature is not absent": func(e *env) {
		o := e.call(201, "POST", sessions, `{"agent_config":{"temperature":0,"max_tokens":null}}`)
		a := e.get(o.at("session_id").(string)).Agent
		if *a.Temperature != 0 || *a.MaxTokens != 4096 {
			e.Fatalf("got %v, %v", *a.Temperature, *a.MaxTokens)
		}
	},
	"keeps every field":                       createsAll,
	"user memory is dropped where it is off":  createsWithoutMemory,
	"a taken id is a conflict":                createsTwice,
	"names all fields that are not allowed":   createsNothing,
	"a full namespace is a quota":             createsTooMany,
	"null is absent":                          createsNulls,
	"quotas below one and above what fits":    createsQuotas,
	"the namespace may be named by its id":    createsByID,
	"control characters in names are refused": createsControls,
	"Idempotency-Key is refused, not forgiven": func(e *env) {
		e.refused(400, "BadRequestError", "POST", sessions, newBody, "Idempotency-Key", "k")
	},
	"agent_config is required": func(e *env) { e.invalid("POST", sessions, `{"user_id":"u"}`, "agent_config") },
	"agent_config null is not there": func(e *env) {
		e.invalid("POST", sessions, `{"agent_config":null}`, "agent_config")
	},
	"agent_config has to be an object": func(e *env) {
		e.invalid("POST", sessions, `{"agent_config":[]}`, "agent_config")
	},
}

func createsAll(e *env) {
	e.call(201, "POST", sessions, `{
		"session_id": "my/own id", "user_id": "mia", "labels": {"team": "blue", "empty": ""},
		"agent_config": {"model": "m", "temperature": 2, "max_tokens": 100000,
		"system_prompt": "be kind", "available_tools": ["a", "b"]},
		"quotas": {"max_messages": 1, "max_tokens_total": 2, "max_tool_calls": 3,
		"rate_limit_messages_per_minute": 4, "max_session_duration_minutes": 60},
		"user_memory": {"name": "Mia", "deep": {"list": [1, 2.5, "é"]}}, "metadata": {"a": null}, "enable_memory": true,
		"expiry": {"ttl": "1h", "mode": "absolute", "max_lifetime": "never",
		"idle_after": "10m", "archive_after": "20m", "retention": "90s"}}`)
	s := e.get("my/own id")
	want := seshat.Lifecycle{
		TTL: time.Hour, Expiry: seshat.ExpiryAbsolute, MaxLifetime: seshat.Never, IdleAfter: 10 * time.Minute,
		ArchiveAfter: 20 * time.Minute, Retention: 90 * time.Second,
	}
	if s.Lifecycle != want {
		e.Errorf("lifecycle %+v", s.Lifecycle)
	}
	if (s.Quotas != seshat.Quotas{
		MaxMessages: 1, MaxTokensTotal: 2, MaxToolCalls: 3, RateLimitMessagesPerMinute: 4,
		MaxSessionDurationMinutes: 60,
	}) {
		e.Errorf("quotas %+v", s.Quotas)
	}
	if s.UserID != "mia" || s.Labels["team"] != "blue" || len(s.Labels) != 2 || s.Agent.SystemPrompt != "be kind" {
		e.Errorf("got %+v", s)
	}
	if m := s.UserMemory.Map(); m["name"] != "Mia" || m["deep"].(map[string]any)["list"].([]any)[0] != int64(1) {
		e.Errorf("user memory %v", m)
	}
	if got, want := e.last.Header().Get("Location"), sessions+"/my%2Fown%20id"; got != want {
		e.Errorf("Location is %q, want %q", got, want)
	}
}

func createsWithoutMemory(e *env) {
	e.call(201, "POST", sessions,
		`{"session_id":"s","agent_config":{},"enable_memory":false,"user_memory":{"secret":1}}`)
	if s := e.get("s"); !s.MemoryDisabled || !s.UserMemory.IsZero() {
		e.Fatalf("user memory is %v", s.UserMemory.Map())
	}
}

func createsTwice(e *env) {
	e.create("s")
	before := *e.get("s")
	o := e.refused(409, "ConflictError", "POST", sessions, `{"session_id":"s","agent_config":{}}`)
	e.is(o, "exists", "error", "details", "reason")
	e.is(o, "s", "error", "details", "id")
	if after := e.get("s"); after.Version != before.Version || after.Agent.Model != "m" {
		e.Fatal("the session changed")
	}
}

func createsNothing(e *env) {
	e.invalid("POST", sessions,
		`{"session_id":"`+strings.Repeat("x",
			seshat.MaxNameBytes+1)+`","agent_config":{"temperature":2.1,"max_tokens":0,
		"tools":[]},"quotas":{"max_messages":-1},"expiry":{"ttl":"0s","mode":"often"},"extra":1,"Session_ID":"x"}`,
		"session_id", "agent_config.temperature", "agent_config.max_tokens", "agent_config.tools",
		"quotas.max_messages",
		"expiry.ttl", "expiry.mode", "extra", "Session_ID")
	e.invalid("POST", sessions,
		`{"agent_config":{"available_tools":["a","",3],"model":5},"labels":{"":"x"},"metadata":[],
		"enable_memory":"yes"}`, "labels.", "metadata", "enable_memory", "agent_config.model",
		"agent_config.available_tools[1]")
	e.invalid("POST", sessions,
		`{"agent_config":{},"user_memory":{"a":`+strings.Repeat("[", 33)+strings.Repeat("]", 33)+`}}`,
		"user_memory.a"+strings.Repeat("[0]", 31))
	long := strings.Repeat("x", seshat.MaxSystemPromptBytes+1)
	e.invalid("POST", sessions, `{"agent_config":{"system_prompt":"`+long+`"}}`,
		"agent_config.system_prompt")
	if n, err := e.acme.Count(e.ctx, seshat.Query{}); n != 0 || err != nil {
		e.Fatalf("%d sessions were made, %v", n, err)
	}
}

func createsTooMany(e *env) {
	e.must(e.acme.SetQuotas(e.ctx, seshat.NamespaceQuotas{MaxSessions: 1}))
	e.call(201, "POST", sessions, newBody)
	o := e.refused(429, "QuotaExceededError", "POST", sessions, newBody)
	e.is(o, "namespace.max_sessions", "error", "details", "quota")
	e.is(o, 1.0, "error", "details", "limit")
	if e.last.Header().Get("Retry-After") != "" {
		e.Fatal("waiting does not help, but Retry-After says so")
	}
}

func createsNulls(e *env) {
	e.call(201, "POST", sessions, `{"agent_config":{"model":null,"available_tools":null},"quotas":null,"user_id":null,
		"user_memory":null,"metadata":null,"enable_memory":null,"session_id":null,"labels":null,"expiry":null}`)
}

func createsQuotas(e *env) {
	e.invalid("POST", sessions, `{"agent_config":{},"quotas":{"max_messages":0,"max_tokens_total":1.5,
		"max_session_duration_minutes":99999999999999999999}}`,
		"quotas.max_messages", "quotas.max_tokens_total", "quotas.max_session_duration_minutes")
}

func createsByID(e *env) {
	e.call(201, "POST", sessions, newBody, "X-Namespace", e.acme.ID())
	greek := e.namespace(seshat.Namespace{Name: "Ελλάδα"})
	o := e.call(201, "POST", sessions, newBody, "X-Namespace", "Ελλάδα")
	e.is(o, greek.ID(), "namespace_id")
}

func createsControls(e *env) {
	e.invalid("POST", sessions, `{"session_id":"a\u0000b","user_id":"\u007f","agent_config":{"model":"\n"}}`,
		"session_id", "user_id", "agent_config.model")
}
