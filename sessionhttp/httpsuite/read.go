package httpsuite

import (
	"net/url"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

var reading = map[string]func(*env){
	"answers with the session":                 readsAll,
	"what is absent is null":                   readsBare,
	"If-None-Match gives 304 until it changes": readsConditionally,
	"If-Match compares version and life":       readsMatching,
	"absent, expired and foreign are 404":      readsNothing,
	"HEAD has only the headers": func(e *env) {
		e.create("s")
		e.call(200, "HEAD", sessions+"/s", "")
		if e.last.Body.Len() != 0 || e.last.Header().Get("Etag") == "" {
			e.Fatal("not only the headers")
		}
	},
	"an id that no session can have is invalid": func(e *env) {
		e.invalid("GET", sessions+"/"+strings.Repeat("x", seshat.MaxNameBytes+1), "", "session_id")
		e.invalid("GET", sessions+"/%00", "", "session_id")
		e.invalid("GET", sessions+"/%FF", "", "session_id")
	},
}

func readsAll(e *env) {
	e.created(seshat.NewSession{
		ID: "s", UserID: "mia",
		UserMemory: map[string]any{"a": 1, "b": []any{true, nil, "ü\"\n"}, "t": time.Unix(0, 0)},
		Agent: seshat.AgentConfig{
			Model: "m", Temperature: seshat.Ptr(0.5), MaxTokens: seshat.Ptr(10),
			SystemPrompt: "p\u2028", AvailableTools: []string{"x", "y"},
		},
	})
	e.store.Clock.Advance(time.Second)
	_, err := e.acme.Append(e.ctx, "s", seshat.Message{
		Role: seshat.RoleUser, Content: "Hello there", Tokens: 3, Latency: 250 * time.Millisecond,
	}, seshat.Message{Role: seshat.RoleAssistant, ContentType: seshat.ContentToolCall, Tokens: 4})
	e.must(err)
	o := e.call(200, "GET", sessions+"/s", "")
	e.keysAre(o, "session_id", "namespace_id", "internal_id", "user_id", "session_name", "agent_config", "user_memory",
		"status", "message_count", "stats", "created_at", "updated_at", "last_activity_at", "expires_at")
	e.keysAre(o.at("agent_config"), "model", "temperature", "max_tokens", "system_prompt", "available_tools")
	e.keysAre(o.at("stats"), "total_messages", "total_tokens", "total_tool_calls", "avg_latency_ms")
	e.is(o, "mia", "user_id")
	e.is(o, "Hello there", "session_name")
	e.is(o, "p\u2028", "agent_config", "system_prompt")
	e.is(o, "y", "agent_config", "available_tools", 1)
	e.is(o, "ü\"\n", "user_memory", "b", 2)
	e.is(o, 2.0, "message_count")
	e.is(o, 7.0, "stats", "total_tokens")
	e.is(o, 1.0, "stats", "total_tool_calls")
	e.is(o, 250.0, "stats", "avg_latency_ms")
	e.is(o, "2026-01-05T00:00:01.000Z", "updated_at")
	e.is(o, "2026-01-05T00:00:01.000Z", "last_activity_at")
	e.is(o, "2026-01-12T00:00:01.000Z", "expires_at")
}

func readsBare(e *env) {
	e.created(seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: seshat.Never}})
	o := e.call(200, "GET", sessions+"/s", "")
	for _, path := range [][]any{
		{"user_id"},
		{"session_name"},
		{"user_memory"},
		{"expires_at"},
		{"stats", "avg_latency_ms"},
		{"agent_config", "model"},
		{"agent_config", "temperature"},
		{"agent_config", "max_tokens"},
		{"agent_config", "system_prompt"},
		{"agent_config", "available_tools"},
	} {
		e.is(o, nil, path...)
	}
}

func readsConditionally(e *env) {
	e.create("s")
	tag := func() string {
		e.Helper()
		e.call(200, "GET", sessions+"/s", "")
		return e.last.Header().Get("Etag")
	}
	old := tag()
	for what, change := range map[string]func() error{
		"append": func() error { return second(e.acme.Append(e.ctx, "s", seshat.Message{Role: seshat.RoleUser})) },
		"touch":  func() error { return second(e.acme.Touch(e.ctx, "s")) },
		"update": func() error {
			return second(e.acme.Update(e.ctx, "s", func(*seshat.Session) error { return nil }, seshat.UpdateOptions{}))
		},
		"new life": func() error { return recreate(e, "s") },
	} {
		e.store.Clock.Advance(time.Millisecond)
		e.must(change())
		now := tag()
		if now == old {
			e.Fatalf("after %s the tag still is %s", what, now)
		}
		e.call(200, "GET", sessions+"/s", "", "If-None-Match", `"nonsense"`)
		for _, given := range []string{now, "W/" + now, `"x", ` + now, "*"} {
			e.call(304, "GET", sessions+"/s", "", "If-None-Match", given)
			if e.last.Body.Len() != 0 || e.last.Header().Get("Etag") != now {
				e.Fatal("not a proper 304")
			}
		}
		old = now
	}
	for _, bad := range []string{"x", `"x`, `"x" "y"`, `"x",`, ","} {
		e.refused(400, "BadRequestError", "GET", sessions+"/s", "", "If-None-Match", bad)
	}
}

func second[T any](_ T, err error) error { return err }

// recreate deletes a session and creates one with the same id.
func recreate(e *env, id string) error {
	if _, err := e.acme.Delete(e.ctx, id); err != nil {
		return err
	}
	return second(e.acme.Create(e.ctx, seshat.NewSession{ID: id}))
}

func readsMatching(e *env) {
	e.create("s")
	e.call(200, "GET", sessions+"/s", "")
	tag := e.last.Header().Get("Etag")
	e.store.Clock.Advance(time.Millisecond)
	e.say("s", 1) // an append does not make the tag stale
	for _, good := range []string{tag, `"1"`, "*", `"9", ` + tag} {
		e.call(200, "GET", sessions+"/s", "", "If-Match", good)
	}
	for _, bad := range []string{`"2"`, "W/" + tag, `"x"`, `""`, `"1.0.x"`} {
		e.refused(412, "PreconditionFailedError", "GET", sessions+"/s", "", "If-Match", bad)
	}
	e.must(recreate(e, "s"))
	e.refused(412, "PreconditionFailedError", "GET", sessions+"/s", "", "If-Match", tag)
	e.refused(404, "NotFoundError", "GET", sessions+"/t", "", "If-Match", "*")
}

func readsNothing(e *env) {
	other := e.namespace(seshat.Namespace{Name: "other"})
	e.must(second(other.Create(e.ctx, seshat.NewSession{ID: "foreign"})))
	e.created(seshat.NewSession{ID: "expired", Lifecycle: seshat.Lifecycle{TTL: time.Second}})
	e.store.Clock.Advance(time.Second)
	for _, id := range []string{"absent", "expired", "foreign", "a/b", "."} {
		for _, at := range []struct{ method, tail, body string }{
			{"GET", "", ""},
			{"PATCH", "", `{"user_memory":{}}`},
			{"DELETE", "", ""},
			{"DELETE", "?purge=true", ""},
			{"GET", "/history", ""},
			{"POST", "/messages", `{"messages":[{"role":"user"}]}`},
			{"POST", "/transition", `{"status":"idle"}`},
			{"POST", "/fork", ""},
		} {
			o := e.refused(404, "NotFoundError", at.method, sessions+"/"+url.PathEscape(id)+at.tail, at.body)
			e.is(o, "session", "error", "details", "resource")
			e.is(o, id, "error", "details", "id")
		}
	}
}
