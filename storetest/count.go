package storetest

import (
	"github.com/seshatdb/seshat"
)

var counts = []promise{
	{name: "usage follows every change", test: usageFollows},
	{name: "usage is of one tenant", test: usageOfOne},
	{name: "bytes come back when sessions go", test: bytesComeBack},
}

func usageFollows(e *env) {
	t := e.tenant("t")
	check := func(want seshat.Usage) {
		e.Helper()
		u, err := t.Usage(e.ctx)
		e.must(err)
		want.Bytes = u.Bytes
		equal(e, "usage", u, want)
		equal(e, "sessions", u.Sessions(), e.count(t, seshat.Query{}))
	}
	check(seshat.Usage{})
	e.create(t, seshat.NewSession{ID: "a"})
	e.create(t, seshat.NewSession{ID: "b"})
	check(seshat.Usage{Active: 2})
	e.move(t, "a", seshat.StatusIdle)
	check(seshat.Usage{Active: 1, Idle: 1})
	e.must(second(t.Append(e.ctx, "a", seshat.Message{Role: seshat.RoleUser, Content: "hello"})))
	check(seshat.Usage{Active: 2, Messages: 1})
	e.move(t, "a", seshat.StatusArchived)
	e.move(t, "b", seshat.StatusTerminated)
	check(seshat.Usage{Archived: 1, Terminated: 1, Messages: 1})
	e.must(second(t.Delete(e.ctx, "a")))
	check(seshat.Usage{Terminated: 1})
}

func usageOfOne(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	before, err := a.Usage(e.ctx)
	e.must(err)
	e.create(b, full())
	e.must(second(b.Touch(e.ctx, "s")))
	after, err := a.Usage(e.ctx)
	e.must(err)
	equal(e, "usage of a", after, before)
}

func bytesComeBack(e *env) {
	t := e.tenant("t")
	for _, id := range []string{"deleted", "expired", "replaced"} {
		n := full()
		n.ID = id
		n.Quotas = seshat.Quotas{}
		n.Lifecycle = seshat.Lifecycle{TTL: hour}
		e.create(t, n)
		e.update(t, id, func(s *seshat.Session) { s.Metadata = seshat.NewDocument(nil) })
		e.must(second(t.Append(e.ctx, id, seshat.Message{Role: seshat.RoleUser, Content: "hello"})))
	}
	e.must(second(t.Delete(e.ctx, "deleted")))
	e.clock.Advance(hour)
	u, err := t.Usage(e.ctx)
	e.must(err)
	equal(e, "usage of what has expired", u, seshat.Usage{})
	e.create(t, seshat.NewSession{ID: "replaced"})
	e.sweep()
	e.must(second(t.Delete(e.ctx, "replaced")))
	u, err = t.Usage(e.ctx)
	e.must(err)
	equal(e, "usage in the end", u, seshat.Usage{})
}
