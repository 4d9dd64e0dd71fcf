package drivertest

import (
	"errors"

	"github.com/seshatdb/seshat/driver"
)

var atomicChecks = []check{
	{name: "a failing plan leaves no trace", run: checkFailingPlan},
	{name: "a panicking plan leaves no trace", run: checkPanickingPlan},
	{name: "one failing op leaves its neighbours whole", run: checkOneOfMany},
	{name: "a change that fails late leaves no trace", run: checkLateFailure},
	{name: "the first error is returned", run: checkFirstError},
}

var errPlan = errors.New("the plan says no")

// upheaval returns a change that affects the answer of every kind of read.
func (e *env) upheaval(r *driver.Record) driver.Change {
	put := cloneRecord(r)
	put.Version = 99
	put.UserID = "eve"
	put.Status = 3
	put.NextSeq = r.NextSeq + 1
	put.Created = start + 9
	put.ActiveMinute = start/minute + 9
	put.Due = start + 7
	put.Expires = driver.Never
	put.Labels, put.Body = []driver.Label{{Name: "new", Value: "label"}}, []byte("new body")
	put.Messages = r.Messages + 1
	put.Bytes = 11
	return driver.Change{
		Put:    put,
		Append: []driver.Message{message(r.NextSeq, "fresh", "new")},
		Drop:   []driver.Span{{From: 1, To: 1}},
		Entries: []driver.Entry{
			{EntryKey: driver.EntryKey{Namespace: r.Namespace, Kind: kindSession, Name: "state"}},
			{
				EntryKey: driver.EntryKey{Namespace: r.Namespace, Kind: kindUser, Owner: "ann", Name: "x"},
				Value:    []byte("x"),
			},
			{EntryKey: driver.EntryKey{Kind: kindPlain, Name: "global"}, Value: []byte("x")},
		},
		Events:   []driver.Event{{Time: start, ID: r.ID}},
		TrimFeed: 1,
	}
}

// failingOp returns an op whose plan returns an upheaval with the error of end,
// or panics if end does.
func (e *env) failingOp(r *driver.Record, end func() error) *driver.Op {
	return e.plan(driver.Target{Key: r.Key}, func(driver.View) (driver.Change, error) {
		return e.upheaval(r), end()
	})
}

func checkFailingPlan(e *env) {
	r := e.furnish(1)
	was := e.showWorld(1)
	o := e.failingOp(r, func() error { return errPlan })
	err := e.d.Mutate(e.ctx, o)
	e.isTrue(err == errPlan && o.Err == errPlan, "Plan's error came back as %v and %v, want it unchanged", err, o.Err)
	e.expectUnchanged(was, 1)
	e.put(r)
}

func checkPanickingPlan(e *env) {
	r := e.furnish(1)
	was := e.showWorld(1)
	o := e.failingOp(r, func() error { panic(errPlan) })
	err := e.d.Mutate(e.ctx, o)
	var p *driver.PanicError
	e.isTrue(errors.As(err, &p) && errors.As(o.Err, &p), "a panic came back as %v and %v, want a PanicError",
		err, o.Err)
	e.isError(o.Err, errPlan)
	e.expectUnchanged(was, 1)
	e.put(r)
}

// checkOneOfMany proves that each op of a Mutate is atomic by itself.
func checkOneOfMany(e *env) {
	r := e.furnish(1)
	a := e.record(key(1, "a"))
	b := e.record(key(1, "b"))
	c := e.record(key(2, "c"))
	bad := e.record(key(1, "bad"))
	bad.Status = driver.Statuses
	ops := []*driver.Op{
		e.op(a.Key, driver.Change{Put: a}),
		e.failingOp(r, func() error { return errPlan }),
		e.op(b.Key, driver.Change{Put: b}),
		e.failingOp(r, func() error { panic("no") }),
		e.op(bad.Key, driver.Change{Put: bad}),
		e.op(c.Key, driver.Change{Put: c}),
	}
	was := e.get(r.Key)
	e.isError(e.d.Mutate(e.ctx, ops...), errPlan)
	for i, ok := range []bool{true, false, true, false, false, true} {
		e.isTrue((ops[i].Err == nil) == ok, "op %d ended with %v", i, ops[i].Err)
	}
	e.equal("the record that failing ops would change", e.get(r.Key), was)
	e.equal("ids", e.ids(driver.Query{Namespace: 1}), []string{"a", "b", "furnished", "plain"})
	e.equal("a", e.get(a.Key), a)
	e.equal("b", e.get(b.Key), b)
	e.equal("c", e.get(c.Key), c)
	e.equal("feed", e.feed(1, 0).Head, uint64(2))
	e.equal("global entries", e.names(driver.EntryQuery{Kind: kindPlain}), []string{})
}

// checkLateFailure proves atomicity for failures that only the driver finds.
func checkLateFailure(e *env) {
	r := e.furnish(1)
	was := e.showWorld(1)
	absent := e.upheaval(r)
	absent.Replace = []driver.Message{message(2, "", "there"), message(3, "", "there"), message(3, "", "twice")}
	e.isError(e.mutate(r.Key, absent), driver.ErrInvalid)
	e.expectUnchanged(was, 1)
	e.dropSpan(r, driver.Span{From: 3, To: 3}, "three")
	was = e.showWorld(1)
	absent.Replace = []driver.Message{message(2, "", "there"), message(3, "", "dropped before")}
	e.isError(e.mutate(r.Key, absent), driver.ErrNotFound)
	e.expectUnchanged(was, 1)
	large := e.upheaval(r)
	large.Entries[2].Value = make([]byte, e.d.Caps().MaxEntry+1)
	e.isError(e.mutate(r.Key, large), driver.ErrTooLarge)
	e.expectUnchanged(was, 1)
}

func checkFirstError(e *env) {
	r := e.furnish(1)
	second := errors.New("second")
	ops := []*driver.Op{
		e.failingOp(r, func() error { return errPlan }),
		e.failingOp(r, func() error { return second }),
	}
	e.isError(e.d.Mutate(e.ctx, ops...), errPlan)
	e.isError(ops[0].Err, errPlan)
	e.isError(ops[1].Err, second)
	again := e.op(r.Key, driver.Change{})
	again.Err = errPlan
	e.must(e.d.Mutate(e.ctx, again))
	e.must(again.Err)
}
