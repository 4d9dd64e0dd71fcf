package adktest

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/adk/v2/session"
)

var names = []Case{
	{Group: "names", Name: "users and sessions whose names run together stay apart", test: namesApart},
	{Group: "names", Name: "any string is a name", test: namesAny},
	{Group: "names", Name: "apps stay apart", test: namesApps},
	{Group: "names", Name: "an empty name is refused in ADK's words", test: namesEmpty},
	{Group: "names", Name: "a second session of a name is refused in ADK's words", test: namesTaken},
	{Group: "names", Name: "reading what is not there makes nothing", test: namesRead},
}

// pairs are users and sessions that a careless encoding of keys confuses.
var pairs = [][2]string{
	{"a", "bc"},
	{"ab", "c"},
	{"a/b", "c"},
	{"a", "b/c"},
	{"a\x00b", "c"},
	{"a", "\x00bc"},
	{"a:b", "c"},
	{"a", "b:c"},
	{"a.b", "c"},
	{"a", ".b.c"},
	{"1", "1"},
	{"11", ":"},
	{"a%00", "bc"},
	{"A", "bc"},
	{"a ", "bc"},
	{"../a", ".."},
}

func namesApart(e *env) {
	var want []string
	for i, p := range pairs {
		s := e.create(p[0], p[1], map[string]any{"i": fmt.Sprint(i), "user:" + fmt.Sprint(i): true})
		e.append(s, said(fmt.Sprint(i), i))
		want = append(want, p[0]+"/"+p[1])
	}
	for i, p := range pairs {
		s := e.get(p[0], p[1])
		if s.UserID() != p[0] || s.ID() != p[1] || stateOf(s)["i"] != fmt.Sprint(i) ||
			!slices.Equal(ids(s), []string{fmt.Sprint(i)}) {
			e.Fatalf("%q of %q: got %q of %q with events %v", p[1], p[0], s.ID(), s.UserID(), ids(s))
		}
	}
	slices.Sort(want)
	if got := e.list(""); !slices.Equal(got, want) {
		e.Fatalf("listed %q, want %q", got, want)
	}
	for _, p := range pairs {
		own := slices.DeleteFunc(slices.Clone(pairs), func(q [2]string) bool { return q[0] != p[0] })
		if got := e.list(p[0]); len(got) != len(own) {
			e.Fatalf("user %q has %q listed, want %d", p[0], got, len(own))
		}
	}
}

func namesAny(e *env) {
	for _, name := range []string{
		" ", ".", "/", "~", "~e", "~h", "é", "日本語", "👩‍🚀", "a\nb", "a\x7fb", "\x00", "%", "_", "'; --",
		strings.Repeat("long", 60),
	} {
		s := e.create(name, name, nil)
		e.append(s, said("e", 0))
		if s = e.get(name, name); s.ID() != name || s.UserID() != name || s.Events().Len() != 1 {
			e.Fatalf("%q: got %q of %q with %d events", name, s.ID(), s.UserID(), s.Events().Len())
		}
		if got := e.list(name); !slices.Equal(got, []string{name + "/" + name}) {
			e.Fatalf("%q: listed %q", name, got)
		}
	}
}

func namesApps(e *env) {
	apps := []string{"app", "app2", "ap", "app/", "app\x00", "ns_01ARZ3NDEKTSV4RRFFQ69G5FAV", strings.Repeat("a", 200)}
	for _, name := range apps {
		_, err := e.s.Create(e.ctx, &session.CreateRequest{
			AppName: name, UserID: "u", SessionID: "s", State: map[string]any{"app:name": name},
		})
		e.must(err)
	}
	for _, name := range apps {
		r, err := e.s.List(e.ctx, &session.ListRequest{AppName: name})
		e.must(err)
		if len(r.Sessions) != 1 || r.Sessions[0].AppName() != name || stateOf(r.Sessions[0])["app:name"] != name {
			e.Fatalf("app %q: got %d sessions", name, len(r.Sessions))
		}
	}
}

func namesEmpty(e *env) {
	for _, p := range [][2]string{{"", "u"}, {app, ""}} {
		_, err := e.s.Create(e.ctx, &session.CreateRequest{AppName: p[0], UserID: p[1]})
		const want = "app_name and user_id are required"
		if err == nil || !strings.Contains(err.Error(), want) {
			e.Fatalf("create: got error %v, want %q", err, want)
		}
	}
	for _, p := range [][3]string{{"", "u", "s"}, {app, "", "s"}, {app, "u", ""}} {
		_, err := e.s.Get(e.ctx, &session.GetRequest{AppName: p[0], UserID: p[1], SessionID: p[2]})
		if err == nil || !strings.Contains(err.Error(), "are required") {
			e.Fatalf("get of %q: got error %v", p, err)
		}
		err = e.s.Delete(e.ctx, &session.DeleteRequest{AppName: p[0], UserID: p[1], SessionID: p[2]})
		if err == nil || !strings.Contains(err.Error(), "are required") {
			e.Fatalf("delete of %q: got error %v", p, err)
		}
	}
	if _, err := e.s.List(e.ctx, &session.ListRequest{}); err == nil {
		e.Fatal("list without an app: no error")
	}
}

func namesTaken(e *env) {
	e.append(e.create("u", "s", map[string]any{"k": "first"}), said("a", 0))
	_, err := e.s.Create(e.ctx, &session.CreateRequest{
		AppName: app, UserID: "u", SessionID: "s",
		State: map[string]any{"k": "second", "user:k": "second", "app:k": "second"},
	})
	if err == nil || !strings.Contains(err.Error(), "already exists") {
		e.Fatalf("got error %v, want one that says: already exists", err)
	}
	s := e.get("u", "s")
	if got := stateOf(s); len(got) != 1 || got["k"] != "first" || s.Events().Len() != 1 {
		e.Fatalf("the refused call changed the session: state %v, %d events", got, s.Events().Len())
	}
}

func namesRead(e *env) {
	if _, err := e.find("u", "s"); err == nil {
		e.Fatal("got a session that was never created")
	}
	e.delete("s")
	if got := e.list(""); len(got) != 0 {
		e.Fatalf("listed %q", got)
	}
}
