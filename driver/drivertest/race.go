package drivertest

import (
	"errors"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

var raceChecks = []check{
	{name: "one winner for each version", run: checkWinners},
	{name: "no increment is lost", run: checkIncrements},
	{name: "appends never meet", run: checkAppends},
	{name: "readers see whole changes", run: checkWholeChanges},
	{name: "one creator", run: checkCreators},
	{name: "everything at once", run: checkChaos},
}

var errStale = errors.New("another version")

// bumpOp returns an op that writes version+1 if the stored version is the given
// one.
func (e *env) bumpOp(k driver.Key, version uint64) *driver.Op {
	return e.plan(driver.Target{Key: k}, func(v driver.View) (driver.Change, error) {
		if v.Record == nil || v.Record.Version != version {
			return driver.Change{}, errStale
		}
		r := cloneRecord(v.Record)
		r.Version++
		return driver.Change{Put: r}, nil
	})
}

func checkWinners(e *env) {
	r := e.create(key(1, "a"))
	for version := uint64(1); version <= 20; version++ {
		won := make(chan int, 8)
		e.together(8, func(i int) {
			if err := e.d.Mutate(e.ctx, e.bumpOp(r.Key, version)); err == nil {
				won <- i
			} else {
				e.isError(err, errStale)
			}
		})
		e.equal("winners", len(won), 1)
	}
	e.equal("version", e.get(r.Key).Version, 21)
}

func checkIncrements(e *env) {
	r := e.create(key(1, "a"))
	global := driver.EntryKey{Kind: kindPlain, Name: "n"}
	e.together(6, func(i int) {
		for range 20 {
			ops := []*driver.Op{}
			for range i%2 + 1 {
				ops = append(ops,
					e.plan(driver.Target{Key: r.Key, Entries: []driver.EntryKey{global}},
						func(v driver.View) (driver.Change, error) {
							put := cloneRecord(v.Record)
							put.Version++
							value := append(append([]byte{}, v.Entries[0]...), 'x')
							return driver.Change{Put: put, Entries: []driver.Entry{{EntryKey: global, Value: value}}},
								nil
						}))
			}
			e.must(e.d.Mutate(e.ctx, ops...))
		}
	})
	e.equal("version", e.get(r.Key).Version, 1+3*20+3*40)
	e.equal("entry", len(e.view(driver.Target{Entries: []driver.EntryKey{global}}).Entries[0]), 3*20+3*40)
}

// appendOp returns an op that appends one message with the next number.
func (e *env) appendOp(k driver.Key, id string) *driver.Op {
	return e.plan(driver.Target{Key: k}, func(v driver.View) (driver.Change, error) {
		r := cloneRecord(v.Record)
		m := message(r.NextSeq, id, id)
		r.NextSeq++
		r.Messages++
		r.Bytes += uint64(len(id))
		return driver.Change{Put: r, Append: []driver.Message{m}}, nil
	})
}

func checkAppends(e *env) {
	r := e.create(key(1, "a"))
	const workers, rounds = 6, 20
	e.together(workers, func(i int) {
		for n := range rounds {
			e.must(e.d.Mutate(e.ctx, e.appendOp(r.Key, fmt.Sprintf("%d-%02d", i, n))))
		}
	})
	last := make(map[string]string)
	for i, m := range e.log(1, r.Incarnation) {
		e.equal("number", m.Seq, i+1)
		e.isTrue(last[m.ID[:1]] < m.ID, "%s comes after %s", m.ID, last[m.ID[:1]])
		last[m.ID[:1]] = m.ID
	}
	e.equal("messages", e.get(r.Key).Messages, workers*rounds)
}

// checkWholeChanges reads a record and its log while both grow.
func checkWholeChanges(e *env) {
	r := e.create(key(1, "a"))
	const rounds = 60
	e.together(4, func(i int) {
		if i == 0 {
			for n := range rounds {
				e.must(e.d.Mutate(e.ctx, e.appendOp(r.Key, fmt.Sprint(n))))
			}
			return
		}
		for seen := uint64(0); seen < rounds; {
			got := e.get(r.Key)
			e.isTrue(got.Messages >= seen && got.NextSeq == got.Messages+1, "%d messages after %d", got.Messages, seen)
			seen = got.Messages
			log := uint64(len(e.log(1, r.Incarnation)))
			e.isTrue(log >= seen, "a log of %d messages beside a record of %d", log, seen)
			count := e.count(driver.Query{Namespace: 1}).Messages
			e.isTrue(count >= log, "a count of %d messages after a log of %d", count, log)
			list := e.list(driver.Query{Namespace: 1})
			e.isTrue(len(list) == 1 && list[0].Messages >= count, "a list of %s after a count of %d", show(list), count)
			seen = max(seen, list[0].Messages)
		}
	})
}

func checkCreators(e *env) {
	for n := range 10 {
		k := key(1, fmt.Sprint(n))
		created := make(chan driver.Incarnation, 8)
		e.together(8, func(int) {
			r := e.record(k)
			err := e.d.Mutate(e.ctx, e.plan(driver.Target{Key: k}, func(v driver.View) (driver.Change, error) {
				if v.Record != nil {
					return driver.Change{}, errStale
				}
				return driver.Change{Put: r}, nil
			}))
			if err == nil {
				created <- r.Incarnation
			} else {
				e.isError(err, errStale)
			}
		})
		e.equal("creators", len(created), 1)
		e.equal("incarnation", e.get(k).Incarnation, <-created)
	}
}

// checkChaos runs every kind of call concurrently. The race detector and the
// audit after the check find the errors.
func checkChaos(e *env) {
	e.together(6, func(i int) {
		for n := range 25 {
			k := key(uint64(n%2+1), fmt.Sprint((i+n)%5))
			r := e.record(k, byUser([]string{"ann", "bob"}[n%2]), labelled("n", fmt.Sprint(n%3)), dueAt(start+int64(n)))
			e.must(e.d.Mutate(e.ctx, e.op(k, driver.Change{Put: r, Events: make([]driver.Event, 1)})))
			switch (i + n) % 4 {
			case 0:
				e.change(k, driver.Change{Remove: true})
			case 1:
				e.change(driver.Key{}, erasing(k.Namespace, r.UserID))
			case 2:
				_, err := e.d.Reclaim(e.ctx, start, 5)
				e.must(err)
			}
			e.list(driver.Query{Namespace: k.Namespace, Limit: 3, UserID: r.UserID})
			e.count(driver.Query{Namespace: k.Namespace, UserID: r.UserID})
			e.due(start + 5)
			e.feed(k.Namespace, 0)
			e.log(k.Namespace, r.Incarnation)
		}
	})
}
