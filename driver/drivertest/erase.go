package drivertest

import (
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

var eraseChecks = []check{
	{name: "a user's data is invisible at once, and stays so", run: checkEraseUser},
	{name: "a namespace is invisible at once, and stays so", run: checkEraseNamespace},
	{name: "an erased user can come again at once", run: checkEraseAgain},
	{name: "Reclaim returns what was erased", run: checkEraseTotals},
	{name: "Reclaim works in steps", run: checkReclaimSteps},
	{name: "erasing nobody changes nothing", run: checkEraseNobody},
	{name: "an op sees the erasure before it", run: checkEraseThenView},
}

func erasing(n uint64, user string) driver.Change {
	return driver.Change{Erase: &driver.Erasure{Namespace: n, UserID: user}}
}

// expectInvisible fails if any call shows ann's session, which furnish created.
func (e *env) expectInvisible(r *driver.Record) {
	const anyTime = 1
	e.equal("Get", e.getAt(r.Key, anyTime), (*driver.Record)(nil))
	for _, q := range []driver.Query{{UserID: r.UserID}, {Labels: r.Labels}, {Statuses: 1 << r.Status}} {
		for _, order := range []driver.Order{driver.ByCreated, driver.ByActivity} {
			q.Namespace = r.Namespace
			q.Now = anyTime
			q.Order = order
			e.equal("List", e.ids(q), []string{})
			e.equal("Count", e.count(q), driver.Usage{})
		}
	}
	e.equal("log", e.log(r.Namespace, r.Incarnation), []driver.Message(nil))
	for _, k := range []driver.EntryQuery{
		{Kind: kindUser, Owner: r.UserID},
		{Kind: kindSession, AllOwners: true},
		{Kind: kindSession, Owner: string(r.Incarnation[:])},
	} {
		k.Namespace = r.Namespace
		e.equal("entries", e.names(k), []string{})
	}
	for _, d := range e.due(driver.Never - 1) {
		e.isTrue(d.Key != r.Key, "still due")
	}
	v := e.view(driver.Target{
		Key: r.Key, MessageIDs: []string{"m1"}, Seqs: []uint64{1}, Span: driver.Span{From: 1, To: 9},
		Entries: []driver.EntryKey{
			{Namespace: r.Namespace, Kind: kindSession, Name: "state"},
			{Namespace: r.Namespace, Kind: kindUser, Owner: r.UserID, Name: "state"},
		},
	})
	e.equal("view", []any{v.Record == nil, v.Refs[0].Found, v.Messages[0].Seq, v.Span.Messages, v.Entries},
		[]any{true, false, 0, 0, [][]byte{nil, nil}})
}

func checkEraseUser(e *env) {
	r := e.furnish(1)
	e.furnish(2)
	e.change(driver.Key{}, driver.Change{Entries: []driver.Entry{entry("ann", "not a user's", []byte("x"))}})
	was := e.showSpace(2)
	e.change(key(1, ""), erasing(1, "ann"))
	left := func() {
		e.expectInvisible(r)
		e.equal("the sessions of others", e.ids(driver.Query{Namespace: 1, Now: 1}), []string{"overdue", "plain"})
		e.equal("their count", e.count(driver.Query{Namespace: 1}).Sessions, [driver.Statuses]uint64{1})
		e.equal("their counts with overdue", e.count(driver.Query{Namespace: 1, Now: 1}).Sessions,
			[driver.Statuses]uint64{2})
		e.equal("entries of no user", e.names(driver.EntryQuery{Namespace: 1, Kind: kindPlain, AllOwners: true}),
			[]string{"state", "not a user's"})
		e.equal("feed", e.feed(1, 0).Head, 2)
		e.equal("the user's data in another namespace", e.showSpace(2), was)
	}
	left()
	e.reclaim(1)
	left()
}

func checkEraseNamespace(e *env) {
	r := e.furnish(1)
	e.furnish(2)
	was := e.showSpace(2)
	e.change(driver.Key{}, driver.Change{
		Erase:   &driver.Erasure{Namespace: 1},
		Entries: []driver.Entry{{EntryKey: driver.EntryKey{Kind: kindPlain, Name: "erased"}, Value: []byte("1")}},
	})
	e.equal("the entry with it", e.names(driver.EntryQuery{Kind: kindPlain}), []string{"erased"})
	e.change(driver.Key{},
		driver.Change{Entries: []driver.Entry{{EntryKey: driver.EntryKey{Kind: kindPlain, Name: "erased"}}}})
	for range 2 {
		e.expectInvisible(r)
		e.equal("List", e.ids(driver.Query{Namespace: 1, Now: 1}), []string{})
		e.equal("Count", e.count(driver.Query{Namespace: 1, Now: 1}), driver.Usage{})
		e.equal("feed", e.feed(1, 0), driver.Feed{})
		for _, kind := range kinds {
			e.equal("entries", e.names(driver.EntryQuery{Namespace: 1, Kind: kind, AllOwners: true}), []string{})
		}
		e.reclaim(1)
	}
	for _, d := range e.due(driver.Never - 1) {
		e.equal("due", d.Namespace, 2)
	}
	e.equal("another namespace", e.showSpace(2), was)
}

// checkEraseAgain recreates erased sessions before they are reclaimed.
func checkEraseAgain(e *env) {
	r := e.furnish(1)
	e.change(key(1, ""), erasing(1, "ann"))
	again := e.create(r.Key, byUser("ann"), withStatus(1), dueAt(start+500), labelled("colour", "red"))
	ms := e.appendTo(again, "new")
	k := driver.EntryKey{Namespace: 1, Kind: kindUser, Owner: "ann", Name: "state"}
	e.change(r.Key, driver.Change{Entries: []driver.Entry{{EntryKey: k, Value: []byte("new")}}})
	visible := func() {
		e.equal("Get", e.get(r.Key), again)
		e.equal("List", e.list(driver.Query{Namespace: 1, UserID: "ann"}), []driver.Record{*again})
		e.equal("Count", e.count(driver.Query{Namespace: 1, UserID: "ann"}),
			counted([]*driver.Record{again}, driver.Query{Namespace: 1}))
		e.equal("Count of all", e.count(driver.Query{Namespace: 1}).Sessions, [driver.Statuses]uint64{1, 1})
		e.equal("log", e.log(1, again.Incarnation), ms)
		e.equal("entries", e.names(driver.EntryQuery{Namespace: 1, Kind: kindUser, Owner: "ann"}), []string{"state"})
		e.equal("due", e.due(start + 500)[1], driver.Due{At: start + 500, Key: r.Key})
	}
	visible()
	e.reclaim(2)
	visible()
	e.change(key(1, ""), erasing(1, "ann"))
	e.expectInvisible(again)
	e.reclaim(2)
	e.expectInvisible(again)
}

func checkEraseTotals(e *env) {
	mia := driver.Erased{Erasure: driver.Erasure{Namespace: 1, UserID: "mia"}}
	rest := driver.Erased{Erasure: driver.Erasure{Namespace: 1}}
	for i := range 30 {
		sum := []*driver.Erased{&mia, &rest}[i%2]
		r := e.create(key(1, fmt.Sprint(i)), byUser([]string{"mia", "ann"}[i%2]), expiring(start+int64(i)))
		e.appendTo(r, "one", "two")
		e.change(r.Key, driver.Change{Entries: []driver.Entry{
			{EntryKey: driver.EntryKey{Namespace: 1, Kind: kindSession, Name: "n"}, Value: []byte("x")},
			{
				EntryKey: driver.EntryKey{Namespace: 1, Kind: kindUser, Owner: r.UserID, Name: fmt.Sprint(i)},
				Value:    []byte("x"),
			},
		}})
		sum.Sessions++
		sum.Messages += 2
		sum.Bytes += r.Bytes
		sum.Entries += 2
	}
	e.change(key(1, ""), erasing(1, "mia"))
	e.equal("totals of a user", e.reclaim(7), map[driver.Erasure]driver.Erased{mia.Erasure: mia})
	e.equal("totals of nothing more", e.reclaim(7), map[driver.Erasure]driver.Erased{})
	e.change(driver.Key{}, erasing(1, ""))
	e.equal("totals of a namespace", e.reclaim(7), map[driver.Erasure]driver.Erased{rest.Erasure: rest})
}

// checkReclaimSteps accumulates erased data, then reads and writes between the
// steps of Reclaim.
func checkReclaimSteps(e *env) {
	live := e.create(key(1, "live"), byUser("ann"))
	for i := range 20 {
		r := e.create(key(1, fmt.Sprint(i)), byUser([]string{"mia", "eve"}[i%2]))
		e.appendTo(r, "one", "two", "three")
	}
	e.change(key(1, ""), erasing(1, "mia"))
	e.change(key(1, ""), erasing(1, "eve"))
	const limit = 10
	for range 1000 {
		r, err := e.d.Reclaim(e.ctx, start, limit)
		e.must(err)
		e.isTrue(r.Values <= 10*limit, "%d values in one step of about %d", r.Values, limit)
		e.equal("List", e.ids(driver.Query{Namespace: 1}), []string{"live"})
		e.equal("Count", e.count(driver.Query{Namespace: 1}),
			counted([]*driver.Record{live}, driver.Query{Namespace: 1}))
		e.put(live)
		if !r.More {
			return
		}
	}
	e.isTrue(false, "Reclaim finds no end")
}

func checkEraseNobody(e *env) {
	r := e.furnish(1)
	was := e.showWorld(1, 2)
	e.change(key(1, ""), erasing(1, "an"))
	e.change(key(1, ""), erasing(2, "ann"))
	e.change(driver.Key{}, erasing(3, ""))
	e.reclaim(5)
	e.expectUnchanged(was, 1, 2)
	e.put(r)
}

func checkEraseThenView(e *env) {
	r := e.furnish(1)
	var v driver.View
	k := driver.EntryKey{Namespace: 1, Kind: kindUser, Owner: "ann", Name: "state"}
	t := driver.Target{Key: r.Key, MessageIDs: []string{"m1"}, Usage: true, Entries: []driver.EntryKey{k}}
	again := e.record(r.Key, byUser("ann"))
	e.must(e.d.Mutate(e.ctx, e.op(key(1, ""), erasing(1, "ann")),
		e.plan(t, func(seen driver.View) (driver.Change, error) {
			v = cloneView(&seen)
			return driver.Change{Put: again}, nil
		})))
	e.equal("record", v.Record, (*driver.Record)(nil))
	e.equal("refs", v.Refs, []driver.Ref{{}})
	e.equal("entries", v.Entries, [][]byte{nil})
	e.equal("usage", v.Usage.Sessions, [driver.Statuses]uint64{2})
	e.equal("Get", e.get(r.Key), again)
	e.reclaim(1)
	e.equal("Get", e.get(r.Key), again)
}
