package httpsuite

import (
	"fmt"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp"
)

var histories = map[string]func(*env){
	"oldest first, part by part": func(e *env) {
		e.create("s")
		e.say("s", 60)
		o := e.call(200, "GET", sessions+"/s/history", "")
		e.keysAre(o, "session_id", "messages", "total_messages", "returned_messages", "has_more")
		e.is(o, 60.0, "total_messages")
		e.is(o, 50.0, "returned_messages")
		e.is(o, true, "has_more")
		o = e.call(200, "GET", sessions+"/s/history?offset=50&limit=200", "")
		e.is(o, 10.0, "returned_messages")
		e.is(o, false, "has_more")
		o = e.call(200, "GET", sessions+"/s/history?offset=60", "")
		e.is(o, 60.0, "total_messages")
		e.is(o, 0.0, "returned_messages")
		e.is(o, false, "has_more")
	},
	"every field of a message":   historyFields,
	"offsets count what is left": historyWithGaps,
	"an empty history": func(e *env) {
		e.create("s")
		e.is(e.call(200, "GET", sessions+"/s/history", ""), 0.0, "total_messages")
	},
	"names what is not allowed": func(e *env) {
		e.create("s")
		e.invalid("GET", sessions+"/s/history?limit=201&offset=-1", "", "limit", "offset")
		e.invalid("GET", sessions+"/s/history?limit=0", "", "limit")
		e.refused(400, "BadRequestError", "GET", sessions+"/s/history?cursor=1", "")
	},
}

func historyFields(e *env) {
	e.create("s")
	e.call(201, "POST", sessions+"/s/messages", `{"messages":[
		{"role":"assistant","content":"calling","content_type":"tool_call","tool_name":"search","tool_call_id":"c1",
		 "tool_inputs":{"q":[1,{"b":2,"a":1}]},"tokens":5,"latency_ms":120,"author":"bot","metadata":{"k":"v"},
		 "timestamp":"2026-01-04T23:00:00.5+01:00","message_id":"m1"},
		{"role":"tool","content_type":"tool_result","tool_name":"search","tool_call_id":"c1",
			"tool_outputs":"done","tool_status":"ok"},
		{"role":"user","content":null,"content_type":null,"tool_inputs":null}]}`)
	o := e.call(200, "GET", sessions+"/s/history", "")
	for i := range 3 {
		e.keysAre(o.at("messages", i), "message_id", "role", "content", "content_type", "tool_name", "tool_inputs",
			"tool_outputs", "tool_status", "timestamp")
	}
	e.is(o, "m1", "messages", 0, "message_id")
	e.is(o, "assistant", "messages", 0, "role")
	e.is(o, "tool_call", "messages", 0, "content_type")
	e.is(o, 2.0, "messages", 0, "tool_inputs", "q", 1, "b")
	e.is(o, nil, "messages", 0, "tool_outputs")
	e.is(o, "2026-01-04T22:00:00.500Z", "messages", 0, "timestamp")
	e.is(o, "done", "messages", 1, "tool_outputs")
	e.is(o, "ok", "messages", 1, "tool_status")
	e.is(o, "text", "messages", 2, "content_type")
	e.is(o, "", "messages", 2, "content")
	e.is(o, "2026-01-05T00:00:00.000Z", "messages", 2, "timestamp")
	s := e.get("s")
	if s.Stats.TotalTokens != 5 || s.Stats.TotalToolCalls != 1 || s.Stats.AvgLatencyMS != 120 {
		e.Fatalf("stats are %+v", s.Stats)
	}
}

func historyWithGaps(e *env) {
	e.create("s")
	for i := range 6 {
		e.must(second(e.acme.Append(e.ctx, "s", seshat.Message{ID: fmt.Sprint("m", i), Role: seshat.RoleUser})))
	}
	e.must(second(e.acme.DeleteMessage(e.ctx, "s", 2)))
	o := e.call(200, "GET", sessions+"/s/history?offset=1&limit=2", "")
	e.is(o, 5.0, "total_messages")
	e.is(o, "m2", "messages", 0, "message_id")
	e.is(o, "m3", "messages", 1, "message_id")
	e.is(o, true, "has_more")
	o = e.call(200, "GET", sessions+"/s/history?offset=3", "")
	e.is(o, "m4", "messages", 0, "message_id")
	e.is(o, false, "has_more")
}

var appends = map[string]func(*env){
	"appends a turn": func(e *env) {
		e.create("s")
		o := e.call(201, "POST", sessions+"/s/messages",
			`{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","message_id":"own"}]}`)
		e.keysAre(o, "session_id", "message_ids", "first_seq", "last_seq", "repeated", "status", "message_count")
		e.is(o, "own", "message_ids", 1)
		e.is(o, 1.0, "first_seq")
		e.is(o, 2.0, "last_seq")
		e.is(o, false, "repeated")
		e.is(e.call(200, "GET", sessions+"/s/history", ""), o.at("message_ids", 0), "messages", 0, "message_id")
		e.is(e.call(200, "GET", sessions+"/s", ""), "Hi", "session_name")
	},
	"wakes an idle session": func(e *env) {
		e.create("s")
		e.must(second(e.acme.Transition(e.ctx, "s", seshat.StatusIdle, seshat.TransitionOptions{})))
		e.is(e.call(201, "POST", sessions+"/s/messages", oneMessage), "active", "status")
	},
	"the same key appends once":                 appendsOnce,
	"the same key with other content conflicts": appendsOther,
	"a key is of one life of one session":       appendsElsewhere,
	"a key's ids never change":                  appendsAsEver,
	"own ids are kept beside a key":             appendsOwn,
	"after refuses what came in between": func(e *env) {
		e.create("s")
		e.say("s", 2)
		o := e.refused(409, "ConflictError", "POST", sessions+"/s/messages", `{"messages":[{"role":"user"}],"after":1}`)
		e.is(o, "stale", "error", "details", "reason")
		e.is(o, 2.0, "error", "details", "stored")
		e.call(201, "POST", sessions+"/s/messages", `{"messages":[{"role":"user"}],"after":2}`)
	},
	"quotas are 429, with Retry-After where waiting helps": appendsTooMany,
	"read-only sessions conflict":                          appendsReadOnly,
	"a lease conflicts": func(e *env) {
		e.create("s")
		e.must(second(e.acme.AcquireLease(e.ctx, "s", "runner", time.Minute)))
		o := e.refused(409, "ConflictError", "POST", sessions+"/s/messages", oneMessage)
		e.is(o, "lease", "error", "details", "reason")
		e.is(o, "runner", "error", "details", "owner")
	},
	"names what is not allowed": appendsRefused,
}

const oneMessage = `{"messages":[{"role":"user","content":"once"}]}`

func appendsOnce(e *env) {
	e.create("s")
	body := `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`
	first := e.call(201, "POST", sessions+"/s/messages", body, "Idempotency-Key", "k1")
	e.say("s", 1)
	e.rebuild(func(*sessionhttp.Options) {}) // a new handler knows nothing of the first append
	again := e.call(200, "POST", sessions+"/s/messages", body, "Idempotency-Key", "k1")
	e.is(again, true, "repeated")
	for _, same := range []string{"first_seq", "last_seq"} {
		e.is(again, first.at(same), same)
	}
	e.is(again, first.at("message_ids", 1), "message_ids", 1)
	e.is(again, 3.0, "message_count")
	e.call(201, "POST", sessions+"/s/messages", body, "Idempotency-Key", "k2")
}

func appendsOther(e *env) {
	e.create("s")
	two := `{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}`
	e.call(201, "POST", sessions+"/s/messages", two, "Idempotency-Key", "k")
	for _, other := range []string{
		`{"messages":[{"role":"user","content":"a"},{"role":"user","content":"c"}]}`,
		`{"messages":[{"role":"user","content":"a"}]}`,
		`{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"},{"role":"user"}]}`,
	} {
		o := e.refused(409, "ConflictError", "POST", sessions+"/s/messages", other, "Idempotency-Key", "k")
		e.is(o, "message_id", "error", "details", "reason")
	}
	if n := e.get("s").MessageCount; n != 2 {
		e.Fatalf("%d messages, want 2", n)
	}
}

func appendsElsewhere(e *env) {
	for _, id := range []string{"s", "t"} {
		e.create(id)
		e.call(201, "POST", sessions+"/"+id+"/messages", oneMessage, "Idempotency-Key", "k")
	}
	e.must(recreate(e, "s"))
	e.call(201, "POST", sessions+"/s/messages", oneMessage, "Idempotency-Key", "k")
}

// appendsAsEver pins the derivation of ids. If it changed, an append that a
// client repeats across an upgrade would be stored twice.
func appendsAsEver(e *env) {
	e.create("s")
	o := e.call(201, "POST", sessions+"/s/messages", oneMessage, "Idempotency-Key", "key-1")
	e.is(o, "idem_"+pinnedID, "message_ids", 0)
}

func appendsOwn(e *env) {
	e.create("s")
	body := `{"messages":[{"role":"user","message_id":"m"},{"role":"user"}]}`
	o := e.call(201, "POST", sessions+"/s/messages", body, "Idempotency-Key", "k")
	e.is(o, "m", "message_ids", 0)
	e.call(200, "POST", sessions+"/s/messages", body, "Idempotency-Key", "k")
}

func appendsTooMany(e *env) {
	e.created(seshat.NewSession{ID: "s", Quotas: seshat.Quotas{MaxMessages: 3, RateLimitMessagesPerMinute: 2}})
	e.say("s", 2)
	o := e.refused(429, "QuotaExceededError", "POST", sessions+"/s/messages", oneMessage)
	e.is(o, "rate_limit_messages_per_minute", "error", "details", "quota")
	wait, err := time.ParseDuration(e.last.Header().Get("Retry-After") + "s")
	e.must(err)
	e.store.Clock.Advance(wait)
	e.call(201, "POST", sessions+"/s/messages", oneMessage)
	e.store.Clock.Advance(time.Hour)
	o = e.refused(429, "QuotaExceededError", "POST", sessions+"/s/messages", oneMessage)
	e.is(o, "max_messages", "error", "details", "quota")
	e.is(o, 3.0, "error", "details", "use")
}

func appendsReadOnly(e *env) {
	e.create("s")
	e.must(second(e.acme.Transition(e.ctx, "s", seshat.StatusTerminated, seshat.TransitionOptions{})))
	o := e.refused(409, "ConflictError", "POST", sessions+"/s/messages", oneMessage)
	e.is(o, "read_only", "error", "details", "reason")
}

func appendsRefused(e *env) {
	e.create("s")
	for body, field := range map[string]string{
		`{}`: "messages", `{"messages":[]}`: "messages", `{"messages":{}}`: "messages",
		`{"messages":[1]}`:  "messages[0]",
		`{"messages":[{}]}`: "messages[0].role", `{"messages":[{"role":"robot"}]}`: "messages[0].role",
		`{"messages":[{"role":"user"},{"role":"user","text":"x"}]}`:                        "messages[1].text",
		`{"messages":[{"role":"user","content_type":"gif"}]}`:                              "messages[0].content_type",
		`{"messages":[{"role":"user","tokens":-1}]}`:                                       "messages[0].tokens",
		`{"messages":[{"role":"user","latency_ms":1e9}]}`:                                  "messages[0].latency_ms",
		`{"messages":[{"role":"user","timestamp":"today"}]}`:                               "messages[0].timestamp",
		`{"messages":[{"role":"user"}],"after":-1}`:                                        "after",
		`{"messages":[{"role":"user","seq":3}]}`:                                           "messages[0].seq",
		`{"messages":[{"role":"user","message_id":"a"},{"role":"user","message_id":"a"}]}`: "messages[1].message_id",
	} {
		e.invalid("POST", sessions+"/s/messages", body, field)
	}
	many := strings.Repeat(`{"role":"user"},`, seshat.MaxTurnMessages)
	e.invalid("POST", sessions+"/s/messages", `{"messages":[`+many+`{"role":"user"}]}`, "messages")
	for field, most := range map[string]int{
		"content": seshat.MaxContentBytes, "tool_inputs": seshat.MaxToolJSONBytes,
		"tool_outputs": seshat.MaxToolJSONBytes,
	} {
		body := `{"messages":[{"role":"user","` + field + `":"` + strings.Repeat("x", most+1) + `"}]}`
		e.invalid("POST", sessions+"/s/messages", body, "messages[0]."+field)
	}
	for _, key := range []string{"", "a b", "é", strings.Repeat("x", 256)} {
		want := 400
		kind := "BadRequestError"
		if len(key) > 255 {
			want = 431
			kind = "HeaderTooLargeError"
		}
		e.refused(want, kind, "POST", sessions+"/s/messages", oneMessage, "Idempotency-Key", key)
	}
	if n := e.get("s").MessageCount; n != 0 {
		e.Fatalf("%d messages were appended", n)
	}
}

// pinnedID is the id of the first message of an append with the key "key-1".
const pinnedID = "yarb8n707c9h3krqvywgzx0evn72axbb"
