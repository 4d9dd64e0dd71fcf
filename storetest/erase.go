package storetest

import (
	"fmt"

	"github.com/seshatdb/seshat"
)

var erasure = []promise{
	{name: "deleting a user removes all that it has", test: deleteUser},
	{name: "deleting a user of many sessions", test: deleteBusyUser},
	{name: "deleting nobody is no error", test: deleteNobody},
	{name: "a user that comes back starts empty", test: userComesBack},
	{name: "deleting a namespace removes all of it", test: deleteNamespace},
	{name: "the name of a deleted namespace is free", test: freeName},
	{name: "a stale handle finds nothing and writes nothing", test: staleHandle},
	{name: "what was erased stays so after a reopen", test: erasedReopened},
	{name: "an erasure that was cut short is finished later", test: erasureResumed},
}

func deleteUser(e *env) {
	t := e.tenant("t")
	other := e.tenant("other")
	for i := range 10 {
		user := []string{"mia", "noa"}[i%2]
		id := fmt.Sprint(i)
		e.create(t, seshat.NewSession{ID: id, UserID: user})
		e.must(second(t.Append(e.ctx, id, seshat.Message{Role: seshat.RoleUser, Content: "hello"})))
		e.move(t, id, allStatuses[i%4])
	}
	e.create(t, seshat.NewSession{ID: "of nobody"})
	e.create(other, seshat.NewSession{ID: "0", UserID: "mia"})
	before, err := t.Usage(e.ctx)
	e.must(err)
	got, err := t.DeleteUser(e.ctx, "mia")
	e.must(err)
	after, err := t.Usage(e.ctx)
	e.must(err)
	equal(e, "erased", got, seshat.EraseReport{Sessions: 5, Messages: 5, Bytes: before.Bytes - after.Bytes})
	for i := range 10 {
		if i%2 == 0 {
			e.isGone(t, fmt.Sprint(i))
		} else {
			e.get(t, fmt.Sprint(i))
		}
	}
	equal(e, "counted", e.count(t, seshat.Query{UserID: "mia"}), 0)
	equal(e, "left", e.count(t, seshat.Query{}), 6)
	equal(e, "left in the other tenant", e.count(other, seshat.Query{UserID: "mia"}), 1)
}

func deleteBusyUser(e *env) {
	t := e.tenant("t")
	race(func(n int) {
		for range 80 {
			if _, err := t.Create(e.ctx, seshat.NewSession{UserID: "mia"}); err != nil {
				e.Error(err)
			}
		}
	})
	e.create(t, seshat.NewSession{UserID: "noa"})
	got, err := t.DeleteUser(e.ctx, "mia")
	e.must(err)
	equal(e, "erased", got.Sessions, 80*racers)
	equal(e, "left", e.count(t, seshat.Query{}), 1)
	r, err := e.Check(e.ctx)
	e.must(err)
	equal(e, "kept", r.Sessions, 1)
}

func deleteNobody(e *env) {
	t := e.tenant("t")
	got, err := t.DeleteUser(e.ctx, "nobody")
	e.must(err)
	equal(e, "erased", got, seshat.EraseReport{})
}

func userComesBack(e *env) {
	t := e.tenant("t")
	for range 3 {
		n := fullSession()
		n.Quotas = seshat.Quotas{}
		e.create(t, n)
		s, err := t.Append(e.ctx, "s", seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "hello"})
		e.must(err)
		equal(e, "number", s.LastSeq, 1)
		got, err := t.DeleteUser(e.ctx, "mia")
		e.must(err)
		equal(e, "erased", got.Sessions, 1)
		e.isGone(t, "s")
	}
	s := e.create(t, seshat.NewSession{ID: "s", UserID: "mia"})
	equal(e, "version", s.Version, 1)
	equal(e, "memory", s.UserMemory.IsZero(), true)
	equal(e, "sessions", e.count(t, seshat.Query{UserID: "mia"}), 1)
}

func deleteNamespace(e *env) {
	t := e.tenant("t")
	other := e.tenant("other")
	for i := range 10 {
		e.create(t, seshat.NewSession{ID: fmt.Sprint(i), UserID: "mia"})
	}
	e.create(other, seshat.NewSession{ID: "0", UserID: "mia"})
	got, err := t.DeleteNamespace(e.ctx)
	e.must(err)
	equal(e, "erased sessions", got.Sessions, 10)
	e.isGone(t, "0")
	e.get(other, "0")
	equal(e, "namespaces", len(e.namespaces()), 1)
	for _, ref := range []seshat.Namespace{{Name: "t"}, {ID: t.ID()}} {
		_, err := e.Tenant(e.ctx, ref)
		e.isError(err, seshat.ErrNotFound)
	}
	_, err = t.DeleteNamespace(e.ctx)
	e.isError(err, seshat.ErrNotFound)
	r, err := e.Check(e.ctx)
	e.must(err)
	equal(e, "kept", r.Sessions, 1)
}

func freeName(e *env) {
	old := e.tenant("t")
	e.create(old, fullSession())
	e.must(second(old.DeleteNamespace(e.ctx)))
	t, err := e.CreateTenant(e.ctx, seshat.Namespace{Name: "t"})
	e.must(err)
	if t.ID() == old.ID() {
		e.Fatal("a new namespace has the id of a deleted one")
	}
	e.isGone(t, "s")
	equal(e, "sessions", e.count(t, seshat.Query{}), 0)
	e.create(t, seshat.NewSession{ID: "s"})
	e.isGone(old, "s")
}

// staleHandle makes every call on the handle of a deleted namespace.
func staleHandle(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", UserID: "mia"})
	cursor := seshat.Query{Limit: 1}
	e.must(second(t.DeleteNamespace(e.ctx)))
	e.isGone(t, "s")
	for name, err := range map[string]error{
		"Create":          second(t.Create(e.ctx, seshat.NewSession{ID: "s"})),
		"List":            second(t.List(e.ctx, cursor)),
		"Count":           second(t.Count(e.ctx, seshat.Query{})),
		"Usage":           second(t.Usage(e.ctx)),
		"Namespace":       second(t.Namespace(e.ctx)),
		"Rename":          t.Rename(e.ctx, "other"),
		"SetLifecycle":    t.SetLifecycle(e.ctx, seshat.Lifecycle{TTL: hour}),
		"SetQuotas":       t.SetQuotas(e.ctx, seshat.NamespaceQuotas{MaxSessions: 1}),
		"DeleteUser":      second(t.DeleteUser(e.ctx, "mia")),
		"DeleteNamespace": second(t.DeleteNamespace(e.ctx)),
	} {
		if e.isError(err, seshat.ErrNotFound); err == nil {
			e.Fatalf("%s: no error", name)
		}
	}
	_, created, err := t.Ensure(e.ctx, seshat.NewSession{ID: "s"})
	e.isError(err, seshat.ErrNotFound)
	equal(e, "created", created, false)
	for _, err := range t.Sessions(e.ctx, seshat.Query{}) {
		e.isError(err, seshat.ErrNotFound)
	}
	r, err := e.Check(e.ctx)
	e.must(err)
	equal(e, "kept", r.Sessions+r.Namespaces, 0)
}

func erasedReopened(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s", UserID: "mia"})
	e.create(b, seshat.NewSession{ID: "s", UserID: "mia"})
	e.create(b, seshat.NewSession{ID: "other", UserID: "noa"})
	e.must(second(a.DeleteNamespace(e.ctx)))
	e.must(second(b.DeleteUser(e.ctx, "mia")))
	e.reopen()
	_, err := e.Tenant(e.ctx, seshat.Namespace{Name: "a"})
	e.isError(err, seshat.ErrNotFound)
	b = e.tenant("b")
	e.isGone(b, "s")
	equal(e, "left", fmt.Sprint(e.ids(b, seshat.Query{})), "[other]")
}

// erasureResumed ends the context while Delete reclaims space. The data is
// invisible all the same, and a sweep finishes the work.
func erasureResumed(e *env) {
	t := e.tenant("t")
	race(func(n int) {
		for range 60 {
			if _, err := t.Create(e.ctx, seshat.NewSession{UserID: "mia"}); err != nil {
				e.Error(err)
			}
		}
	})
	kept := e.create(t, seshat.NewSession{UserID: "noa"})
	_, err := t.DeleteUser(&countdown{Context: e.ctx, left: 5}, "mia")
	if err == nil {
		e.Log("the engine reclaims at once")
	}
	equal(e, "visible", fmt.Sprint(e.ids(t, seshat.Query{})), fmt.Sprint([]string{kept.ID}))
	equal(e, "counted", e.count(t, seshat.Query{}), 1)
	r, err := e.Check(e.ctx)
	e.must(err)
	equal(e, "findings beside what is left", len(r.Findings), 0)
	fresh := e.create(t, seshat.NewSession{UserID: "mia"})
	e.sweep()
	equal(e, "the user's new session", fmt.Sprint(e.ids(t, seshat.Query{UserID: "mia"})),
		fmt.Sprint([]string{fresh.ID}))
	r, err = e.Check(e.ctx)
	e.must(err)
	equal(e, "kept", r.Sessions, 2)
}
