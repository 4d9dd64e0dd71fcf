package drivertest

import (
	"fmt"
	"slices"

	"github.com/seshatdb/seshat/driver"
)

var logChecks = []check{
	{name: "ranges from both ends", run: checkRanges},
	{name: "numbers may have gaps, but do not come again", run: checkNumbers},
	{name: "Replace changes bodies alone", run: checkReplace},
	{name: "Drop removes spans", run: checkDrop},
	{name: "message ids outlive their messages", run: checkRefs},
	{name: "a new incarnation starts empty", run: checkIncarnation},
	{name: "a removed session leaves nothing to read", run: checkRemoved},
	{name: "a log of many messages", run: checkLongLog},
}

func checkRanges(e *env) {
	r := e.create(key(1, "a"))
	ms := e.appendTo(r, "a", "b", "c", "d", "e", "f", "g", "h", "i")
	e.dropSpan(r, driver.Span{From: 4, To: 5}, "d", "e")
	ms = slices.Delete(ms, 3, 5)
	for from := range uint64(12) {
		for _, to := range []uint64{0, 1, 3, 4, 5, 9, 10, ^uint64(0)} {
			for _, limit := range []int{1, 2, 100} {
				e.checkRange(r, ms, driver.Span{From: from, To: to}, limit)
			}
		}
	}
}

func (e *env) checkRange(r *driver.Record, ms []driver.Message, s driver.Span, limit int) {
	for _, desc := range []bool{false, true} {
		var want []driver.Message
		for _, m := range ms {
			if m.Seq >= s.From && (s.To == 0 || m.Seq <= s.To) {
				want = append(want, m)
			}
		}
		if desc {
			slices.Reverse(want)
		}
		q := driver.LogQuery{Namespace: 1, Incarnation: r.Incarnation, Span: s, Desc: desc, Limit: limit}
		got, err := e.d.Messages(e.ctx, q)
		e.must(err)
		e.equal(fmt.Sprintf("%+v", q), got, want[:min(limit, len(want))])
	}
}

func checkNumbers(e *env) {
	r := e.create(key(1, "a"))
	e.appendTo(r, "one", "two")
	r.NextSeq = 10
	e.appendTo(r, "ten")
	e.dropSpan(r, driver.Span{From: 1, To: 10}, "one", "two", "ten")
	e.equal("log", e.log(1, r.Incarnation), []driver.Message(nil))
	for _, seq := range []uint64{0, 1, 2, 10} {
		put := cloneRecord(r)
		put.NextSeq = 20
		e.isError(e.mutate(r.Key, driver.Change{Put: put, Append: []driver.Message{message(seq, "again", "x")}}),
			driver.ErrInvalid)
	}
	lowered := cloneRecord(r)
	lowered.NextSeq--
	e.isError(e.mutate(r.Key, driver.Change{Put: lowered}), driver.ErrInvalid)
	ms := e.appendTo(r, "eleven")
	e.equal("log", e.log(1, r.Incarnation), ms)
	e.equal("number", ms[0].Seq, 11)
	e.equal("record", e.get(r.Key), r)
}

func checkReplace(e *env) {
	r := e.create(key(1, "a"))
	ms := e.appendTo(r, "one", "two", "three")
	r.Bytes += 3
	other := message(2, "another id", "two!!!")
	e.change(r.Key, driver.Change{Put: r, Replace: []driver.Message{other, message(3, "", "THREE")}})
	ms[1].Body, ms[2].Body = []byte("two!!!"), []byte("THREE")
	e.equal("log", e.log(1, r.Incarnation), ms)
	v := e.view(driver.Target{Key: r.Key, MessageIDs: []string{"m2", "another id"}, Span: driver.Span{From: 1, To: 9}})
	e.equal("refs", v.Refs, []driver.Ref{{Found: true, Seq: 2, Digest: message(2, "m2", "").Digest}, {}})
	e.equal("span", v.Span, driver.SpanUsage{Messages: 3, Bytes: 14})
	for _, absent := range []uint64{4, 77} {
		e.isError(e.mutate(r.Key,
			driver.Change{Replace: []driver.Message{message(1, "", "lost"), message(absent, "", "x")}}),
			driver.ErrNotFound)
	}
	e.equal("log", e.log(1, r.Incarnation), ms)
}

func checkDrop(e *env) {
	r := e.create(key(1, "a"))
	ms := e.appendTo(r, "a", "b", "c", "d", "e", "f", "g", "h")
	other := e.create(key(1, "ab"))
	rest := e.appendTo(other, "a", "b", "c", "d", "e")
	put := cloneRecord(r)
	put.Messages, put.Bytes = 3, put.Bytes-5
	e.change(r.Key,
		driver.Change{
			Put:  put,
			Drop: []driver.Span{{From: 7, To: 8}, {From: 2, To: 2}, {From: 4, To: 5}, {From: 5, To: 5}},
		})
	e.equal("log", e.log(1, r.Incarnation), []driver.Message{ms[0], ms[2], ms[5]})
	e.equal("span", e.view(driver.Target{Key: r.Key, Span: driver.Span{From: 1, To: 100}}).Span,
		driver.SpanUsage{Messages: 3, Bytes: 3})
	put.Messages, put.Bytes, put.NextSeq = 1, put.Bytes-2, 10
	e.change(r.Key,
		driver.Change{Put: put, Drop: []driver.Span{{From: 1, To: 8}}, Append: []driver.Message{message(9, "m9", "i")}})
	e.equal("log", e.log(1, r.Incarnation), []driver.Message{message(9, "m9", "i")})
	put.Messages, put.Bytes = 0, put.Bytes-1
	e.change(r.Key, driver.Change{Put: put, Drop: []driver.Span{{From: 1, To: ^uint64(0)}}})
	e.reclaim(1)
	e.equal("log", e.log(1, r.Incarnation), []driver.Message(nil))
	e.equal("the neighbour's log", e.log(1, other.Incarnation), rest)
}

func checkRefs(e *env) {
	r := e.create(key(1, "a"))
	ms := e.appendTo(r, "one", "two")
	e.dropSpan(r, driver.Span{From: 1, To: 2}, "one", "two")
	e.reclaim(1)
	t := driver.Target{Key: r.Key, MessageIDs: []string{"m1", "m2"}, Seqs: []uint64{1, 2}}
	want := []driver.Ref{{Found: true, Seq: 1, Digest: ms[0].Digest}, {Found: true, Seq: 2, Digest: ms[1].Digest}}
	v := e.view(t)
	e.equal("refs", v.Refs, want)
	e.equal("messages", v.Messages, []driver.Message{{}, {}})
	e.put(r, expiring(start))
	e.equal("refs of an expired session", e.view(t).Refs, want)
}

func checkIncarnation(e *env) {
	r := e.create(key(1, "a"))
	e.appendTo(r, "one", "two")
	k := driver.EntryKey{Namespace: 1, Kind: kindSession, Name: "n"}
	e.change(r.Key, driver.Change{Entries: []driver.Entry{{EntryKey: k, Value: []byte("old")}}})
	t := driver.Target{Key: r.Key, MessageIDs: []string{"m1"}, Seqs: []uint64{1}, Entries: []driver.EntryKey{k}}
	for _, again := range []driver.Change{{}, {Remove: true}} {
		old := r.Incarnation
		e.change(r.Key, again)
		r = e.create(key(1, "a"))
		v := e.view(t)
		e.equal("refs", v.Refs, []driver.Ref{{}})
		e.equal("messages", v.Messages, []driver.Message{{}})
		e.equal("entries", v.Entries, [][]byte{nil})
		e.equal("log", e.log(1, r.Incarnation), []driver.Message(nil))
		e.equal("old log", e.log(1, old), []driver.Message(nil))
		e.equal("old entries", e.names(driver.EntryQuery{Namespace: 1, Kind: kindSession, AllOwners: true}), []string{})
		ms := e.appendTo(r, "new")
		e.equal("log", e.log(1, r.Incarnation), ms)
		e.change(r.Key, driver.Change{Entries: []driver.Entry{{EntryKey: k, Value: []byte("new")}}})
		e.reclaim(3)
		e.equal("log", e.log(1, r.Incarnation), ms)
		e.equal("entries", e.view(t).Entries, [][]byte{[]byte("new")})
	}
}

func checkRemoved(e *env) {
	r := e.furnish(1)
	e.change(r.Key, driver.Change{Remove: true})
	gone := func() {
		e.equal("Get", e.get(r.Key), (*driver.Record)(nil))
		e.equal("log", e.log(1, r.Incarnation), []driver.Message(nil))
		e.equal("entries", e.names(driver.EntryQuery{Namespace: 1, Kind: kindSession, AllOwners: true}), []string{})
		e.equal("its entries",
			e.names(driver.EntryQuery{Namespace: 1, Kind: kindSession, Owner: string(r.Incarnation[:])}), []string{})
		v := e.view(driver.Target{Key: r.Key, MessageIDs: []string{"m1"}, Seqs: []uint64{1}})
		e.equal("refs", v.Refs, []driver.Ref{{}})
		e.equal("messages", v.Messages, []driver.Message{{}})
		e.equal("the user's entries", e.names(driver.EntryQuery{Namespace: 1, Kind: kindUser, Owner: "ann"}),
			[]string{"state"})
	}
	gone()
	e.reclaim(2)
	gone()
}

func checkLongLog(e *env) {
	r := e.create(key(1, "a"))
	var want []driver.Message
	for i := range 20 {
		var bodies []string
		for j := range 50 {
			bodies = append(bodies, fmt.Sprintf("%0*d", 10+j, i))
		}
		want = append(want, e.appendTo(r, bodies...)...)
	}
	e.equal("log", e.log(1, r.Incarnation), want)
	e.equal("record", e.get(r.Key), r)
	e.change(r.Key, driver.Change{Remove: true})
	e.reclaim(100)
	e.equal("log", e.log(1, r.Incarnation), []driver.Message(nil))
}
