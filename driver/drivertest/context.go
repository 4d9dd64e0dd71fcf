package drivertest

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/seshatdb/seshat/driver"
)

var contextChecks = []check{
	{name: "done before the call: nothing happened", run: checkCancelled},
	{name: "done while the plan runs: the outcome is told", run: checkCancelledInPlan},
	{name: "done while queued: nothing happened", run: checkCancelledInQueue},
}

func checkCancelled(e *env) {
	e.furnish(1)
	e.stage(e.incarnation(), start-1, 1, 3)
	was := e.showWorld(1)
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	e.expectAnswers(ctx, reads, context.Canceled)
	e.expectAnswers(ctx, writes, context.Canceled)
	late, cancel := context.WithTimeout(e.ctx, 0)
	defer cancel()
	e.expectAnswers(late, reads, context.DeadlineExceeded)
	e.expectAnswers(late, writes, context.DeadlineExceeded)
	e.expectUnchanged(was, 1)
}

// checkCancelledInPlan cancels an op in its plan. The op may succeed or fail,
// but its outcome must be true.
func checkCancelledInPlan(e *env) {
	for range 20 {
		ctx, cancel := context.WithCancel(e.ctx)
		a := e.record(key(1, "a"))
		b := e.record(key(1, "b"))
		ops := []*driver.Op{
			e.plan(driver.Target{Key: a.Key}, func(driver.View) (driver.Change, error) {
				cancel()
				return driver.Change{Put: a}, nil
			}),
			e.op(b.Key, driver.Change{Put: b}),
		}
		if err := e.d.Mutate(ctx, ops...); err != nil {
			e.isError(err, context.Canceled, driver.ErrUnknown)
		}
		if ops[0].Err != nil {
			e.isError(ops[0].Err, driver.ErrUnknown)
		}
		for i, r := range []*driver.Record{a, b} {
			got := e.get(r.Key)
			there := got != nil && got.Incarnation == r.Incarnation
			e.isTrue(errors.Is(ops[i].Err, driver.ErrUnknown) || there == (ops[i].Err == nil),
				"op %d ended with %v, its record is there: %t", i, ops[i].Err, there)
		}
	}
}

// checkCancelledInQueue cancels a call that waits for another call's plan.
func checkCancelledInQueue(e *env) {
	for range 20 {
		ctx, cancel := context.WithCancel(e.ctx)
		queued := e.record(key(1, "queued"))
		var running signal
		var ran atomic.Bool
		first := e.plan(driver.Target{Key: key(1, "first")}, func(driver.View) (driver.Change, error) {
			running.send()
			<-ctx.Done()
			return driver.Change{}, nil
		})
		second := e.plan(driver.Target{Key: queued.Key}, func(driver.View) (driver.Change, error) {
			ran.Store(true)
			return driver.Change{Put: queued}, nil
		})
		e.together(3, func(i int) {
			switch i {
			case 0:
				defer running.send()
				e.must(e.d.Mutate(e.ctx, first))
			case 1:
				running.wait()
				if err := e.d.Mutate(ctx, second); err != nil {
					e.isError(err, context.Canceled, driver.ErrUnknown)
				}
			case 2:
				running.wait()
				cancel()
			}
		})
		e.isTrue(ran.Load() || errors.Is(second.Err, context.Canceled), "a plan that did not run ended with %v",
			second.Err)
		got := e.get(queued.Key)
		there := got != nil && got.Incarnation == queued.Incarnation
		e.isTrue(errors.Is(second.Err, driver.ErrUnknown) || there == (second.Err == nil),
			"ended with %v, the record is there: %t", second.Err, there)
		e.change(queued.Key, driver.Change{Remove: true})
	}
}
