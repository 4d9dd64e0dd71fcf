package drivertest

import (
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

var reopenChecks = []check{
	{name: "everything is still there", run: checkReopened, needs: canReopen},
	{name: "the clock goes on", run: checkClockGoesOn, needs: canReopen},
	{name: "staged logs can be put or reclaimed", run: checkReopenStaged, needs: canReopen},
	{name: "an erasure goes on", run: checkReopenErased, needs: canReopen},
}

var readOnlyChecks = []check{
	{name: "reads work, writes are refused", run: checkReadOnly, needs: canReadOnly},
}

func checkReopened(e *env) {
	r := e.furnish(1)
	e.furnish(1 << 33)
	e.change(r.Key, driver.Change{TrimFeed: 1})
	e.dropSpan(r, driver.Span{From: 2, To: 2}, "two")
	was := e.showWorld(1, 1<<33)
	for range 2 {
		e.reopen()
		e.expectUnchanged(was, 1, 1<<33)
	}
	v := e.view(driver.Target{Key: r.Key, MessageIDs: []string{"m2", "m4"}})
	e.equal("refs", []bool{v.Refs[0].Found, v.Refs[1].Found}, []bool{true, false})
	e.appendTo(r, "four")
	e.reopen()
	e.equal("Get", e.get(r.Key), r)
}

func checkClockGoesOn(e *env) {
	e.now.Store(start + 5000)
	e.create(key(1, "a"))
	e.now.Store(start)
	e.reopen()
	e.expectClock(start + 5000)
	e.isTrue(e.view(driver.Target{}).Now >= start+5000 || e.d.Caps().Shared, "now ran backwards")
}

func checkReopenStaged(e *env) {
	put := e.incarnation()
	late := e.incarnation()
	ms := e.stage(put, start+10, 1, 3)
	e.stage(late, start+10, 1, 3)
	e.reopen()
	ms = append(ms, e.stage(put, start+10, 4, 5)...)
	r := e.fork("a", put, 5)
	e.change(r.Key, driver.Change{Put: r})
	e.now.Store(start + 10)
	e.reopen()
	e.reclaim(2)
	e.equal("log", e.log(1, put), ms)
	r = e.record(key(1, "late"))
	r.Incarnation = late
	e.change(r.Key, driver.Change{Put: r})
	e.equal("log", e.log(1, late), []driver.Message(nil))
}

func checkReopenErased(e *env) {
	r := e.furnish(1)
	for i := range 20 {
		e.appendTo(e.create(key(1, fmt.Sprint(i)), byUser("ann")), "one", "two")
	}
	e.change(key(1, ""), erasing(1, "ann"))
	e.reopen()
	e.expectInvisible(r)
	again := e.create(r.Key, byUser("ann"))
	for range 3 {
		_, err := e.d.Reclaim(e.ctx, start, 5)
		e.must(err)
		e.reopen()
		e.equal("List", e.list(driver.Query{Namespace: 1, UserID: "ann"}), []driver.Record{*again})
	}
	e.reclaim(50)
	e.equal("Get", e.get(again.Key), again)
	e.equal("count", e.count(driver.Query{Namespace: 1}).Sessions, [driver.Statuses]uint64{2})
}

func checkReadOnly(e *env) {
	e.furnish(1)
	was := e.showWorld(1)
	e.d = e.h.ReadOnly(e.tb, e.d)
	e.isTrue(e.d.Caps().ReadOnly, "Caps say nothing of it")
	e.expectUnchanged(was, 1)
	e.expectAnswers(e.ctx, reads, nil)
	e.expectAnswers(e.ctx, writes, driver.ErrReadOnly)
	e.expectUnchanged(was, 1)
}
