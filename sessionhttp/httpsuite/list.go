package httpsuite

import (
	"fmt"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

const list = sessions + "/list"

var lists = map[string]func(*env){
	"pages through all, newest first": listsAll,
	"a full last page has no next one": func(e *env) {
		e.fill(4)
		o := e.call(200, "POST", list+"?limit=2", "")
		o = e.call(200, "POST", list+"?limit=2&cursor="+o.at("pagination", "next_cursor").(string), "")
		e.is(o, "s1", "results", 1, "session_id")
		e.is(o, nil, "pagination", "next_cursor")
		e.is(o, false, "pagination", "has_more")
	},
	"skips an offset": func(e *env) {
		e.fill(5)
		o := e.call(200, "POST", list+"?offset=2&limit=2", "{}")
		e.is(o, "s3", "results", 0, "session_id")
		e.is(o, true, "pagination", "has_more")
		e.is(e.call(200, "POST", list+"?limit=2&cursor="+o.at("pagination", "next_cursor").(string), ""), "s1",
			"results", 0, "session_id")
		o = e.call(200, "POST", list+"?offset=10&include_total=true", "{}")
		e.keysAre(o, "results", "total", "pagination")
		e.is(o, nil, "results", 0)
		e.is(o, 5.0, "total")
	},
	"sorts and filters":                    listsFiltered,
	"a session shows as GET shows it":      listsAsGet,
	"an empty list is empty":               listsNothing,
	"names what is not allowed":            listsRefused,
	"a cursor of another query is refused": listsOtherCursor,
	"a namespace that was deleted is 404": func(e *env) {
		e.must(second(e.acme.DeleteNamespace(e.ctx)))
		o := e.refused(404, "NotFoundError", "POST", list, "")
		e.is(o, "namespace", "error", "details", "resource")
	},
}

// fill creates sessions s1, s2, …, one minute apart.
func (e *env) fill(n int) {
	e.Helper()
	for i := 1; i <= n; i++ {
		e.created(seshat.NewSession{
			ID: fmt.Sprint("s", i), UserID: fmt.Sprint("u", i%2),
			Labels: map[string]string{"third": fmt.Sprint(i%3 == 0)},
		})
		e.store.Clock.Advance(time.Minute)
	}
}

func listsAll(e *env) {
	e.fill(5)
	var got []string
	for cursor := ""; ; {
		o := e.call(200, "POST", list+"?limit=2&cursor="+cursor, "{}")
		e.is(o, nil, "total")
		e.is(o, 2.0, "pagination", "limit")
		for _, s := range o.at("results").([]any) {
			got = append(got, s.(map[string]any)["session_id"].(string))
		}
		if o.at("pagination", "has_more") == false {
			e.is(o, nil, "pagination", "next_cursor")
			break
		}
		cursor = o.at("pagination", "next_cursor").(string)
	}
	if want := "s5 s4 s3 s2 s1"; strings.Join(got, " ") != want {
		e.Fatalf("got %v, want %s", got, want)
	}
}

func listsFiltered(e *env) {
	e.fill(6)
	e.must(second(e.acme.Transition(e.ctx, "s2", seshat.StatusArchived, seshat.TransitionOptions{})))
	e.must(second(e.acme.Transition(e.ctx, "s3", seshat.StatusTerminated, seshat.TransitionOptions{})))
	e.say("s1", 1)
	for body, want := range map[string]string{
		`{"sort":{"direction":"asc"}}`:                                               "s1 s2 s3 s4 s5 s6",
		`{"sort":{"field":"last_activity_at"}}`:                                      "s1 s6 s5 s4 s3 s2",
		`{"sort":{"field":"created_at","direction":"desc"}}`:                         "s6 s5 s4 s3 s2 s1",
		`{"status":"archived"}`:                                                      "s2",
		`{"status":["archived","terminated"]}`:                                       "s3 s2",
		`{"status":null,"filters":null,"sort":null}`:                                 "s6 s5 s4 s3 s2 s1",
		`{"filters":{"user_id":"u1"}}`:                                               "s5 s3 s1",
		`{"filters":{"labels":{"third":"true"}}}`:                                    "s6 s3",
		`{"filters":{"user_id":"u1","labels":{"third":"true"}}}`:                     "s3",
		`{"filters":{"created_at":{"from":"2026-01-05T00:04:00Z"}}}`:                 "s6 s5",
		`{"filters":{"created_at":{"to":"2026-01-05T01:01:00+01:00"}}}`:              "s1",
		`{"filters":{"last_activity_at":{"from":"2026-01-05T00:05:00Z","to":null}}}`: "s6 s1",
	} {
		o := e.call(200, "POST", list+"?include_total=true", body)
		var got []string
		for _, s := range o.at("results").([]any) {
			got = append(got, s.(map[string]any)["session_id"].(string))
		}
		if strings.Join(got, " ") != want {
			e.Errorf("%s: got %v, want %s", body, got, want)
		}
		e.is(o, float64(len(got)), "total")
	}
}

func listsAsGet(e *env) {
	e.fill(1)
	one := e.call(200, "GET", sessions+"/s1", "")
	page := e.call(200, "POST", list, "")
	if fmt.Sprint(page.at("results", 0)) != fmt.Sprint(map[string]any(one)) {
		e.Fatalf("%v is not %v", page.at("results", 0), one)
	}
}

func listsNothing(e *env) {
	o := e.call(200, "POST", list+"?include_total=true", "")
	e.keysAre(o, "results", "total", "pagination")
	e.keysAre(o.at("pagination"), "limit", "next_cursor", "has_more")
	e.is(o, 0.0, "total")
	e.is(o, 50.0, "pagination", "limit")
	if e.last.Body.String() == "" || !strings.HasPrefix(e.last.Body.String(), `{"results":[]`) {
		e.Fatalf("no empty list: %s", e.last.Body)
	}
}

func listsRefused(e *env) {
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=1001": "limit", "limit=x": "limit", "limit=": "limit", "limit=%2B1": "limit",
		"offset=-1": "offset", "offset=10001": "offset", "include_total=1": "include_total", "cursor=x": "cursor",
		"cursor=AAAA&offset=1": "offset",
	} {
		e.invalid("POST", list+"?"+query, "", field)
	}
	for body, field := range map[string]string{
		`{"status":"gone"}`: "status", `{"status":3}`: "status", `{"status":[""]}`: "status[0]", `{"x":1}`: "x",
		`{"filters":{"user":"u"}}`: "filters.user", `{"filters":[]}`: "filters",
		`{"sort":{"field":"name"}}`:                       "sort.field",
		`{"sort":{"direction":"up"}}`:                     "sort.direction",
		`{"filters":{"created_at":{"from":"yesterday"}}}`: "filters.created_at.from",
		`{"filters":{"created_at":{"after":"x"}}}`:        "filters.created_at.after",
		`{"filters":{"labels":{"a":1}}}`:                  "filters.labels.a",
	} {
		e.invalid("POST", list, body, field)
	}
	e.refused(400, "BadRequestError", "POST", list+"?Limit=1", "")
	e.refused(400, "BadRequestError", "POST", list+"?limit=1&limit=1", "")
	e.refused(400, "BadRequestError", "POST", list+"?limit=%zz", "")
	e.refused(400, "BadRequestError", "POST", list+"?limit=1;offset=1", "")
	e.refused(400, "BadRequestError", "POST", list+"?cursor=%ff", "")
	e.refused(414, "URITooLongError", "POST", list+"?cursor="+strings.Repeat("x", 5000), "")
}

func listsOtherCursor(e *env) {
	e.fill(3)
	cursor := e.call(200, "POST", list+"?limit=1", "").at("pagination", "next_cursor").(string)
	e.invalid("POST", list+"?cursor="+cursor, `{"status":"active"}`, "cursor")
	e.namespace(seshat.Namespace{Name: "other"})
	e.refused(422, "ValidationError", "POST", list+"?cursor="+cursor, "", "X-Namespace", "other")
}
