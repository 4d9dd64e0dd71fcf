package httpsuite

import (
	"reflect"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

const mergeType = "application/merge-patch+json"

var patches = map[string]func(*env){
	"replaces the user memory": func(e *env) {
		e.created(seshat.NewSession{ID: "s", UserMemory: map[string]any{"old": 1}})
		e.store.Clock.Advance(time.Second)
		o := e.call(200, "PATCH", sessions+"/s", `{"user_memory":{"new":2}}`)
		e.keysAre(o, "session_id", "updated_at")
		e.is(o, "2026-01-05T00:00:01.000Z", "updated_at")
		e.remembers("s", map[string]any{"new": int64(2)})
		e.call(200, "PATCH", sessions+"/s", `{"user_memory":null}`)
		e.remembers("s", nil)
	},
	"merges by RFC 7396":                      merges,
	"refuses a stale version and keeps":       patchesStale,
	"names what is immutable":                 patchesTooMuch,
	"is nothing where memory is off":          patchesDisabled,
	"refuses archived and terminated":         patchesReadOnly,
	"takes no other type":                     patchesOtherTypes,
	"a document that is too large is refused": patchesTooLarge,
}

func (e *env) remembers(id string, want map[string]any) {
	e.Helper()
	if got := e.get(id).UserMemory.Map(); !reflect.DeepEqual(got, want) {
		e.Fatalf("user memory is %v, want %v", got, want)
	}
}

// merges runs the examples of RFC 7396 that are objects.
func merges(e *env) {
	for i, x := range []struct{ old, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"a":1}`, `{}`, `{"a":1}`},
		{`{"a":1}`, `null`, `{}`},
	} {
		e.call(200, "PATCH", sessions+"/"+e.create("s"), `{"user_memory":`+x.old+`}`)
		e.call(200, "PATCH", sessions+"/s", `{"user_memory":`+x.patch+`}`, "Content-Type", mergeType)
		var want seshat.Document
		e.must(want.UnmarshalJSON([]byte(x.want)))
		if got := e.get("s").UserMemory; !got.Equal(want) {
			e.Fatalf("example %d gives %v, want %s", i, got.Map(), x.want)
		}
		e.call(200, "DELETE", sessions+"/s?purge=true", "")
	}
}

func patchesStale(e *env) {
	e.created(seshat.NewSession{ID: "s", UserMemory: map[string]any{"v": 1}})
	e.call(200, "GET", sessions+"/s", "")
	tag := e.last.Header().Get("Etag")
	e.say("s", 1)
	e.store.Clock.Advance(time.Second)
	e.call(200, "PATCH", sessions+"/s", `{"user_memory":{"v":2}}`, "If-Match", tag)
	fresh := e.last.Header().Get("Etag")
	e.refused(412, "PreconditionFailedError", "PATCH", sessions+"/s", `{"user_memory":{"v":3}}`, "If-Match", tag)
	e.remembers("s", map[string]any{"v": int64(2)})
	e.call(200, "PATCH", sessions+"/s", `{"user_memory":{"v":4}}`, "If-Match", fresh)
	e.refused(400, "BadRequestError", "PATCH", sessions+"/s", `{"user_memory":{}}`, "If-Match", "4")
}

func patchesTooMuch(e *env) {
	e.create("s")
	version := e.get("s").Version
	e.invalid("PATCH", sessions+"/s",
		`{"user_memory":{"a":1},"agent_config":{"model":"x"},"quotas":{},"status":"idle"}`,
		"agent_config", "quotas", "status")
	e.invalid("PATCH", sessions+"/s", `{"agent_config":{}}`, "user_memory", "agent_config")
	e.invalid("PATCH", sessions+"/s", `{}`, "user_memory")
	e.invalid("PATCH", sessions+"/s", `{"user_memory":[]}`, "user_memory")
	if e.get("s").Version != version {
		e.Fatal("a refused request changed the session")
	}
}

func patchesDisabled(e *env) {
	e.created(seshat.NewSession{ID: "s", DisableMemory: true})
	before := e.get("s").Version
	o := e.call(200, "PATCH", sessions+"/s", `{"user_memory":{"a":1}}`)
	e.is(o, "s", "session_id")
	if s := e.get("s"); s.Version != before || !s.UserMemory.IsZero() {
		e.Fatal("the session changed")
	}
}

func patchesReadOnly(e *env) {
	for _, to := range []seshat.Status{seshat.StatusArchived, seshat.StatusTerminated} {
		id := e.create("")
		e.must(second(e.acme.Transition(e.ctx, id, to, seshat.TransitionOptions{})))
		o := e.refused(409, "ConflictError", "PATCH", sessions+"/"+id, `{"user_memory":{}}`)
		e.is(o, "read_only", "error", "details", "reason")
	}
}

func patchesOtherTypes(e *env) {
	e.create("s")
	for _, kind := range []string{
		absent, "", "text/plain", "application/json-patch+json",
		"application/json; charset=latin1", ";",
	} {
		e.refused(415, "UnsupportedMediaTypeError", "PATCH", sessions+"/s", `{"user_memory":{}}`, "Content-Type", kind)
	}
	e.refused(415, "UnsupportedMediaTypeError", "PATCH", sessions+"/s", `{"user_memory":{}}`, "Content-Encoding",
		"gzip")
	e.call(200, "PATCH", sessions+"/s", `{"user_memory":{}}`, "Content-Type", "Application/JSON; charset=UTF-8")
}

func patchesTooLarge(e *env) {
	e.created(seshat.NewSession{ID: "s", UserMemory: map[string]any{"a": strings.Repeat("x", 40<<10)}})
	e.call(200, "GET", sessions+"/s", "")
	more := `{"user_memory":{"b":"` + strings.Repeat("x", 40<<10) + `"}}`
	o := e.refused(422, "ValidationError", "PATCH", sessions+"/s", more, "Content-Type", mergeType)
	e.is(o, "user_memory.b", "error", "details", "fields", 0, "field")
	e.call(200, "PATCH", sessions+"/s", more)
	huge := strings.Repeat("x", 16*seshat.MaxDocumentBytes)
	e.invalid("PATCH", sessions+"/s", `{"user_memory":{"b":"`+huge+`"}}`, "user_memory")
}
