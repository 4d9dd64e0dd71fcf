package storetest

import (
	"fmt"
	"slices"

	"github.com/seshatdb/seshat"
)

var isolation = []promise{
	{name: "a foreign id is an absent id", test: foreignIsAbsent},
	{name: "one id in two tenants is two sessions", test: sameIDTwice},
	{name: "no name is a prefix of another's data", test: noPrefixes},
	{name: "no user is a prefix of another's sessions", test: noUserPrefixes},
	{name: "one name in two organizations is two namespaces", test: sameNameTwice},
	{name: "an organization does not resolve another's namespace", test: foreignNamespace},
}

// foreignIsAbsent compares the errors of each call before and after another
// tenant creates a session of the same id.
func foreignIsAbsent(e *env) {
	mine := e.tenant("mine")
	other := e.tenant("other")
	errs := func() map[string]string {
		m := map[string]string{}
		for name, call := range onSession {
			m[name] = fmt.Sprint(call(e.ctx, mine, "s"))
		}
		return m
	}
	absent := errs()
	before := e.create(other, seshat.NewSession{ID: "s", UserID: "mia"})
	for name, got := range errs() {
		equal(e, name+" of a foreign id", got, absent[name])
	}
	e.isGone(mine, "s")
	equal(e, "version of the other's session", e.get(other, "s").Version, before.Version)
	equal(e, "what mine lists", len(e.ids(mine, seshat.Query{})), 0)
	equal(e, "what mine counts", e.count(mine, seshat.Query{UserID: "mia"}), 0)
}

func sameIDTwice(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s", UserID: "of a"})
	e.create(b, seshat.NewSession{ID: "s", UserID: "of b"})
	e.update(a, "s", func(s *seshat.Session) { s.Name = "changed" })
	if _, err := a.Delete(e.ctx, "s"); err != nil {
		e.Fatal(err)
	}
	e.isGone(a, "s")
	s := e.get(b, "s")
	equal(e, "user", s.UserID, "of b")
	equal(e, "name", s.Name, "")
	equal(e, "namespace", s.NamespaceID, b.ID())
}

// tangled are names that a careless encoding of keys turns into prefixes,
// separators or other names.
var tangled = []string{
	"a", "ab", "abc", "a/b", "a/", "/a", "a b", "a:b", "a\u00a0", "a%", "a_", "ä", "a\u0308",
	"A", "\U0010ffff", "\U0010ffff\U0010ffff", "日本", "ns_", "ses_", "..", "0", "00",
}

// noPrefixes creates sessions of all tangled ids in each of many tangled
// tenants.
func noPrefixes(e *env) {
	names := tangled[:12]
	var all []*seshat.Tenant
	for _, name := range names {
		t := e.tenant(name)
		all = append(all, t)
		for _, id := range names {
			e.create(t, seshat.NewSession{ID: id, UserID: name})
		}
	}
	want := slices.Sorted(slices.Values(names))
	for i, t := range all {
		for s, err := range t.Sessions(e.ctx, seshat.Query{Limit: 5}) {
			e.must(err)
			equal(e, "user of a session of "+names[i], s.UserID, names[i])
		}
		equal(e, "ids", fmt.Sprint(slices.Sorted(slices.Values(e.ids(t, seshat.Query{})))), fmt.Sprint(want))
		if i%2 == 0 {
			e.must(second(t.DeleteNamespace(e.ctx)))
		}
	}
	for i, t := range all {
		if i%2 == 1 {
			equal(e, "sessions left in "+names[i], e.count(t, seshat.Query{}), uint64(len(names)))
		}
	}
}

func noUserPrefixes(e *env) {
	t := e.tenant("t")
	for i, user := range tangled {
		for n := range i%3 + 1 {
			e.create(t, seshat.NewSession{UserID: user, ID: fmt.Sprintf("%s-%d", user, n)})
		}
	}
	for i, user := range tangled {
		for s, err := range t.Sessions(e.ctx, seshat.Query{UserID: user}) {
			e.must(err)
			equal(e, "user", s.UserID, user)
		}
		equal(e, "sessions of "+user, e.count(t, seshat.Query{UserID: user}), uint64(i%3+1))
	}
	if _, err := t.DeleteUser(e.ctx, "a"); err != nil {
		e.Fatal(err)
	}
	for i, user := range tangled[1:] {
		equal(e, "sessions of "+user, e.count(t, seshat.Query{UserID: user}), uint64((i+1)%3+1))
	}
}

func sameNameTwice(e *env) {
	one, err := e.CreateTenant(e.ctx, seshat.Namespace{Name: "app", OrganizationID: "int_1"})
	e.must(err)
	two, err := e.CreateTenant(e.ctx, seshat.Namespace{Name: "app", OrganizationID: "int_2"})
	e.must(err)
	if one.ID() == two.ID() {
		e.Fatal("two organizations share a namespace")
	}
	s := e.create(one, seshat.NewSession{ID: "s"})
	equal(e, "organization", s.OrganizationID, "int_1")
	e.isGone(two, "s")
}

func foreignNamespace(e *env) {
	t, err := e.CreateTenant(e.ctx, seshat.Namespace{Name: "app", OrganizationID: "int_1"})
	e.must(err)
	for _, ref := range []seshat.Namespace{
		{ID: t.ID(), OrganizationID: "int_2"},
		{ID: t.ID()},
		{Name: t.ID(), OrganizationID: "int_2"},
		{Name: "app", OrganizationID: "int_2"},
		{Name: "app"},
		{Name: "ap", OrganizationID: "int_1"},
	} {
		_, err := e.Tenant(e.ctx, ref)
		e.isError(err, seshat.ErrNotFound)
	}
	for n, err := range e.Namespaces(e.ctx, "int_2") {
		e.Fatalf("the other organization lists %v, %v", n, err)
	}
}
