package httpsuite

import (
	"errors"
	"time"

	"github.com/seshatdb/seshat"
)

var endings = map[string]func(*env){
	"terminates, also twice": func(e *env) {
		e.create("s")
		e.store.Clock.Advance(time.Second)
		for range 2 {
			o := e.call(200, "DELETE", sessions+"/s", "")
			e.keysAre(o, "session_id", "status", "terminated_at")
			e.is(o, "terminated", "status")
			e.is(o, "2026-01-05T00:00:01.000Z", "terminated_at")
			e.store.Clock.Advance(time.Second)
		}
		e.is(e.call(200, "GET", sessions+"/s", ""), "terminated", "status")
	},
	"purge erases": func(e *env) {
		e.create("s")
		e.say("s", 3)
		o := e.call(200, "DELETE", sessions+"/s?purge=true", "")
		e.keysAre(o, "session_id", "erased")
		e.is(o, 3.0, "erased", "messages")
		e.refused(404, "NotFoundError", "GET", sessions+"/s", "")
		e.refused(404, "NotFoundError", "DELETE", sessions+"/s?purge=true", "")
	},
	"purge of a terminated session, and purge=false": func(e *env) {
		e.create("s")
		e.call(200, "DELETE", sessions+"/s?purge=false", "")
		e.call(200, "DELETE", sessions+"/s?purge=true", "")
		if _, err := e.acme.Get(e.ctx, "s"); !errors.Is(err, seshat.ErrNotFound) {
			e.Fatal(err)
		}
	},
	"heeds If-Match, but not with purge": func(e *env) {
		e.create("s")
		e.refused(412, "PreconditionFailedError", "DELETE", sessions+"/s", "", "If-Match", `"2"`)
		e.refused(400, "BadRequestError", "DELETE", sessions+"/s?purge=true", "", "If-Match", `"1"`)
		if e.get("s").Status != seshat.StatusActive {
			e.Fatal("the session changed")
		}
		e.call(200, "DELETE", sessions+"/s", "", "If-Match", `"1"`)
	},
	"refuses what it does not know": func(e *env) {
		e.create("s")
		e.invalid("DELETE", sessions+"/s?purge=yes", "", "purge")
		e.refused(400, "BadRequestError", "DELETE", sessions+"/s?erase=true", "")
		e.refused(400, "BadRequestError", "DELETE", sessions+"/s", "{}")
		if e.get("s").Status != seshat.StatusActive {
			e.Fatal("the session changed")
		}
	},
}

var transitions = map[string]func(*env){
	"follows the table": func(e *env) {
		e.create("s")
		for _, to := range []string{"idle", "active", "active", "archived", "active", "terminated"} {
			o := e.call(200, "POST", sessions+"/s/transition", `{"status":"`+to+`","reason":"because","actor":"mia"}`)
			e.keysAre(o, "session_id", "status", "updated_at", "expires_at", "terminated_at")
			e.is(o, to, "status")
		}
		if m := e.get("s").LastTransition; m.Reason != "because" || m.Actor != "mia" {
			e.Fatalf("got %+v", m)
		}
	},
	"an illegal move is a conflict that names the legal ones": func(e *env) {
		e.create("s")
		e.call(200, "POST", sessions+"/s/transition", `{"status":"archived"}`)
		o := e.refused(409, "ConflictError", "POST", sessions+"/s/transition", `{"status":"idle"}`)
		e.is(o, "transition", "error", "details", "reason")
		e.is(o, "archived", "error", "details", "from")
		e.is(o, "idle", "error", "details", "to")
		e.is(o, "active", "error", "details", "allowed", 0)
		if e.get("s").Status != seshat.StatusArchived {
			e.Fatal("the session changed")
		}
	},
	"heeds If-Match": func(e *env) {
		e.create("s")
		e.refused(412, "PreconditionFailedError", "POST", sessions+"/s/transition", `{"status":"idle"}`, "If-Match",
			`"7"`)
		e.call(200, "POST", sessions+"/s/transition", `{"status":"idle"}`, "If-Match", `"1"`)
	},
	"names what is not allowed": func(e *env) {
		e.create("s")
		e.invalid("POST", sessions+"/s/transition", `{}`, "status")
		e.invalid("POST", sessions+"/s/transition", `{"status":""}`, "status")
		e.invalid("POST", sessions+"/s/transition", `{"status":"gone","actor":3,"why":1}`, "status", "actor", "why")
		e.invalid("POST", sessions+"/s/transition", `{"status":"idle","reason":"\u0007"}`, "reason")
	},
}

var forks = map[string]func(*env){
	"copies up to a message": func(e *env) {
		e.create("s")
		e.say("s", 3)
		o := e.call(201, "POST", sessions+"/s/fork", `{"session_id":"t","seq":2}`)
		e.keysAre(o, "session_id", "namespace_id", "internal_id", "session_name", "status", "created_at",
			"expires_at", "parent")
		e.is(o, "s", "parent", "session_id")
		e.is(o, 2.0, "parent", "seq")
		e.is(e.call(200, "GET", sessions+"/t", ""), 2.0, "message_count")
		e.is(e.call(200, "GET", sessions+"/s", ""), 3.0, "message_count")
	},
	"needs no body": func(e *env) {
		e.create("s")
		e.say("s", 3)
		o := e.call(201, "POST", sessions+"/s/fork", "")
		e.is(o, 3.0, "parent", "seq")
		e.call(201, "POST", sessions+"/s/fork", "{}")
	},
	"refuses a taken id, and numbers that are not there": func(e *env) {
		e.create("s")
		e.create("t")
		e.is(e.refused(409, "ConflictError", "POST", sessions+"/s/fork", `{"session_id":"t"}`), "t", "error",
			"details", "id")
		e.invalid("POST", sessions+"/s/fork", `{"seq":1}`, "seq")
		e.invalid("POST", sessions+"/s/fork", `{"seq":0,"id":"x"}`, "seq", "id")
	},
}

var users = map[string]func(*env){
	"erases all that a user has, and nothing else": func(e *env) {
		for _, id := range []string{"a", "b"} {
			e.created(seshat.NewSession{ID: id, UserID: "mia/1"})
			e.say(id, 2)
		}
		e.created(seshat.NewSession{ID: "c", UserID: "mia"})
		o := e.call(200, "DELETE", "/v1/agents/users/mia%2F1", "")
		e.keysAre(o, "user_id", "erased")
		e.is(o, "mia/1", "user_id")
		e.is(o, 2.0, "erased", "sessions")
		e.is(o, 4.0, "erased", "messages")
		e.refused(404, "NotFoundError", "GET", sessions+"/a", "")
		e.call(200, "GET", sessions+"/c", "")
	},
	"a user without anything is no error": func(e *env) {
		e.is(e.call(200, "DELETE", "/v1/agents/users/nobody", ""), 0.0, "erased", "sessions")
	},
	"a user of another namespace stays": func(e *env) {
		other := e.namespace(seshat.Namespace{Name: "other"})
		e.must(second(other.Create(e.ctx, seshat.NewSession{ID: "x", UserID: "mia"})))
		e.call(200, "DELETE", "/v1/agents/users/mia", "")
		e.must(second(other.Get(e.ctx, "x")))
	},
	"an id that no user can have is invalid": func(e *env) {
		e.invalid("DELETE", "/v1/agents/users/%0A", "", "user_id")
	},
}
