package drivertest

import (
	"errors"
	"runtime"
	"sync/atomic"

	"github.com/seshatdb/seshat/driver"
)

var closedChecks = []check{
	{name: "every method returns ErrClosed", run: checkClosed},
	{name: "Close waits for running calls", run: checkCloseWaits},
	{name: "Close beside every call", run: checkCloseBeside},
}

func checkClosed(e *env) {
	e.furnish(1)
	e.must(e.d.Close())
	for range 2 {
		e.expectAnswers(e.ctx, reads, driver.ErrClosed)
		e.expectAnswers(e.ctx, writes, driver.ErrClosed)
		e.isError(e.d.Mutate(e.ctx), driver.ErrClosed)
		e.isTrue(e.d.Caps().MaxRecord > 0, "Caps changed")
		e.must(e.d.Close())
	}
	if c, ok := e.d.(driver.Checker); ok {
		_, err := c.Check(e.ctx, 1, driver.Visitor{})
		e.isError(err, driver.ErrClosed)
	}
}

// checkCloseWaits calls Close while a plan is running.
func checkCloseWaits(e *env) {
	r := e.record(key(1, "a"))
	var running, closing signal
	var runs, finished atomic.Int32
	o := e.plan(driver.Target{Key: r.Key}, func(driver.View) (driver.Change, error) {
		runs.Add(1)
		running.send()
		closing.wait()
		for range 1000 {
			runtime.Gosched()
		}
		finished.Store(runs.Load())
		return driver.Change{Put: r}, nil
	})
	e.together(3, func(i int) {
		if i == 0 {
			defer running.send()
			e.must(e.d.Mutate(e.ctx, o))
			return
		}
		running.wait()
		if i == 1 {
			closing.send()
		}
		e.must(e.d.Close())
		e.equal("runs finished before Close returned", finished.Load(), runs.Load())
	})
	if e.h.Reopen != nil {
		e.reopen()
		e.equal("Get", e.get(r.Key), r)
	}
}

// checkCloseBeside proves that a call concurrent with Close either works or
// returns ErrClosed.
func checkCloseBeside(e *env) {
	r := e.furnish(1)
	ready := make(chan struct{}, 8)
	var closed atomic.Bool
	e.together(9, func(i int) {
		if i == 8 {
			for range 8 {
				<-ready
			}
			e.must(e.d.Close())
			closed.Store(true)
			return
		}
		for n := range 2 {
			e.must(e.makeCall(i, n, r))
		}
		ready <- struct{}{}
		for n := 0; ; n++ {
			late := closed.Load()
			err := e.makeCall(i, n, r)
			if errors.Is(err, driver.ErrClosed) {
				return
			}
			e.must(err)
			e.isTrue(!late, "a call after Close worked")
		}
	})
}

// makeCall makes the n-th call of a caller. Half of the callers write.
func (e *env) makeCall(caller, n int, r *driver.Record) error {
	if caller%2 == 0 {
		return e.d.Mutate(e.ctx, e.op(r.Key, driver.Change{Put: r}))
	}
	return reads[(caller+n)%len(reads)].do(e.ctx, e.d, e)
}
