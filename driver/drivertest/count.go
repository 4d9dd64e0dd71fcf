package drivertest

import "github.com/seshatdb/seshat/driver"

var countChecks = []check{
	{name: "every filter", run: checkCountFilters},
	{name: "counts follow every change of a record", run: checkCountChanges},
	{name: "overdue sessions do not count, to the millisecond", run: checkOverdue},
	{name: "the view's usage includes what is overdue, Live does not", run: checkUsage},
	{name: "counts are the store's messages and bytes", run: checkCountBytes},
}

func checkCountFilters(e *env) {
	records := e.createVariety()
	eachQuery(func(q driver.Query) {
		e.equal("Count", e.count(q), counted(records, q))
	})
}

// expectCounts fails unless Count of namespaces 1 and 2 agrees with these
// records.
func (e *env) expectCounts(records ...*driver.Record) {
	for _, n := range []uint64{1, 2} {
		for _, q := range []driver.Query{
			{},
			{Statuses: 1},
			{Statuses: 6},
			{UserID: "ann"},
			{UserID: "bob"},
			{UserID: "ann", Statuses: 2},
		} {
			q.Namespace, q.Now = n, e.now.Load()
			e.equal("Count", e.count(q), counted(records, q))
		}
	}
}

func checkCountChanges(e *env) {
	a := e.create(key(1, "a"), byUser("ann"))
	b := e.create(key(1, "b"), byUser("ann"), withStatus(1))
	c := e.create(key(2, "a"), byUser("ann"))
	e.expectCounts(a, b, c)
	for _, change := range []edit{
		withStatus(1), withStatus(2), byUser("bob"), byUser(""), byUser("ann"),
		withStatus(0), expiring(start + 5),
	} {
		e.put(a, change)
		e.expectCounts(a, b, c)
	}
	a.Incarnation = e.incarnation()
	e.put(a, byUser("bob"), withStatus(2), expiring(start))
	e.expectCounts(a, b, c)
	e.change(b.Key, driver.Change{Remove: true})
	e.expectCounts(a, c)
	e.change(a.Key, driver.Change{Remove: true})
	e.change(a.Key, driver.Change{Remove: true})
	e.expectCounts(c)
	e.change(c.Key, driver.Change{Remove: true})
	e.expectCounts()
}

func checkOverdue(e *env) {
	var records []*driver.Record
	for i, id := range []string{"a", "b", "c", "d", "e", "f"} {
		r := e.create(key(1, id), byUser([]string{"ann", "bob"}[i%2]), withStatus(uint8(i%3)),
			expiring(start+int64(i/2)*10))
		records = append(records, r)
	}
	step := func() {
		for _, at := range []int64{0, 1, 9, 10, 11, 20, 100} {
			e.now.Store(start + at)
			e.expectCounts(records...)
		}
	}
	step()
	e.put(records[0], expiring(driver.Never))
	e.put(records[1], expiring(start+10))
	e.put(records[2], withStatus(1))
	e.put(records[3], byUser("ann"))
	step()
	e.change(records[4].Key, driver.Change{Remove: true})
	records = append(records[:4], records[5])
	step()
}

func checkUsage(e *env) {
	a := e.create(key(1, "a"), expiring(start+10), withStatus(1))
	e.appendTo(a, "hello")
	b := e.create(key(1, "b"), byUser("ann"))
	e.create(key(2, "c"))
	for _, at := range []int64{9, 10, 500} {
		e.now.Store(start + at)
		var u, live driver.Usage
		e.must(e.d.Mutate(e.ctx,
			e.plan(driver.Target{Key: key(1, ""), Usage: true}, func(v driver.View) (c driver.Change, err error) {
				u = v.Usage
				live, err = v.Live()
				return c, err
			})))
		e.equal("Usage", u, counted([]*driver.Record{a, b}, driver.Query{Namespace: 1}))
		e.equal("Live", live, counted([]*driver.Record{a, b}, driver.Query{Namespace: 1, Now: start + at}))
	}
}

// checkCountBytes proves that counters follow the fields of the record.
func checkCountBytes(e *env) {
	a := e.create(key(1, "a"), byUser("ann"))
	e.appendTo(a, "hello", "world!")
	e.expectCounts(a)
	e.dropSpan(a, driver.Span{From: 1, To: 1}, "hello")
	e.expectCounts(a)
	edited := message(2, "", "w")
	a.Bytes -= 5
	e.change(a.Key, driver.Change{Put: a, Replace: []driver.Message{edited}})
	e.expectCounts(a)
	a.Body = []byte("longer than it was")
	a.Bytes = 18 + 1
	e.put(a)
	e.expectCounts(a)
}
