package drivertest

import (
	"fmt"
	"strings"

	"github.com/seshatdb/seshat/driver"
)

var readChecks = []check{
	{name: "every field comes back", run: checkFields},
	{name: "a record is gone at the moment it expires", run: checkExpiry},
	{name: "what was never there is not found", run: checkAbsent},
	{name: "Get may reuse what it is given", run: checkInto},
	{name: "a write is read by the next call", run: checkReadYourWrites},
}

func checkFields(e *env) {
	full := e.record(key(9, "full"), byUser("ann"), withStatus(driver.Statuses-1),
		labelled("a", "", "b", "x", "ü", "ö"),
		createdAt(1), activeAt(7*minute), dueAt(3), expiring(start+1))
	full.Version = 1<<63 + 1
	full.NextSeq = 1<<62 + 3
	full.Body = []byte{0, 0xff, 0x80, '\n'}
	full.Bytes = 4
	empty := e.record(key(9, "empty"), createdAt(0), activeAt(0))
	empty.Version = 0
	empty.NextSeq = 1
	empty.Body = nil
	empty.Bytes = 0
	late := e.record(key(9, "late"), createdAt(driver.Never-1), expiring(driver.Never-1), dueAt(driver.Never-1))
	late.ActiveMinute = driver.Never / minute
	for _, r := range []*driver.Record{full, empty, late} {
		e.change(r.Key, driver.Change{Put: r})
		e.equal("Get", e.get(r.Key), r)
		e.equal("View", e.view(driver.Target{Key: r.Key}).Record, r)
	}
	e.equal("List", e.list(driver.Query{Namespace: 9}), []driver.Record{*empty, *full, *late})
}

func checkExpiry(e *env) {
	r := e.create(key(1, "a"), byUser("ann"), labelled("l", "v"), expiring(start+1000))
	e.create(key(1, "never"), expiring(driver.Never))
	for _, at := range []int64{start, start + 999, start + 1000, start + 1001, driver.Never - 1} {
		live := at < r.Expires
		e.equal("Get", e.getAt(r.Key, at) != nil, live)
		for _, q := range []driver.Query{
			{},
			{Order: driver.ByActivity, Desc: true},
			{UserID: "ann"},
			{Statuses: 1},
			{Labels: r.Labels},
		} {
			q.Namespace = 1
			q.Now = at
			found := 0
			for _, got := range e.list(q) {
				if got.ID == "a" {
					found++
				}
			}
			e.equal("List", found == 1, live)
			e.equal("Count", e.count(q).Sessions[0], len(e.list(q)))
		}
		e.isTrue(e.getAt(key(1, "never"), at) != nil, "Never came at %d", at)
	}
	e.put(r, expiring(start+5000))
	e.isTrue(e.getAt(r.Key, start+4999) != nil, "a later deadline does not count")
	e.put(r, expiring(start+10))
	e.isTrue(e.getAt(r.Key, start+10) == nil, "an earlier deadline does not count")
}

func checkAbsent(e *env) {
	e.create(key(1, "a"))
	for _, k := range []driver.Key{key(2, "a"), key(1, "b"), key(1, "A"), key(1, "a\x00"), key(0, "a")} {
		e.isError(e.d.Get(e.ctx, k, start, &driver.Record{}), driver.ErrNotFound)
	}
	e.equal("log", e.log(1, driver.Incarnation{1}), []driver.Message(nil))
	e.equal("log elsewhere", e.log(2, driver.Incarnation{1}), []driver.Message(nil))
	e.equal("feed", e.feed(2, 0), driver.Feed{})
	e.equal("entries", e.names(driver.EntryQuery{Namespace: 1, Kind: kindPlain}), []string{})
	e.equal("count", e.count(driver.Query{Namespace: 2}), driver.Usage{})
	e.equal("due", e.due(driver.Never-1), []driver.Due(nil))
}

// checkInto reads records of different sizes into the same record.
func checkInto(e *env) {
	var want []*driver.Record
	for i, size := range []int{3000, 0, 10, 9000, 1} {
		r := e.record(key(1, fmt.Sprintf("%d%s", i, strings.Repeat("x", i*20))), byUser(strings.Repeat("u", i)))
		for l := range i {
			r.Labels = append(r.Labels, driver.Label{Name: fmt.Sprintf("l%d", l), Value: "v"})
		}
		r.Body = []byte(strings.Repeat(string(rune('a'+i)), size))
		r.Bytes = uint64(size)
		e.change(r.Key, driver.Change{Put: r})
		want = append(want, r)
	}
	var into driver.Record
	for i := range 3 * len(want) {
		r := want[(i*2)%len(want)]
		e.must(e.d.Get(e.ctx, r.Key, start, &into))
		e.equal("Get", &into, r)
		if i%3 == 0 {
			e.isError(e.d.Get(e.ctx, key(1, "absent"), start, &into), driver.ErrNotFound)
		}
	}
}

func checkReadYourWrites(e *env) {
	r := e.create(key(1, "a"))
	for i := range 50 {
		e.put(r, withStatus(uint8(i%driver.Statuses)), activeAt(start+int64(i)*minute))
		e.equal("Get", e.get(r.Key), r)
		e.equal("List", e.list(driver.Query{Namespace: 1, Order: driver.ByActivity}), []driver.Record{*r})
		e.equal("Count", e.count(driver.Query{Namespace: 1}).Sessions[r.Status], 1)
	}
}
