package drivertest

import (
	"context"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// A driver without Load passes these checks.
var loadChecks = []check{
	{name: "a copy answers as what was copied", run: checkLoad},
	{name: "a copy goes on like what was copied", run: checkLoadGoesOn},
	{name: "steps of any size, over reopening", run: checkLoadSteps},
	{name: "the largest values", run: checkLoadLargest},
	{name: "a driver that was used is refused", run: checkLoadUsed},
	{name: "the note must be the one that is stored", run: checkLoadNote},
	{name: "parts that cannot be kept leave no trace", run: checkLoadInvalid},
	{name: "a context that ended, a closed driver", run: checkLoadEnded},
}

// newCopy returns a new driver that can load the dump of this one. ok is false
// if there is none.
func (e *env) newCopy() (to driver.Loader, ok bool) {
	if _, ok := e.d.(driver.Dumper); !ok {
		return nil, false
	}
	if _, ok := e.d.(driver.Loader); !ok {
		return nil, false
	}
	return e.h.Open(e.tb).(driver.Loader), true
}

// moveToCopy replaces the driver by a copy in a new one. ok is false if the
// driver cannot be copied.
func (e *env) moveToCopy(size func() int) (ok bool) {
	to, ok := e.newCopy()
	if !ok {
		return false
	}
	parts, _ := e.dumped(nil)
	e.d = to.(driver.Driver)
	e.load(nil, nil, parts, size)
	again, _ := e.dumped(nil)
	e.sameParts(again, parts)
	e.audit()
	return true
}

// load loads parts in steps whose sizes size returns. The stored note is was
// before the first step and end after the last.
func (e *env) load(was, end []byte, parts []driver.Part, size func() int) {
	for len(parts) > 0 {
		n := min(size(), len(parts))
		note := fmt.Appendf(nil, "%d are left", len(parts)-n)
		e.must(e.d.(driver.Loader).Load(e.ctx, driver.Load{Parts: parts[:n], Was: was, Note: note}))
		e.equal("note", e.note(), note)
		was = note
		parts = parts[n:]
	}
	e.must(e.d.(driver.Loader).Load(e.ctx, driver.Load{Was: was, Note: end}))
	e.equal("note", e.note(), end)
}

// note returns the note that the driver stored with its last load.
func (e *env) note() []byte {
	found := e.entries(driver.EntryQuery{Kind: driver.KindLoad})
	if len(found) == 0 {
		return nil
	}
	e.equal("note's key", found[0].EntryKey, driver.EntryKey{Kind: driver.KindLoad})
	return found[0].Value
}

func steps(n int) func() int { return func() int { return n } }

func checkLoad(e *env) {
	e.createAllParts()
	was := e.showWorld(1, 1<<33)
	e.moveToCopy(steps(7))
	e.expectUnchanged(was, 1, 1<<33)
}

func checkLoadGoesOn(e *env) {
	r := e.createAllParts()
	staged := driver.Incarnation{}
	parts, ok := e.dumped(nil)
	if !ok {
		return
	}
	for _, p := range parts {
		if p.Kind == driver.PartStage {
			staged = p.Incarnation
		}
	}
	e.moveToCopy(steps(100))
	v := e.view(driver.Target{Key: r.Key, MessageIDs: []string{"m1", "m2", "m3", "m4", "m6"}, Usage: true})
	e.equal("refs", []uint64{v.Refs[0].Seq, v.Refs[1].Seq, v.Refs[2].Seq, v.Refs[3].Seq, v.Refs[4].Seq},
		[]uint64{1, 2, 3, 4, 0})
	e.equal("digest of a dropped message", v.Refs[1].Digest, message(2, "m2", "").Digest)
	e.equal("feed", []uint64{v.FeedTail, v.FeedHead}, []uint64{1, 2})
	e.equal("usage", v.Usage.Sessions, [driver.Statuses]uint64{0: 2, 2: 1})
	e.isTrue(v.Now >= start, "now ran backwards")

	e.appendTo(r, "six")
	e.change(r.Key, driver.Change{Events: []driver.Event{{ID: r.ID}}})
	e.equal("next position", e.feed(1, 2).Events[0].Position, uint64(3))
	adopted := e.fork("adopted", staged, 3)
	e.change(adopted.Key, driver.Change{Put: adopted})
	e.equal("adopted log", len(e.log(1, staged)), 3)
	e.change(key(1, ""), erasing(1, "ann"))
	e.reclaim(50)
	e.equal("count", e.count(driver.Query{Namespace: 1, Now: 1}).Sessions, [driver.Statuses]uint64{3})
	e.audit()
}

func checkLoadSteps(e *env) {
	e.createAllParts()
	was := e.showWorld(1, 1<<33)
	parts, ok := e.dumped(nil)
	to, can := e.newCopy()
	if !ok || !can {
		return
	}
	e.d = to.(driver.Driver)
	var note []byte
	for i := range parts {
		next := fmt.Appendf(nil, "%d", i)
		e.must(e.d.(driver.Loader).Load(e.ctx, driver.Load{Parts: parts[i : i+1], Was: note, Note: next}))
		if note = next; i%8 == 0 && e.h.Reopen != nil {
			e.reopen()
		}
		so, _ := e.dumped(nil)
		e.sameParts(so, parts[:i+1])
	}
	e.must(e.d.(driver.Loader).Load(e.ctx, driver.Load{Was: note}))
	e.expectUnchanged(was, 1, 1<<33)
}

func checkLoadLargest(e *env) {
	checkLargest(e)
	was := e.showWorld(1)
	e.moveToCopy(steps(100))
	e.expectUnchanged(was, 1)
}

func checkLoadUsed(e *env) {
	l, ok := e.d.(driver.Loader)
	if !ok {
		return
	}
	e.furnish(1)
	was := e.showWorld(1, 2)
	r := e.record(key(2, "a"))
	parts := []driver.Part{{Kind: driver.PartRecord, Namespace: 2, Record: *r}}
	for _, load := range []driver.Load{
		{Parts: parts}, {Parts: parts, Note: []byte("n")}, {Parts: parts, Was: []byte("n")}, {Note: []byte("n")},
	} {
		e.isError(l.Load(e.ctx, load), driver.ErrNotEmpty)
		e.expectUnchanged(was, 1, 2)
		e.equal("note", e.note(), []byte(nil))
	}
}

func checkLoadNote(e *env) {
	l, ok := e.d.(driver.Loader)
	if !ok {
		return
	}
	part := func(id string) []driver.Part {
		return []driver.Part{{Kind: driver.PartRecord, Namespace: 1, Record: *e.record(key(1, id))}}
	}
	e.isError(l.Load(e.ctx, driver.Load{Was: []byte("none"), Note: []byte("one")}), driver.ErrNotEmpty)
	e.must(l.Load(e.ctx, driver.Load{Parts: part("a"), Note: []byte("one")}))
	was := e.showWorld(1)
	for _, stale := range [][]byte{nil, []byte("on"), []byte("two")} {
		e.isError(l.Load(e.ctx, driver.Load{Parts: part("b"), Was: stale, Note: []byte("two")}), driver.ErrNotEmpty)
		e.expectUnchanged(was, 1)
		e.equal("note", e.note(), []byte("one"))
	}
	e.isError(e.mutate(key(1, "a"), driver.Change{Entries: []driver.Entry{
		{EntryKey: driver.EntryKey{Kind: driver.KindLoad}, Value: []byte("x")},
	}}), driver.ErrInvalid)
	e.must(l.Load(e.ctx, driver.Load{Parts: part("b"), Was: []byte("one"), Note: []byte("two")}))
	e.must(l.Load(e.ctx, driver.Load{Was: []byte("two")}))
	e.equal("note", e.note(), []byte(nil))
	e.equal("count", e.count(driver.Query{Namespace: 1}).Sessions[0], uint64(2))
	e.isError(l.Load(e.ctx, driver.Load{Parts: part("c"), Note: []byte("three")}), driver.ErrNotEmpty)
}

func checkLoadInvalid(e *env) {
	l, ok := e.d.(driver.Loader)
	if !ok {
		return
	}
	record := func(edits ...edit) driver.Part {
		r := e.record(key(1, "a"))
		for _, edit := range edits {
			edit(r)
		}
		return driver.Part{Kind: driver.PartRecord, Namespace: 1, Record: *r}
	}
	log := func(m driver.Message) driver.Part {
		return driver.Part{Kind: driver.PartMessage, Namespace: 1, Incarnation: driver.Incarnation{1}, Message: m}
	}
	for _, bad := range []driver.Part{
		{},
		{Kind: driver.PartRef + 1},
		record(withStatus(driver.Statuses)), record(dueAt(-1)), record(labelled("b", "", "a", "")),
		{Kind: driver.PartRecord, Namespace: 2, Record: record().Record},
		{Kind: driver.PartFeed, Namespace: 1, Tail: 1},
		{
			Kind:  driver.PartEntry,
			Entry: driver.Entry{EntryKey: driver.EntryKey{Kind: driver.KindLoad}, Value: []byte("x")},
		},
		log(driver.Message{ID: "m"}), log(driver.Message{Seq: 1}), log(message(1, tooLong, "")),
	} {
		parts := []driver.Part{{Kind: driver.PartClock, Time: start}, bad}
		e.isError(l.Load(e.ctx, driver.Load{Parts: parts, Note: []byte("n")}), driver.ErrInvalid)
	}
	e.isError(l.Load(e.ctx, driver.Load{Parts: []driver.Part{record(), record()}}), driver.ErrInvalid)
	large := record()
	large.Record.Body = largest(e.d.Caps().MaxRecord + 1)
	e.isError(l.Load(e.ctx, driver.Load{Parts: []driver.Part{large}}), driver.ErrTooLarge)
	e.isError(l.Load(e.ctx, driver.Load{Note: largest(e.d.Caps().MaxEntry + 1)}), driver.ErrTooLarge)
	e.isError(l.Load(e.ctx, driver.Load{Note: []byte{}}), driver.ErrInvalid)
	e.isError(l.Load(e.ctx, driver.Load{Was: []byte{}}), driver.ErrInvalid)
	e.equal("note", e.note(), []byte(nil))
	e.must(l.Load(e.ctx, driver.Load{Parts: []driver.Part{record()}}))
	e.equal("count", e.count(driver.Query{Namespace: 1}).Sessions[0], uint64(1))
}

func checkLoadEnded(e *env) {
	l, ok := e.d.(driver.Loader)
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	e.isError(l.Load(ctx, driver.Load{Note: []byte("n")}), context.Canceled)
	e.equal("note", e.note(), []byte(nil))
	e.must(e.d.Close())
	e.isError(l.Load(e.ctx, driver.Load{Note: []byte("n")}), driver.ErrClosed)
}
