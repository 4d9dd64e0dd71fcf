package drivertest

import (
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

var feedChecks = []check{
	{name: "positions have no gaps, whatever fails", run: checkPositions},
	{name: "pages go on after a position", run: checkFeedPages},
	{name: "who is behind a trim is told", run: checkTrim},
	{name: "one order for all, each session in version order", run: checkFeedOrder},
}

func checkPositions(e *env) {
	for i := range 20 {
		e.change(key(1, "a"), driver.Change{Events: []driver.Event{
			{Position: 99, Time: int64(i), ID: "a", Kind: 1, Status: 2, Version: uint64(i), LastSeq: 4},
			{ID: fmt.Sprint(i)},
		}})
		if i%3 == 0 {
			o := e.op(key(1, "a"), driver.Change{Events: []driver.Event{{ID: "lost"}}})
			o.Plan = func(driver.View) (driver.Change, error) { return driver.Change{}, errPlan }
			e.isError(e.d.Mutate(e.ctx, o), errPlan)
		}
		e.change(key(2, "a"), driver.Change{Events: []driver.Event{{ID: "other"}}})
	}
	f := e.feed(1, 0)
	e.equal("head and tail", []uint64{f.Head, f.Tail}, []uint64{40, 0})
	for i, got := range f.Events {
		want := driver.Event{Position: uint64(i) + 1, ID: fmt.Sprint(i / 2)}
		if i%2 == 0 {
			want = driver.Event{
				Position: want.Position, Time: int64(i / 2), ID: "a", Kind: 1, Status: 2,
				Version: uint64(i / 2), LastSeq: 4,
			}
		}
		e.equal("event", got, want)
	}
	e.equal("the other feed", e.feed(2, 0).Head, 20)
}

// emitEvents appends n events to the feed of namespace 1.
func (e *env) emitEvents(n int) {
	e.change(key(1, ""), driver.Change{Events: make([]driver.Event, n)})
}

func checkFeedPages(e *env) {
	e.emitEvents(10)
	for after := range uint64(13) {
		for _, limit := range []int{1, 3, 100} {
			f, err := e.d.Feed(e.ctx, driver.FeedQuery{Namespace: 1, After: after, Limit: limit})
			e.must(err)
			want := min(limit, 10-int(min(after, 10)))
			e.equal("events", len(f.Events), want)
			if want > 0 {
				e.equal("first", f.Events[0].Position, after+1)
				e.equal("last", f.Events[want-1].Position, after+uint64(want))
			}
			e.equal("head and tail", []uint64{f.Head, f.Tail}, []uint64{10, 0})
		}
	}
}

func checkTrim(e *env) {
	e.emitEvents(10)
	e.change(key(1, ""), driver.Change{TrimFeed: 4, Events: make([]driver.Event, 1)})
	for after := range uint64(4) {
		_, err := e.d.Feed(e.ctx, driver.FeedQuery{Namespace: 1, After: after, Limit: 5})
		e.isError(err, driver.ErrLagged)
	}
	f := e.feed(1, 4)
	e.equal("head and tail", []uint64{f.Head, f.Tail}, []uint64{11, 4})
	e.equal("events", len(f.Events), 7)
	e.equal("first", f.Events[0].Position, 5)
	v := e.view(driver.Target{Key: key(1, "")})
	e.equal("view", []uint64{v.FeedHead, v.FeedTail}, []uint64{11, 4})
	e.change(key(1, ""), driver.Change{TrimFeed: 2})
	e.change(key(1, ""), driver.Change{TrimFeed: 11})
	f = e.feed(1, 11)
	e.equal("head and tail", []uint64{f.Head, f.Tail}, []uint64{11, 11})
	_, err := e.d.Feed(e.ctx, driver.FeedQuery{Namespace: 1, After: 10, Limit: 5})
	e.isError(err, driver.ErrLagged)
	e.emitEvents(1)
	e.equal("positions go on", e.feed(1, 11).Events, []driver.Event{{Position: 12}})
	e.isError(e.mutate(key(1, ""), driver.Change{TrimFeed: 13}), driver.ErrInvalid)
}

// checkFeedOrder writes and reads from many goroutines at once.
func checkFeedOrder(e *env) {
	const writers, rounds = 6, 15
	e.together(writers+1, func(i int) {
		if i == writers {
			e.followFeed(writers * rounds)
			return
		}
		k := key(1, fmt.Sprint(i/2))
		for range rounds {
			e.must(e.d.Mutate(e.ctx, e.plan(driver.Target{Key: k}, func(v driver.View) (driver.Change, error) {
				r := e.record(k)
				if v.Record != nil {
					r = cloneRecord(v.Record)
					r.Version++
				}
				return driver.Change{Put: r, Events: []driver.Event{{ID: k.ID, Version: r.Version}}}, nil
			})))
		}
	})
}

// followFeed reads the feed up to position n while it grows.
func (e *env) followFeed(n uint64) {
	versions := make(map[string]uint64)
	for at := uint64(0); at < n; {
		f, err := e.d.Feed(e.ctx, driver.FeedQuery{Namespace: 1, After: at, Limit: 7})
		e.must(err)
		for _, event := range f.Events {
			at++
			versions[event.ID]++
			e.equal("position", event.Position, at)
			e.equal("version", event.Version, versions[event.ID])
		}
	}
}
