package drivertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// A driver without Dump passes these checks.
var dumpChecks = []check{
	{name: "everything once, in order", run: checkDump},
	{name: "from any place on", run: checkDumpAfter},
	{name: "what is invisible is left out", run: checkDumpInvisible},
	{name: "the function's error ends it", run: checkDumpEnds},
	{name: "all is of one moment", run: checkDumpSnapshot},
	{name: "a driver that is read-only has it too", run: checkDumpReadOnly, needs: canReadOnly},
}

// dumped returns copies of all parts after a place. ok is false if the driver
// cannot dump.
func (e *env) dumped(after *driver.Place) (parts []driver.Part, ok bool) {
	d, ok := e.d.(driver.Dumper)
	if !ok {
		return nil, false
	}
	err := d.Dump(e.ctx, after, func(p *driver.Part) error {
		parts = append(parts, p.Clone())
		return nil
	})
	if err != nil {
		fail(2, "Dump: %v", err)
	}
	return parts, true
}

// createAllParts fills the driver with parts of every kind.
func (e *env) createAllParts() *driver.Record {
	r := e.furnish(1)
	other := e.furnish(1 << 33)
	e.change(r.Key, driver.Change{TrimFeed: 1})
	e.appendTo(r, "four", "")
	e.dropSpan(r, driver.Span{From: 2, To: 3}, "two", "three")
	e.dropSpan(other, driver.Span{From: 1, To: 3}, "one", "two", "three")
	e.change(key(1, ""), driver.Change{Entries: []driver.Entry{
		{EntryKey: driver.EntryKey{Kind: kindPlain, Owner: "o", Name: "store"}, Value: []byte("v")},
		{EntryKey: driver.EntryKey{Kind: kindPlain, Owner: "long owner", Name: ""}, Value: []byte{}},
		{
			EntryKey: driver.EntryKey{Namespace: 1, Kind: kindUser, Owner: "nobody's", Name: "\xff\x00"},
			Value:    []byte("v"),
		},
	}})
	e.stage(e.incarnation(), start+10, 1, 3)
	return r
}

func showPart(p *driver.Part) string {
	return fmt.Sprintf("%d in %d of %x: time=%d feed=%d..%d %s %s %s %s", p.Kind, p.Namespace, p.Incarnation, p.Time,
		p.Tail, p.Head,
		showEvent(&p.Event), showEntry(&p.Entry), showRecord(&p.Record), showMessage(&p.Message))
}

func (e *env) sameParts(got, want []driver.Part) {
	if g, w := showAll(got, showPart), showAll(want, showPart); g != w {
		fail(2, "parts:\n got %s\nwant %s", g, w)
	}
}

func checkDump(e *env) {
	parts, ok := e.dumped(nil)
	if !ok {
		return
	}
	e.sameParts(parts, nil)
	e.createAllParts()
	parts, _ = e.dumped(nil)
	var of [driver.PartRef + 1]int
	for i := range parts {
		of[parts[i].Kind]++
		if i > 0 {
			e.isTrue(parts[i-1].Place().Compare(parts[i].Place()) < 0, "%+v comes before %+v", parts[i-1].Place(),
				parts[i].Place())
		}
	}
	// The kinds are: clock, feeds, events, records, staged logs, entries,
	// messages, message ids.
	e.equal("parts by kind", of, [driver.PartRef + 1]int{0, 1, 2, 3, 6, 1, 9, 6, 5})
	e.must((&driver.Load{Parts: parts}).Validate(e.d.Caps()))
	for _, p := range parts {
		switch p.Kind {
		case driver.PartRecord:
			e.equal("record", &p.Record, e.listed(p.Record.Key))
		case driver.PartFeed:
			f := e.feed(p.Namespace, p.Tail)
			e.equal("feed", []uint64{p.Tail, p.Head}, []uint64{f.Tail, f.Head})
		}
	}
}

// listed returns the record at k, even if it has expired.
func (e *env) listed(k driver.Key) *driver.Record {
	for _, r := range e.list(driver.Query{Namespace: k.Namespace, Now: 1}) {
		if r.Key == k {
			return &r
		}
	}
	return nil
}

func checkDumpAfter(e *env) {
	e.createAllParts()
	parts, ok := e.dumped(nil)
	if !ok {
		return
	}
	for i := range parts {
		at := parts[i].Place()
		rest, _ := e.dumped(&at)
		e.sameParts(rest, parts[i+1:])
	}
	for _, between := range []driver.Place{
		{Kind: driver.PartRecord, Namespace: 1, Name: "g"},
		{Kind: driver.PartMessage, Namespace: 1, Incarnation: driver.Incarnation{1, 0x8b}, Number: 7},
		{Kind: driver.PartEntry, Namespace: 1, Number: uint64(kindUser), Owner: "b", Name: "z"},
		{Kind: driver.PartEvent, Namespace: 2},
		{Kind: driver.PartRef, Namespace: 1},
		{Kind: driver.PartRef + 1},
	} {
		rest, _ := e.dumped(&between)
		n := len(parts)
		for n > 0 && parts[n-1].Place().Compare(between) > 0 {
			n--
		}
		e.sameParts(rest, parts[n:])
	}
}

func checkDumpInvisible(e *env) {
	e.createAllParts()
	r := e.create(key(1, "gone"), byUser("gone"))
	e.appendTo(r, "one", "two")
	e.change(key(2, "a"), driver.Change{Put: e.record(key(2, "a")), Events: []driver.Event{{ID: "a"}}})
	e.change(r.Key, driver.Change{Entries: []driver.Entry{
		{EntryKey: driver.EntryKey{Namespace: 1, Kind: kindSession, Name: "n"}, Value: []byte("v")},
		{EntryKey: driver.EntryKey{Namespace: 1, Kind: kindUser, Owner: "gone", Name: "n"}, Value: []byte("v")},
	}})
	e.change(key(1, ""), erasing(1, "gone"))
	e.change(key(1, ""), erasing(2, ""))
	before, ok := e.dumped(nil)
	if !ok {
		return
	}
	for i := range before {
		e.isTrue(before[i].Namespace != 2 && !strings.Contains(showPart(&before[i]), "gone"), "%s",
			showPart(&before[i]))
	}
	for {
		got, err := e.d.Reclaim(e.ctx, start, 100)
		e.must(err)
		if !got.More {
			break
		}
	}
	after, _ := e.dumped(nil)
	e.sameParts(after, before)
}

func checkDumpEnds(e *env) {
	d, ok := e.d.(driver.Dumper)
	if !ok {
		return
	}
	e.createAllParts()
	parts, _ := e.dumped(nil)
	enough := errors.New("enough")
	for _, limit := range []int{0, 1, len(parts) / 2, len(parts) - 1} {
		n := 0
		err := d.Dump(e.ctx, nil, func(*driver.Part) error {
			if n++; n > limit {
				return enough
			}
			return nil
		})
		e.isTrue(err == enough && n == limit+1, "Dump returned %v after %d parts", err, n)
	}
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	e.isError(d.Dump(ctx, nil, func(*driver.Part) error { return nil }), context.Canceled)
	e.must(e.d.Close())
	e.isError(d.Dump(e.ctx, nil, func(*driver.Part) error { return nil }), driver.ErrClosed)
}

// checkDumpSnapshot writes during a Dump, which must not show the writes.
func checkDumpSnapshot(e *env) {
	d, ok := e.d.(driver.Dumper)
	if !ok {
		return
	}
	r := e.createAllParts()
	want, _ := e.dumped(nil)
	var got []driver.Part
	wrote := make(chan error, 1)
	write := func() {
		next := cloneRecord(r)
		next.NextSeq = r.NextSeq + 1
		next.Messages = r.Messages + 1
		next.Bytes = r.Bytes + 4
		c := driver.Change{Put: next, Append: []driver.Message{message(r.NextSeq, "late", "late")}}
		wrote <- e.d.Mutate(e.ctx, e.op(r.Key, c))
	}
	e.must(d.Dump(e.ctx, nil, func(p *driver.Part) error {
		if len(got) == 0 {
			go write()
			// An engine may delay the write until the dump ends.
			select {
			case err := <-wrote:
				wrote <- err
			case <-time.After(time.Second):
			}
		}
		got = append(got, p.Clone())
		return nil
	}))
	e.must(<-wrote)
	e.sameParts(got, want)
}

func checkDumpReadOnly(e *env) {
	e.createAllParts()
	want, ok := e.dumped(nil)
	if !ok {
		return
	}
	e.d = e.h.ReadOnly(e.tb, e.d)
	got, _ := e.dumped(nil)
	e.sameParts(got, want)
	if l, ok := e.d.(driver.Loader); ok {
		e.isError(l.Load(e.ctx, driver.Load{Note: []byte("n")}), driver.ErrReadOnly)
	}
}
