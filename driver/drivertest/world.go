package drivertest

import (
	"fmt"
	"strings"

	"github.com/seshatdb/seshat/driver"
)

// The checks use entries of these kinds.
const (
	kindPlain   uint8 = 0x01
	kindUser    uint8 = driver.KindUser | 0x02
	kindSession uint8 = driver.KindSession | 0x03
)

var kinds = []uint8{kindPlain, kindUser, kindSession}

// showWorld prints everything that a driver shows of these namespaces and of
// the store, to compare two moments.
func (e *env) showWorld(namespaces ...uint64) string {
	var b strings.Builder
	for _, n := range append([]uint64{0}, namespaces...) {
		b.WriteString(e.showSpace(n))
	}
	fmt.Fprintf(&b, "due %v\n", e.due(driver.Never-1))
	if !e.d.Caps().Shared {
		fmt.Fprintf(&b, "clock %s\n", show(e.entries(driver.EntryQuery{Kind: driver.KindClock})))
	}
	return b.String()
}

// showSpace prints everything that a driver shows of one namespace, except due
// entries.
func (e *env) showSpace(n uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "== namespace %d\n", n)
	e.showSessions(&b, n)
	for _, kind := range kinds {
		fmt.Fprintf(&b, "entries %s\n", show(e.entries(driver.EntryQuery{Namespace: n, Kind: kind, AllOwners: true})))
	}
	if n > 0 {
		const beyond = 1 << 62
		fmt.Fprintf(&b, "feed %s\n", show(e.feed(n, e.feed(n, beyond).Tail)))
	}
	return b.String()
}

// showSessions prints all stored sessions, including expired ones.
func (e *env) showSessions(b *strings.Builder, n uint64) {
	const anyTime = 1
	records := e.list(driver.Query{Namespace: n, Now: anyTime})
	fmt.Fprintf(b, "by creation %s\n", show(records))
	fmt.Fprintf(b, "by activity %q\n",
		e.ids(driver.Query{Namespace: n, Now: anyTime, Order: driver.ByActivity, Desc: true}))
	for _, r := range records {
		fmt.Fprintf(b, "log of %q %s\n", r.ID, show(e.log(n, r.Incarnation)))
	}
	for _, now := range []int64{anyTime, e.now.Load()} {
		fmt.Fprintf(b, "at %d: %+v", now, e.count(driver.Query{Namespace: n, Now: now}))
		fmt.Fprintf(b, " active %+v\n", e.count(driver.Query{Namespace: n, Now: now, Statuses: 1}))
	}
}

// expectUnchanged fails if the world differs from was.
func (e *env) expectUnchanged(was string, namespaces ...uint64) {
	if is := e.showWorld(namespaces...); is != was {
		fail(2, "a trace was left\n--- was\n%s\n--- is\n%s", was, is)
	}
}

// furnish fills a namespace with a few items of every kind.
func (e *env) furnish(n uint64) *driver.Record {
	r := e.create(key(n, "furnished"), byUser("ann"), labelled("colour", "red", "size", "xl"),
		dueAt(start+500), expiring(start+1_000_000), withStatus(2))
	e.appendTo(r, "one", "two", "three")
	e.change(r.Key, driver.Change{
		Entries: []driver.Entry{
			{EntryKey: driver.EntryKey{Namespace: n, Kind: kindSession, Name: "state"}, Value: []byte("s")},
			{EntryKey: driver.EntryKey{Namespace: n, Kind: kindUser, Owner: "ann", Name: "state"}, Value: []byte("u")},
			{EntryKey: driver.EntryKey{Namespace: n, Kind: kindPlain, Name: "state"}, Value: []byte("n")},
		},
		Events: []driver.Event{
			{Time: start, ID: r.ID, Kind: 1, Version: 1},
			{Time: start, ID: r.ID, Kind: 2, Version: 2},
		},
	})
	e.create(key(n, "overdue"), byUser("bob"), expiring(start), dueAt(start))
	e.create(key(n, "plain"), byUser("bob"), createdAt(start+5), activeAt(start+minute))
	return r
}
