package drivertest

import (
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

var stageChecks = []check{
	{name: "a staged log is invisible until it is put", run: checkStaged},
	{name: "a staged log is reclaimed after its time", run: checkStagedReclaim},
	{name: "Reclaim finds every staged log", run: checkStagedReclaimAll},
	{name: "a log that was put is not reclaimed", run: checkStagedKept},
	{name: "a staged log replaces another incarnation", run: checkStagedOver},
	{name: "numbers in a staged log are new", run: checkStagedNumbers},
}

// stage appends the messages from..to to a staged log.
func (e *env) stage(inc driver.Incarnation, until int64, from, to uint64) (ms []driver.Message) {
	for seq := from; seq <= to; seq++ {
		ms = append(ms, message(seq, fmt.Sprintf("m%d", seq), "staged"))
	}
	if err := e.mutate(key(1, ""), driver.Change{Stage: inc, StageUntil: until, Append: ms}); err != nil {
		fail(2, "stage: %v", err)
	}
	return ms
}

// fork returns a record that adopts a staged log of n messages.
func (e *env) fork(id string, inc driver.Incarnation, n uint64) *driver.Record {
	r := e.record(key(1, id))
	r.Incarnation = inc
	r.NextSeq = n + 1
	r.Messages = n
	r.Bytes += n * uint64(len("staged"))
	return r
}

func checkStaged(e *env) {
	inc := e.incarnation()
	ms := append(e.stage(inc, start+1000, 1, 10), e.stage(inc, start+1000, 12, 20)...)
	e.equal("log", e.log(1, inc), []driver.Message(nil))
	e.equal("count", e.count(driver.Query{Namespace: 1}), driver.Usage{})
	r := e.fork("a", inc, 20) // 19 staged messages with a gap, and one more
	r.NextSeq = 22
	last := message(21, "m21", "staged")
	e.change(r.Key, driver.Change{Put: r, Append: []driver.Message{last}})
	e.equal("log", e.log(1, inc), append(ms, last))
	v := e.view(driver.Target{Key: r.Key, MessageIDs: []string{"m3", "m11", "m21"}, Span: driver.Span{From: 1, To: 99}})
	e.equal("refs", v.Refs,
		[]driver.Ref{{Found: true, Seq: 3, Digest: ms[2].Digest}, {}, {Found: true, Seq: 21, Digest: last.Digest}})
	e.equal("span", v.Span, driver.SpanUsage{Messages: 20, Bytes: 120})
}

func checkStagedReclaim(e *env) {
	inc := e.incarnation()
	other := e.incarnation()
	e.stage(inc, start+1000, 1, 5)
	e.stage(inc, start+2000, 6, 10)
	e.stage(other, start+9000, 1, 5)
	e.now.Store(start + 1999)
	e.reclaim(3)
	r := e.fork("probe", other, 5)
	e.now.Store(start + 2000)
	e.reclaim(3)
	e.change(r.Key, driver.Change{Put: r})
	e.equal("a log staged for longer", len(e.log(1, other)), 5)
	empty := e.record(key(1, "late"))
	empty.Incarnation = inc
	e.change(empty.Key, driver.Change{Put: empty})
	e.equal("a log put too late", e.log(1, inc), []driver.Message(nil))
	e.equal("its refs", e.view(driver.Target{Key: empty.Key, MessageIDs: []string{"m1"}}).Refs, []driver.Ref{{}})
}

func checkStagedReclaimAll(e *env) {
	var staged []driver.Incarnation
	for range 5 {
		staged = append(staged, e.incarnation())
		e.stage(staged[len(staged)-1], start, 1, 3)
	}
	e.reclaim(1)
	for i, inc := range staged {
		r := e.record(key(1, fmt.Sprint(i)))
		r.Incarnation = inc
		e.change(r.Key, driver.Change{Put: r})
		e.equal("a log put too late", e.log(1, inc), []driver.Message(nil))
	}
}

func checkStagedKept(e *env) {
	inc := e.incarnation()
	ms := e.stage(inc, start+1000, 1, 5)
	e.now.Store(start + 999)
	e.reclaim(100)
	r := e.fork("a", inc, 5)
	e.change(r.Key, driver.Change{Put: r})
	e.now.Store(start + 5000)
	e.reclaim(1)
	e.equal("log", e.log(1, inc), ms)
	e.appendTo(r, "more")
	e.equal("messages", len(e.log(1, inc)), 6)
	e.change(r.Key, driver.Change{Remove: true})
	e.equal("log", e.log(1, inc), []driver.Message(nil))
}

func checkStagedOver(e *env) {
	old := e.create(key(1, "a"))
	e.appendTo(old, "old", "older")
	inc := e.incarnation()
	ms := e.stage(inc, start+1000, 1, 3)
	r := e.fork("a", inc, 3)
	r.Bytes += 2
	ms[1].Body = []byte("replaced")
	e.change(r.Key, driver.Change{Put: r, Replace: []driver.Message{ms[1]}})
	e.equal("log", e.log(1, inc), ms)
	e.equal("old log", e.log(1, old.Incarnation), []driver.Message(nil))
	e.equal("count", e.count(driver.Query{Namespace: 1}).Messages, 3)
}

func checkStagedNumbers(e *env) {
	inc := e.incarnation()
	e.stage(inc, start+1000, 1, 3)
	for _, seq := range []uint64{1, 3} {
		c := driver.Change{
			Stage: inc, StageUntil: start + 1000,
			Append: []driver.Message{message(seq, "again", "x"), message(9, "m9", "x")},
		}
		e.isError(e.mutate(key(1, ""), c), driver.ErrInvalid)
	}
	r := e.fork("a", inc, 3)
	r.NextSeq = 10
	again := driver.Change{Put: r, Append: []driver.Message{message(2, "again", "x")}}
	e.isError(e.mutate(r.Key, again), driver.ErrInvalid)
	e.change(r.Key, driver.Change{Put: r})
	e.equal("messages", len(e.log(1, inc)), 3)
	e.equal("refs", e.view(driver.Target{Key: r.Key, MessageIDs: []string{"again", "m9"}}).Refs, []driver.Ref{{}, {}})
}
