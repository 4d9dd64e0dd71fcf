package adktest

import (
	"context"
	"fmt"
	"sync/atomic"

	"google.golang.org/adk/v2/session"
)

var conflicts = []Case{
	{Group: "conflicts", Name: "a stale handle is refused", test: conflictStale},
	{Group: "conflicts", Name: "also with timestamps that go back", test: conflictBackdated},
	{Group: "conflicts", Name: "a refused append leaves the handle as it was", test: conflictUntouched},
	{Group: "conflicts", Name: "of several handles one goes on", test: conflictRace},
	{Group: "conflicts", Name: "writers of different sessions do not disturb each other", test: conflictApart},
}

func withCancel(e *env) (context.Context, context.CancelFunc) { return context.WithCancel(e.ctx) }

func conflictStale(e *env) {
	first := e.create("u", "s", nil)
	second := e.get("u", "s")
	e.append(first, soon("a", 0))
	if err := e.s.AppendEvent(e.ctx, second, soon("b", 1)); err == nil {
		e.Fatal("no error")
	}
	e.append(first, soon("c", 2))
	e.same("events", []string{"a", "c"}, ids(e.get("u", "s")))
}

func conflictBackdated(e *env) {
	first := e.create("u", "s", nil)
	second := e.get("u", "s")
	past := said("a", 0)
	past.Timestamp = begin.AddDate(-20, 0, 0)
	e.append(first, past)
	late := said("b", 0)
	late.Timestamp = begin.AddDate(-20, 0, 0)
	if err := e.s.AppendEvent(e.ctx, second, late); err == nil {
		e.Fatal("no error")
	}
	e.same("events", []string{"a"}, ids(e.get("u", "s")))
}

func conflictUntouched(e *env) {
	first := e.create("u", "s", map[string]any{"k": "0"})
	second := e.get("u", "s")
	e.append(first, soon("a", 0))
	was := second.LastUpdateTime()
	late := soon("b", 1)
	late.Actions.StateDelta = map[string]any{"k": "1", "temp:t": "1"}
	if err := e.s.AppendEvent(e.ctx, second, late); err == nil {
		e.Fatal("no error")
	}
	e.same("events", []string{}, ids(second))
	e.same("state", map[string]any{"k": "0"}, stateOf(second))
	if !second.LastUpdateTime().Equal(was) {
		e.Fatal("LastUpdateTime changed")
	}
}

func conflictRace(e *env) {
	const writers, each = 8, 10
	e.create("u", "s", nil)
	var won [writers]atomic.Int64
	handles := make([]func(int) error, writers)
	for w := range writers {
		s := e.get("u", "s")
		handles[w] = func(i int) error { return e.s.AppendEvent(e.ctx, s, soon(fmt.Sprintf("%d-%d", w, i), w*each+i)) }
	}
	race(writers*each, func(i int) {
		if handles[i%writers](i/writers) == nil {
			won[i%writers].Add(1)
		}
	})
	winners := 0
	total := int64(0)
	for w := range won {
		if n := won[w].Load(); n > 0 {
			winners++
			total += n
		}
	}
	if winners != 1 || total != each || e.get("u", "s").Events().Len() != each {
		e.Fatalf("%d handles went on, with %d appends; %d events are stored; want 1 with %d",
			winners, total, e.get("u", "s").Events().Len(), each)
	}
}

func conflictApart(e *env) {
	const writers, each = 8, 5
	var failed atomic.Int64
	var why atomic.Value
	var all [writers]session.Session
	for w := range all {
		all[w] = e.create("u", fmt.Sprint(w), nil)
	}
	race(writers, func(w int) {
		s := all[w]
		for i := range each {
			if err := e.s.AppendEvent(e.ctx, s,
				deltaEvent(fmt.Sprint(i), map[string]any{fmt.Sprintf("app:%d-%d", w, i): "v"})); err != nil {
				failed.Add(1)
				why.Store(err.Error())
			}
		}
	})
	if failed.Load() != 0 {
		e.Fatalf("%d of %d appends failed, one with: %v", failed.Load(), writers*each, why.Load())
	}
	if n := len(stateOf(e.get("u", "0"))); n != writers*each {
		e.Fatalf("%d of %d keys of the app are there", n, writers*each)
	}
}
