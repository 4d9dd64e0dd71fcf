package httpsuite

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp"
)

var openRoutes = map[string]func(*env){
	"need no key": func(e *env) {
		for _, path := range []string{"/healthz", "/readyz", "/openapi.json"} {
			e.call(200, "GET", path, "", "Authorization", absent, "X-Namespace", absent)
			e.call(200, "HEAD", path, "", "Authorization", absent, "X-Namespace", absent)
			e.refused(400, "BadRequestError", "GET", path+"?x=1", "")
			e.refused(405, "MethodNotAllowedError", "POST", path, "")
			if got := e.last.Header().Get("Allow"); got != "GET, HEAD" {
				e.Fatalf("Allow is %q", got)
			}
		}
	},
	"the description is the one that is exported": func(e *env) {
		e.call(200, "GET", "/openapi.json", "")
		if e.last.Body.String() != string(sessionhttp.OpenAPI) || !json.Valid(sessionhttp.OpenAPI) {
			e.Fatal("it is another")
		}
	},
	"a closed store is not ready, but alive": func(e *env) {
		e.must(e.store.Close())
		e.call(200, "GET", "/healthz", "")
		e.refused(503, "UnavailableError", "GET", "/readyz", "")
		if e.last.Header().Get("Retry-After") == "" {
			e.Fatal("no Retry-After")
		}
		for _, r := range everyRoute {
			e.refused(503, "UnavailableError", r.method, r.path, r.body)
		}
	},
}

var refusals = map[string]func(*env){
	"JSON that can be read in two ways":  refusesJSON,
	"bodies that are too large":          refusesLarge,
	"bodies where none belong":           refusesBodies,
	"other content types":                refusesTypes,
	"headers given twice or too long":    refusesHeaders,
	"preconditions without a meaning":    refusesConditions,
	"queries that a route does not know": refusesQueries,
	"methods that a route does not take": refusesMethods,
	"a read-only store":                  refusesWrites,
	"a namespace without room":           refusesGrowth,
	"a canceled request": func(e *env) {
		e.create("s")
		ctx, cancel := context.WithCancel(e.ctx)
		cancel()
		r := e.request("GET", sessions+"/s", "").WithContext(ctx)
		e.isError(e.send(503, r, ""), 503, "UnavailableError")
	},
	"request ids come back if they are harmless": func(e *env) {
		for id, kept := range map[string]bool{
			"abc-1_2.Z": true, strings.Repeat("x", 65): false, "a b": false,
			"é": false, "": false,
		} {
			e.call(200, "GET", "/healthz", "", "X-Request-Id", id)
			if got := e.last.Header().Get("X-Request-Id"); (got == id) != kept {
				e.Fatalf("%q comes back as %q", id, got)
			}
		}
	},
}

func refusesJSON(e *env) {
	e.create("s")
	for _, body := range []string{
		`{`, `{}{}`, `[]`, `null`, `"x"`, `{"user_memory":{"a":1},"user_memory":{"a":2}}`,
		`{"user_memory":{"a":1,"a":2}}`,
		`{"user_memory":{"a":"\ud800"}}`, "{\"user_memory\":{\"a\":\"\xff\"}}",
		`{"user_memory":` + strings.Repeat("[", 70),
		`{"user_memory":NaN}`, `{user_memory:{}}`, `{"user_memory":{}} x`, `{"user_memory":01}`, " ",
	} {
		o := e.refused(400, "BadRequestError", "PATCH", sessions+"/s", body)
		if strings.Contains(o.at("error", "message").(string), "a\":") {
			e.Fatal("the answer holds content")
		}
	}
	o := e.refused(400, "BadRequestError", "PATCH", sessions+"/s", `{"user_memory":{"a":1,"a":2}}`)
	e.is(o, "user_memory.a", "error", "details", "field")
	if e.get("s").Version != 1 {
		e.Fatal("the session changed")
	}
}

func refusesLarge(e *env) {
	e.create("s")
	e.rebuild(func(o *sessionhttp.Options) { o.MaxBody = 100 })
	fits := `{"user_memory":{"a":"` + strings.Repeat("x", 76) + `"}}`
	e.call(200, "PATCH", sessions+"/s", fits)
	for _, r := range everyRoute {
		if r.body == "" {
			continue
		}
		large := r.body + strings.Repeat(" ", 101)
		o := e.refused(413, "PayloadTooLargeError", r.method, r.path, large)
		e.is(o, 100.0, "error", "details", "maximum")
		chunked := e.request(r.method, r.path, large)
		chunked.ContentLength = -1
		e.isError(e.send(413, chunked, large), 413, "PayloadTooLargeError")
	}
	if n := e.get("s").MessageCount; n != 0 {
		e.Fatal("something was appended")
	}
}

func refusesBodies(e *env) {
	e.create("s")
	for _, r := range everyRoute {
		if r.body == "" && r.method != "POST" {
			e.refused(400, "BadRequestError", r.method, r.path, "{}")
		}
	}
	empty := e.request("DELETE", sessions+"/s", "x")
	empty.ContentLength = -1
	empty.Body = http.NoBody
	e.send(200, empty, "")
}

func refusesTypes(e *env) {
	e.create("s")
	for _, r := range everyRoute {
		if r.body == "" {
			continue
		}
		for _, kind := range []string{absent, "text/plain", "application/x-www-form-urlencoded"} {
			e.refused(415, "UnsupportedMediaTypeError", r.method, r.path, r.body, "Content-Type", kind)
		}
		e.refused(415, "UnsupportedMediaTypeError", r.method, r.path, r.body, "Content-Encoding", "gzip")
	}
	e.refused(415, "UnsupportedMediaTypeError", "POST", sessions, newBody, "Content-Type", mergeType)
}

func refusesHeaders(e *env) {
	e.create("s")
	for name, value := range map[string]string{
		"Authorization": "Bearer " + e.secret, "X-Namespace": "acme", "Content-Type": "application/json",
		"Idempotency-Key": "k", "X-Request-Id": "r",
	} {
		r := e.request("POST", sessions+"/s/messages", oneMessage)
		r.Header[name] = []string{value, value}
		e.isError(e.send(400, r, oneMessage), 400, "BadRequestError")
	}
	for _, name := range []string{"Authorization", "X-Namespace", "Content-Type", "If-None-Match", "If-Match"} {
		e.refused(431, "HeaderTooLargeError", "GET", sessions+"/s", "", name, strings.Repeat("x", 5000))
	}
	if n := e.get("s").MessageCount; n != 0 {
		e.Fatal("something was appended")
	}
}

func refusesConditions(e *env) {
	e.create("s")
	for _, r := range everyRoute {
		if r.path == sessions || strings.Count(r.path, "/") > 4 && !strings.HasSuffix(r.path, "transition") ||
			r.path == list {
			e.refused(400, "BadRequestError", r.method, r.path, r.body, "If-Match", `"1"`)
		}
		if !strings.HasSuffix(r.path, "messages") {
			e.refused(400, "BadRequestError", r.method, r.path, r.body, "Idempotency-Key", "k")
		}
	}
}

func refusesQueries(e *env) {
	e.create("s")
	for _, r := range everyRoute {
		path, _, _ := strings.Cut(r.path, "?")
		e.refused(400, "BadRequestError", r.method, path+"?nonsense=1", r.body)
		e.refused(400, "BadRequestError", r.method, path+"?%", r.body)
	}
	if s := e.get("s"); s.Version != 1 || s.MessageCount != 0 {
		e.Fatal("the session changed")
	}
}

func refusesMethods(e *env) {
	for path, allow := range map[string]string{
		sessions: "POST", sessions + "/s": "GET, HEAD, PATCH, DELETE", sessions + "/s/history": "GET, HEAD",
		sessions + "/s/messages": "POST", "/v1/agents/users/u": "DELETE",
	} {
		for _, method := range []string{"PUT", "OPTIONS", "TRACE", "NONSENSE"} {
			e.refused(405, "MethodNotAllowedError", method, path, "")
			if got := e.last.Header().Get("Allow"); got != allow {
				e.Fatalf("%s: Allow is %q, want %q", path, got, allow)
			}
		}
	}
}

func refusesWrites(e *env) {
	e.create("s")
	// By hand: readOnly shares the engine of e.store, which the end of the test
	// checks and closes.
	readOnly, err := seshat.OpenDriver(keepOpen{e.store.Driver()},
		seshat.Options{ReadOnly: true, Now: e.store.Clock.Now})
	e.must(err)
	e.handler = sessionhttp.Handler(readOnly, e.options)
	e.onlyReads()
}

func refusesGrowth(e *env) {
	e.create("s")
	e.must(e.acme.SetQuotas(e.ctx, seshat.NamespaceQuotas{MaxBytes: 1}))
	for _, r := range []struct{ method, path, body string }{
		{"PATCH", sessions + "/s", `{"user_memory":{"a":"` + strings.Repeat("x", 100) + `"}}`},
		{"POST", sessions + "/s/messages", oneMessage},
		{"POST", sessions + "/s/fork", ""},
	} {
		o := e.refused(429, "QuotaExceededError", r.method, r.path, r.body)
		e.is(o, "namespace.max_bytes", "error", "details", "quota")
	}
	if e.get("s").Version != 1 {
		e.Fatal("the session changed")
	}
	// A full namespace lets its sessions change their status and be deleted.
	e.call(200, "POST", sessions+"/s/transition", `{"status":"idle"}`)
	e.call(200, "DELETE", sessions+"/s", "")
}

// adversarial are ids that paths, keys or JSON might mishandle.
var adversarial = []string{
	"a/b", "/", "//", "a//b", ".", "..", "../..", "./a", "a b", " ", "a%2Fb", "%", "%2F", "+", "a+b", "?", "a?b=c",
	"#", "a#b", "&", ";", "=",
	"watch", "list", "history", "s/history", "messages", "{session_id}", "*", "\\", "a\\..\\b", "ü", "日本語", "😀",
	"\u202e", "a\u00a0b",
	"'", "\"", "<script>", "null", "0", "~", ":", "@", "[", "s", "ss", strings.Repeat("x", 128),
	"ns_01ARZ3NDEKTSV4RRFFQ69G5FAV",
}

var paths = map[string]func(*env){
	"any id can be reached, and only it": func(e *env) {
		for _, id := range adversarial {
			body, err := json.Marshal(map[string]any{"session_id": id, "user_id": id, "agent_config": map[string]any{}})
			e.must(err)
			o := e.call(201, "POST", sessions, string(body))
			e.is(o, id, "session_id")
			at := e.last.Header().Get("Location")
			e.is(e.call(200, "GET", at, ""), id, "session_id")
			e.is(e.call(200, "GET", at+"/history", ""), id, "session_id")
			e.is(e.call(200, "PATCH", at, `{"user_memory":{}}`), id, "session_id")
			e.is(e.call(200, "DELETE", at, ""), id, "session_id")
		}
		for _, id := range adversarial {
			o := e.call(200, "DELETE", "/v1/agents/users/"+url.PathEscape(id), "")
			e.is(o, id, "user_id")
			e.is(o, 1.0, "erased", "sessions")
		}
	},
	"what is no route is 404, before any key": func(e *env) {
		for _, path := range []string{
			"/", "/v1", "/v1/agents", "/v1/agents/", "/v1/agents/sessions/", "/v1/agents/sessions//history",
			"/v1/agents/sessions/s/",
			"/v1/agents/sessions/s/history/", "/v1/agents/sessions/s/other", "/v1/agents/users", "/v1/agents/users/",
			"/v1/agents/users/u/",
			"/v1/agents/users/u/x", "/V1/agents/sessions", "//healthz", "/healthz/",
			"/v1/agents/sessions/{session_id}/x", "/v1//agents/sessions",
		} {
			o := e.refused(404, "NotFoundError", "GET", path, "", "Authorization", absent)
			e.is(o, "route", "error", "details", "resource")
		}
	},
	"dots are ids, not steps": func(e *env) {
		e.create("..")
		for _, path := range []string{sessions + "/..", sessions + "/%2e%2E", sessions + "/.%2e"} {
			e.is(e.call(200, "GET", path, ""), "..", "session_id")
		}
	},
}
