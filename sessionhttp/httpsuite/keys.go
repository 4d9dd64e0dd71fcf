package httpsuite

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp"
)

// everyRoute has one request for each route that needs a key. Each succeeds for
// a session s with a message.
var everyRoute = []struct {
	method, path, body string
	write              bool
}{
	{"POST", sessions, newBody, true},
	{"POST", list, "{}", false},
	{"GET", sessions + "/s", "", false},
	{"PATCH", sessions + "/s", `{"user_memory":{}}`, true},
	{"GET", sessions + "/s/history", "", false},
	{"POST", sessions + "/s/messages", oneMessage, true},
	{"POST", sessions + "/s/fork", "{}", true},
	{"POST", sessions + "/s/transition", `{"status":"idle"}`, true},
	{"DELETE", sessions + "/s", "", true},
	{"DELETE", sessions + "/s?purge=true", "", true},
	{"DELETE", "/v1/agents/users/mia", "", true},
	{"GET", sessions + "/watch", "", false},
}

var keys = map[string]func(*env){
	"no key, a wrong one, and a revoked one are 401": keysRefused,
	"a key that may only read is 403 on writes":      keysReadOnly,
	"every route that needs a key is asked":          keysEverywhere,
	"a foreign namespace is like an absent one":      keysForeign,
	"a key for some namespaces opens only these":     keysOfSome,
	"a key expires":                                   keysExpire,
	"the host's own way":                              keysOwn,
	"the namespace has to be named":                   keysNamespace,
	"a read-only key is told before what it asks for": keysTold,
}

func keysRefused(e *env) {
	e.create("s")
	k, revoked, err := e.store.CreateAPIKey(e.ctx, seshat.APIKey{})
	e.must(err)
	e.call(200, "GET", sessions+"/s", "", "Authorization", "bearer   "+revoked)
	e.must(e.store.RevokeAPIKey(e.ctx, k.ID))
	for _, given := range []string{
		absent, "", "Bearer", "Bearer ", "Basic " + e.secret, e.secret, "Bearer " + e.secret + "x",
		"Bearer " + e.secret[:len(e.secret)-1],
		"Bearer " + strings.ToLower(e.secret), "Bearer sk__", "Bearer " + e.secret + " " + e.secret,
		"Bearer " + revoked,
	} {
		for _, r := range everyRoute {
			e.refused(401, "AuthenticationError", r.method, r.path, r.body, "Authorization", given)
			if !strings.HasPrefix(e.last.Header().Get("Www-Authenticate"), "Bearer") {
				e.Fatal("no WWW-Authenticate")
			}
		}
	}
	if e.get("s").Version != 1 {
		e.Fatal("the session changed")
	}
}

// keysEverywhere holds everyRoute against the description.
func keysEverywhere(e *env) {
	var description struct {
		Paths map[string]map[string]any
	}
	e.must(json.Unmarshal(sessionhttp.OpenAPI, &description))
	asked := map[string]bool{}
	for _, r := range everyRoute {
		e.refused(401, "AuthenticationError", r.method, r.path, r.body, "Authorization", absent)
		asked[r.method+" "+e.route] = true
	}
	for path, item := range description.Paths {
		for method, operation := range item {
			o, described := operation.(map[string]any)
			_, open := o["security"]
			if name := strings.ToUpper(method) + " " + path; described && !open && !asked[name] {
				e.Errorf("%s is not in everyRoute", name)
			}
		}
	}
}

func keysReadOnly(e *env) {
	e.create("s")
	e.secret = e.key(seshat.APIKey{ReadOnly: true})
	e.onlyReads()
}

// onlyReads expects that every route that reads is answered, and every one that
// writes is refused. A watch is left out, as it does not end.
func (e *env) onlyReads() {
	e.Helper()
	for _, r := range everyRoute {
		switch {
		case r.write:
			e.refused(403, "PermissionError", r.method, r.path, r.body)
		case !strings.HasSuffix(r.path, "/watch"):
			e.call(200, r.method, r.path, r.body)
		}
	}
}

func keysForeign(e *env) {
	e.create("s")
	foreign := e.namespace(seshat.Namespace{OrganizationID: "int_other", Name: "theirs"})
	e.must(second(foreign.Create(e.ctx, seshat.NewSession{ID: "s"})))
	for _, name := range []string{"theirs", foreign.ID(), "absent", "ns_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
		for _, r := range everyRoute {
			o := e.refused(404, "NotFoundError", r.method, r.path, r.body, "X-Namespace", name)
			e.is(o, "namespace", "error", "details", "resource")
			e.is(o, name, "error", "details", "id")
		}
	}
}

func keysOfSome(e *env) {
	e.create("s")
	other := e.namespace(seshat.Namespace{Name: "other"})
	third := e.namespace(seshat.Namespace{Name: "third"})
	e.secret = e.key(seshat.APIKey{Namespaces: []string{other.ID(), e.acme.ID()}})
	for _, name := range []string{"acme", e.acme.ID()} {
		e.call(200, "GET", sessions+"/s", "", "X-Namespace", name)
	}
	for _, name := range []string{"third", third.ID(), "absent"} {
		e.refused(404, "NotFoundError", "POST", list, "", "X-Namespace", name)
	}
	e.must(second(other.DeleteNamespace(e.ctx)))
	e.call(200, "GET", sessions+"/s", "")
	e.refused(404, "NotFoundError", "POST", list, "", "X-Namespace", "other")
}

func keysExpire(e *env) {
	e.create("s")
	e.secret = e.key(seshat.APIKey{ExpiresAt: e.store.Clock.Now().Add(time.Hour)})
	e.store.Clock.Advance(time.Hour - time.Millisecond)
	e.call(200, "GET", sessions+"/s", "")
	e.store.Clock.Advance(time.Millisecond)
	e.refused(401, "AuthenticationError", "GET", sessions+"/s", "")
}

func keysOwn(e *env) {
	e.create("s")
	broken := errors.New("the directory is down: secret-detail")
	e.rebuild(func(o *sessionhttp.Options) {
		o.Authenticate = func(r *http.Request) (sessionhttp.Grant, error) {
			switch r.Header.Get("X-Own") {
			case "good":
				return sessionhttp.Grant{}, nil
			case "broken":
				return sessionhttp.Grant{}, broken
			}
			return sessionhttp.Grant{}, sessionhttp.ErrUnauthenticated
		}
	})
	e.call(200, "GET", sessions+"/s", "", "X-Own", "good", "Authorization", absent)
	e.refused(401, "AuthenticationError", "GET", sessions+"/s", "", "X-Own", "bad")
	e.refused(500, "InternalError", "GET", sessions+"/s", "", "X-Own", "broken")
	if strings.Contains(e.last.Body.String(), "secret-detail") {
		e.Fatal("the answer tells what went wrong inside")
	}
}

func keysNamespace(e *env) {
	for _, name := range []string{absent, "", "\xff", "a\u0085b"} {
		e.refused(400, "BadRequestError", "POST", list, "", "X-Namespace", name)
	}
	e.refused(431, "HeaderTooLargeError", "POST", list, "", "X-Namespace", strings.Repeat("x", seshat.MaxNameBytes+1))
}

func keysTold(e *env) {
	e.secret = e.key(seshat.APIKey{ReadOnly: true})
	e.refused(403, "PermissionError", "DELETE", sessions+"/absent", "", "X-Namespace", "absent")
}
