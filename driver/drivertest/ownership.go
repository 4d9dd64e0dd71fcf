package drivertest

import (
	"fmt"
	"slices"

	"github.com/seshatdb/seshat/driver"
)

var ownershipChecks = []check{
	{name: "what was handed in is the caller's again", run: checkHandedIn},
	{name: "what was handed out may be changed", run: checkHandedOut},
	{name: "what was handed out stays as it was", run: checkHandedOutStays},
	{name: "a plan may keep the texts of its record", run: checkPlanKeepsTexts},
}

func scribble(b []byte) {
	for i := range b {
		b[i] = '#'
	}
}

// checkHandedIn overwrites all memory of a change after the change was made.
func checkHandedIn(e *env) {
	r := e.record(key(1, "a"), byUser("ann"), labelled("a", "1", "b", "2"))
	want := cloneRecord(r)
	want.NextSeq, want.Messages, want.Bytes = 2, 1, want.Bytes+3
	r.NextSeq = 2
	r.Messages = 1
	r.Bytes = want.Bytes
	c := driver.Change{
		Put:    r,
		Append: []driver.Message{message(1, "m1", "one")},
		Entries: []driver.Entry{{
			EntryKey: driver.EntryKey{Namespace: 1, Kind: kindSession, Name: "n"},
			Value:    []byte("value"),
		}},
		Events: []driver.Event{{Time: 5, ID: "a"}},
	}
	e.change(r.Key, c)
	scribble(r.Body)
	r.Labels[0] = driver.Label{Name: "#", Value: "#"}
	*r = driver.Record{}
	scribble(c.Append[0].Body)
	scribble(c.Entries[0].Value)
	c.Events[0] = driver.Event{}
	e.equal("record", e.get(want.Key), want)
	e.equal("log", e.log(1, want.Incarnation), []driver.Message{message(1, "m1", "one")})
	k := driver.EntryKey{Namespace: 1, Kind: kindSession, Name: "n"}
	e.equal("entry", e.view(driver.Target{Key: want.Key, Entries: []driver.EntryKey{k}}).Entries,
		[][]byte{[]byte("value")})
	e.equal("feed", e.feed(1, 0).Events, []driver.Event{{Position: 1, Time: 5, ID: "a"}})
	body := message(1, "", "edited")
	want.Bytes += 3
	e.change(want.Key, driver.Change{Put: cloneRecord(want), Replace: []driver.Message{body}})
	scribble(body.Body)
	e.equal("edited log", e.log(1, want.Incarnation), []driver.Message{message(1, "m1", "edited")})
}

// checkHandedOut overwrites all results of reads, and reads again.
func checkHandedOut(e *env) {
	r := e.furnish(1)
	was := e.showWorld(1)
	got := e.get(r.Key)
	scribble(got.Body)
	got.Labels[0] = driver.Label{}
	for _, l := range e.list(driver.Query{Namespace: 1}) {
		scribble(l.Body)
		clear(l.Labels)
	}
	for _, m := range e.log(1, r.Incarnation) {
		scribble(m.Body)
	}
	for _, kind := range kinds {
		for _, entry := range e.entries(driver.EntryQuery{Namespace: 1, Kind: kind, AllOwners: true}) {
			scribble(entry.Value)
		}
	}
	clear(e.feed(1, 0).Events)
	clear(e.due(driver.Never - 1))
	e.expectUnchanged(was, 1)
}

// checkHandedOutStays keeps results across writes that reuse an engine's pages
// and, if the engine can be reopened, across Close.
func checkHandedOutStays(e *env) {
	r := e.furnish(1)
	answers := func() []any {
		return []any{
			e.get(r.Key), e.list(driver.Query{Namespace: 1}), e.log(1, r.Incarnation),
			e.entries(driver.EntryQuery{Namespace: 1, Kind: kindUser, AllOwners: true}), e.feed(1, 0),
			e.due(driver.Never - 1),
		}
	}
	kept := answers()
	var was []string
	for _, a := range kept {
		was = append(was, show(a))
	}
	for i := range 30 {
		e.put(r, func(r *driver.Record) { r.Body = fmt.Appendf(nil, "%01000d", i); r.Bytes = 1000 + 11 })
		k := key(2, fmt.Sprint(i))
		e.create(k, byUser("other tenant"), labelled("other", "tenant"))
		if i%3 == 0 {
			e.change(k, driver.Change{Remove: true})
		}
	}
	for i, a := range kept {
		e.equal("an answer kept over writes", show(a), was[i])
	}
	e.must(e.d.Close())
	for i, a := range kept {
		e.equal("an answer kept over Close", show(a), was[i])
	}
}

// checkPlanKeepsTexts keeps the body and the strings of a plan's record across
// later ops, which reuse the driver's memory.
func checkPlanKeepsTexts(e *env) {
	r := e.furnish(1)
	kept := e.plannedRecord(r.Key)
	was := show(kept)
	for i := range 30 {
		e.put(r, func(r *driver.Record) {
			r.Body = slices.Clone(r.Body) // of one length, so that a buffer would fit
			scribble(r.Body[:1+i%len(r.Body)])
		})
		e.plannedRecord(r.Key)
	}
	e.equal("a plan's record that was kept", show(kept), was)
}

// plannedRecord returns the record that a plan sees at k, with the plan's own
// body and strings.
func (e *env) plannedRecord(k driver.Key) (r driver.Record) {
	e.must(e.d.Mutate(e.ctx, e.plan(driver.Target{Key: k}, func(v driver.View) (driver.Change, error) {
		r = *v.Record
		r.Labels = slices.Clone(r.Labels)
		return driver.Change{}, nil
	})))
	return r
}
