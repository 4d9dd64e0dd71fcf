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
	check := func(messages uint64, want ...seshat.Status) {
		e.Helper()
		u, err := t.Usage(e.ctx)
		e.must(err)
		equal(e, "messages", u.Messages, messages)
		equal(e, "sessions", u.Sessions(), uint64(len(want)))
		equal(e, "counted sessions", e.count(t, seshat.Query{}), uint64(len(want)))
		for _, s := range seshat.Statuses() {
			n := 0
			for _, w := range want {
				if w == s {
					n++
				}
			}
			equal(e, s.String()+" sessions", u.ByStatus(s), uint64(n))
		}
		equal(e, "sessions of no status", u.ByStatus(0)+u.ByStatus(255), 0)
	}
	check(0)
	e.create(t, seshat.NewSession{ID: "a"})
	e.create(t, seshat.NewSession{ID: "b"})
	check(0, seshat.StatusActive, seshat.StatusActive)
	e.move(t, "a", seshat.StatusIdle)
	check(0, seshat.StatusActive, seshat.StatusIdle)
	e.must(second(t.Append(e.ctx, "a", seshat.Message{Role: seshat.RoleUser, Content: "hello"})))
	check(1, seshat.StatusActive, seshat.StatusActive)
	e.move(t, "a", seshat.StatusArchived)
	e.move(t, "b", seshat.StatusTerminated)
	check(1, seshat.StatusArchived, seshat.StatusTerminated)
	e.must(second(t.Delete(e.ctx, "a")))
	check(0, seshat.StatusTerminated)
}

func usageOfOne(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	before, err := a.Usage(e.ctx)
	e.must(err)
	e.create(b, fullSession())
	e.must(second(b.Touch(e.ctx, "s")))
	after, err := a.Usage(e.ctx)
	e.must(err)
	equal(e, "usage of a", after, before)
}

func bytesComeBack(e *env) {
	t := e.tenant("t")
	for _, id := range []string{"deleted", "expired", "replaced"} {
		n := fullSession()
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
