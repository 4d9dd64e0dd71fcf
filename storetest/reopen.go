package storetest

import (
	"fmt"

	"github.com/seshatdb/seshat"
)

var reopens = []promise{
	{name: "all that was acknowledged is there again", test: allThereAgain},
	{name: "what expired meanwhile is gone", test: expiredMeanwhile},
	{name: "options of another opening are for new sessions", test: otherOptions},
}

var readOnly = []promise{
	{name: "nothing changes a store opened for reading", test: readOnlyStore},
}

func allThereAgain(e *env) {
	t := e.tenant("t")
	n := fullSession()
	n.Quotas.MaxMessages = 10
	e.create(t, n)
	e.must(second(t.Append(e.ctx, "s", seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "hello"})))
	e.createCrowd(t, 20)
	sweepable := e.create(t, seshat.NewSession{Lifecycle: seshat.Lifecycle{TTL: hour}})
	before := e.state(t)
	session := e.get(t, "s")
	for range 2 {
		e.reopen()
		t = e.tenant("t")
		equal(e, "state", e.state(t), before)
		e.same("what was stored", e.get(t, "s"), session)
	}
	a, err := t.AppendTurn(e.ctx, "s", seshat.Turn{Messages: []seshat.Message{{
		ID: "m", Role: seshat.RoleUser,
		Content: "hello",
	}}})
	e.must(err)
	equal(e, "message known from before", a.Repeated, true)
	e.clock.Advance(hour)
	equal(e, "due from before", e.sweep().Expired, 1)
	e.isGone(t, sweepable.ID)
}

func expiredMeanwhile(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: hour}})
	e.clock.Advance(hour)
	e.reopen()
	t = e.tenant("t")
	equal(e, "count", e.count(t, seshat.Query{}), 0)
	e.isGone(t, "s")
	equal(e, "swept", e.sweep().Expired, 1)
}

func otherOptions(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "old"})
	e.o.Lifecycle.TTL = hour
	e.reopen()
	t = e.tenant("t")
	equal(e, "TTL of an old session", e.get(t, "old").Lifecycle.TTL, 7*day)
	equal(e, "TTL of a new one", e.create(t, seshat.NewSession{}).Lifecycle.TTL, hour)
}

func readOnlyStore(e *env) {
	t := e.tenant("t")
	e.createMixed(t)
	e.create(t, fullSession())
	before := e.state(t)
	if e.h.Reopen == nil {
		e.Skip("the data ends with the store")
	}
	e.o.ReadOnly = true
	e.reopen()
	found, err := e.Tenant(e.ctx, seshat.Namespace{Name: "t"})
	e.must(err)
	equal(e, "state", e.state(found), before)
	writes := e.callAll(e.ctx, found)
	for _, read := range []string{
		"Tenant", "dry run", "Stats", "Check", "List", "Count", "Usage", "Namespace", "Namespaces", "AllNamespaces",
		"Sessions", "Get", "Ensure",
	} {
		e.must(writes[read])
		delete(writes, read)
	}
	for name, err := range writes {
		e.Log(name)
		e.isError(err, seshat.ErrReadOnly)
	}
	equal(e, "state after refused writes", e.state(found), before)
	e.o.ReadOnly = false
	e.reopen()
	equal(e, "expired, when it may be written again", e.sweep().Expired, 3)
	equal(e, "sessions", fmt.Sprint(len(e.ids(e.tenant("t"), seshat.Query{}))), "6")
}
