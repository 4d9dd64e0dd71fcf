package drivertest

import (
	"encoding/binary"

	"github.com/seshatdb/seshat/driver"
)

var planChecks = []check{
	{name: "the last run counts", run: checkLastRun},
	{name: "the view delivers what the target names", run: checkView},
	{name: "a later op sees what earlier ones did", run: checkSeesEarlier},
	{name: "a later op sees nothing of a failed one", run: checkSeesNoFailed},
	{name: "an expired record is delivered as it is", run: checkViewExpired},
	{name: "now never runs backwards", run: checkNow},
	{name: "the zero change changes nothing", run: checkZeroChange},
	{name: "an op may be about no session", run: checkNoSession},
}

// checkLastRun runs failing and panicking ops beside an op that counts its
// runs. A driver that merges calls then runs that op again.
func checkLastRun(e *env) {
	e.together(8, func(i int) {
		for n := range 10 {
			k := key(1, string(rune('a'+i)))
			runs := uint64(0)
			r := e.record(k)
			o := e.plan(driver.Target{Key: k}, func(driver.View) (driver.Change, error) {
				runs++
				put := cloneRecord(r)
				put.Version = runs
				return driver.Change{Put: put}, nil
			})
			neighbour := e.plan(driver.Target{Key: k}, func(driver.View) (driver.Change, error) {
				if n%2 == 0 {
					panic("neighbour")
				}
				return driver.Change{}, errPlan
			})
			e.isTrue(e.d.Mutate(e.ctx, o, neighbour) != nil, "the error of one op got lost")
			e.must(o.Err)
			e.equal("version and runs", e.get(k).Version, runs)
		}
	})
}

func checkView(e *env) {
	r := e.furnish(1)
	ms := e.log(1, r.Incarnation)
	v := e.view(driver.Target{
		Key:        r.Key,
		MessageIDs: []string{"m2", "unknown", "m1"},
		Seqs:       []uint64{3, 77, 1},
		Span:       driver.Span{From: 2, To: 9},
		Entries: []driver.EntryKey{
			{Namespace: 1, Kind: kindSession, Name: "state"},
			{Namespace: 1, Kind: kindUser, Owner: "bob", Name: "state"},
			{Namespace: 1, Kind: kindUser, Owner: "ann", Name: "state"},
		},
	})
	m1 := message(1, "m1", "")
	m2 := message(2, "m2", "")
	e.equal("record", v.Record, r)
	e.equal("refs", v.Refs,
		[]driver.Ref{{Found: true, Seq: 2, Digest: m2.Digest}, {}, {Found: true, Seq: 1, Digest: m1.Digest}})
	e.equal("messages", v.Messages, []driver.Message{ms[2], {}, ms[0]})
	e.equal("span", v.Span, driver.SpanUsage{Messages: 2, Bytes: 8})
	e.equal("entries", v.Entries, [][]byte{[]byte("s"), nil, []byte("u")})
	e.equal("feed", []uint64{v.FeedTail, v.FeedHead}, []uint64{0, 2})
	e.equal("now", v.Now, start)
	v = e.view(driver.Target{
		Key: key(1, "absent"), MessageIDs: []string{"m1"}, Seqs: []uint64{1},
		Span: driver.Span{From: 1, To: 9}, Entries: []driver.EntryKey{{Namespace: 1, Kind: kindSession, Name: "state"}},
	})
	e.equal("absent record", v.Record, (*driver.Record)(nil))
	e.equal("its refs", v.Refs, []driver.Ref{{}})
	e.equal("its messages", v.Messages, []driver.Message{{}})
	e.equal("its span", v.Span, driver.SpanUsage{})
	e.equal("its entries", v.Entries, [][]byte{nil})
}

func checkSeesEarlier(e *env) {
	r := e.record(key(1, "a"), byUser("ann"))
	r.NextSeq, r.Messages, r.Bytes = 2, 1, r.Bytes+5
	entry := driver.EntryKey{Namespace: 1, Kind: kindSession, Name: "n"}
	var v driver.View
	var live driver.Usage
	t := driver.Target{
		Key: r.Key, MessageIDs: []string{"m1"}, Seqs: []uint64{1}, Span: driver.Span{From: 1, To: 5},
		Entries: []driver.EntryKey{entry}, Usage: true,
	}
	e.must(e.d.Mutate(e.ctx,
		e.op(r.Key, driver.Change{
			Put: r, Append: []driver.Message{message(1, "m1", "hello")}, Events: []driver.Event{{ID: "a"}},
			Entries: []driver.Entry{{EntryKey: entry, Value: []byte("v")}},
		}),
		e.plan(t, func(seen driver.View) (c driver.Change, err error) {
			v = cloneView(&seen)
			live, err = seen.Live()
			return c, err
		}),
	))
	e.equal("record", v.Record, r)
	e.equal("refs", v.Refs, []driver.Ref{{Found: true, Seq: 1, Digest: message(1, "m1", "").Digest}})
	e.equal("messages", v.Messages, []driver.Message{message(1, "m1", "hello")})
	e.equal("span", v.Span, driver.SpanUsage{Messages: 1, Bytes: 5})
	e.equal("entries", v.Entries, [][]byte{[]byte("v")})
	e.equal("feed head", v.FeedHead, uint64(1))
	want := driver.Usage{Sessions: [driver.Statuses]uint64{1}, Messages: 1, Bytes: r.Bytes}
	e.equal("usage", v.Usage, want)
	e.equal("live usage", live, want)
}

func checkSeesNoFailed(e *env) {
	r := e.furnish(1)
	was := e.view(driver.Target{Key: r.Key, Usage: true, MessageIDs: []string{"fresh"}})
	var v driver.View
	failed := e.failingOp(r, func() error { return errPlan })
	e.isError(e.d.Mutate(e.ctx, failed,
		e.plan(driver.Target{Key: r.Key, Usage: true, MessageIDs: []string{"fresh"}},
			func(seen driver.View) (driver.Change, error) {
				v = cloneView(&seen)
				return driver.Change{}, nil
			})), errPlan)
	e.equal("record", v.Record, was.Record)
	e.equal("refs", v.Refs, was.Refs)
	e.equal("usage", v.Usage, was.Usage)
	e.equal("feed", v.FeedHead, was.FeedHead)
}

func checkViewExpired(e *env) {
	r := e.create(key(1, "a"), expiring(start-1))
	e.equal("Get", e.get(r.Key), (*driver.Record)(nil))
	e.equal("View.Record", e.view(driver.Target{Key: r.Key}).Record, r)
}

func checkNow(e *env) {
	e.now.Store(start + 1_000)
	e.create(key(1, "a"))
	e.now.Store(start)
	var now int64
	r := e.record(key(2, "b"))
	e.must(e.d.Mutate(e.ctx, e.plan(driver.Target{Key: r.Key}, func(v driver.View) (driver.Change, error) {
		now = v.Now
		return driver.Change{Put: r}, nil
	})))
	e.isTrue(now >= start+1_000, "now is %d after %d", now, start+1_000)
	e.expectClock(start + 1_000)
	e.now.Store(start + 9_000)
	e.isError(e.d.Mutate(e.ctx, e.failingOp(r, func() error { return errPlan })), errPlan)
	e.expectClock(start + 1_000)
	e.create(key(1, "c"))
	e.expectClock(start + 9_000)
}

// expectClock checks the entry of KindClock. A driver with other writers may be
// up to a second late.
func (e *env) expectClock(want int64) {
	entries := e.entries(driver.EntryQuery{Kind: driver.KindClock})
	if len(entries) != 1 || len(entries[0].Value) != 8 {
		fail(2, "the clock is %s", show(entries))
	}
	got := int64(binary.BigEndian.Uint64(entries[0].Value))
	if got == want || e.d.Caps().Shared && got < want && got >= want-1_000 {
		return
	}
	fail(2, "the clock shows %d, want %d", got, want)
}

func checkZeroChange(e *env) {
	r := e.furnish(1)
	was := e.showWorld(1)
	e.change(r.Key, driver.Change{})
	e.change(key(1, "absent"), driver.Change{})
	e.change(key(1, "absent"), driver.Change{Remove: true})
	e.expectUnchanged(was, 1)
	e.must(e.d.Mutate(e.ctx))
}

func checkNoSession(e *env) {
	global := driver.EntryKey{Kind: kindPlain, Name: "global"}
	e.change(driver.Key{}, driver.Change{Entries: []driver.Entry{{EntryKey: global, Value: []byte("v")}}})
	v := e.view(driver.Target{Entries: []driver.EntryKey{global}})
	e.equal("entries", v.Entries, [][]byte{[]byte("v")})
	e.equal("record", v.Record, (*driver.Record)(nil))
	e.change(key(7, ""), driver.Change{Events: []driver.Event{{Time: 1, ID: "u", Kind: 3}}})
	e.equal("feed", e.feed(7, 0),
		driver.Feed{Head: 1, Events: []driver.Event{{Position: 1, Time: 1, ID: "u", Kind: 3}}})
}
