package drivertest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seshatdb/seshat/driver"
)

var dueChecks = []check{
	{name: "filed as the record says", run: checkFiled},
	{name: "earliest first, in pages", run: checkDueOrder},
	{name: "paging goes on while entries are filed again", run: checkDueRefile},
}

func checkFiled(e *env) {
	a := e.create(key(1, "a"), dueAt(start+10))
	e.create(key(1, "never"))
	e.equal("before its time", e.due(start+9), []driver.Due(nil))
	e.equal("at its time", e.due(start+10), []driver.Due{{At: start + 10, Key: a.Key}})
	e.put(a, dueAt(start+20), expiring(start+20))
	e.equal("moved later", e.due(start+19), []driver.Due(nil))
	e.equal("expiry does not hide it", e.due(start+99), []driver.Due{{At: start + 20, Key: a.Key}})
	e.put(a, dueAt(start+5))
	e.equal("moved earlier", e.due(start+99), []driver.Due{{At: start + 5, Key: a.Key}})
	e.put(a, dueAt(driver.Never))
	e.equal("Never is not filed", e.due(driver.Never), []driver.Due(nil))
	e.put(a, dueAt(0))
	e.equal("filed at 0", e.due(0), []driver.Due{{At: 0, Key: a.Key}})
	a = e.create(a.Key, dueAt(start+30))
	e.equal("a new incarnation", e.due(start+99), []driver.Due{{At: start + 30, Key: a.Key}})
	e.change(a.Key, driver.Change{Remove: true})
	e.equal("removed", e.due(start+99), []driver.Due(nil))
}

func checkDueOrder(e *env) {
	var want []driver.Due
	var ops []*driver.Op
	for i := range 40 {
		r := e.record(key([]uint64{1, 2, 256}[i%3], fmt.Sprintf("%c%d", 'z'-i%5, i)), dueAt(start+int64(i*7%4)))
		want = append(want, driver.Due{At: r.Due, Key: r.Key})
		ops = append(ops, e.op(r.Key, driver.Change{Put: r}))
	}
	e.must(e.d.Mutate(e.ctx, ops...))
	slices.SortFunc(want, func(a, b driver.Due) int {
		return slices.Compare(dueOrder(a), dueOrder(b))
	})
	e.equal("all", e.due(start+99), want)
	for _, limit := range []int{1, 7, 40} {
		q := driver.DueQuery{Now: start + 99, Limit: limit}
		var got []driver.Due
		for page := e.duePage(q); len(page) > 0; page = e.duePage(q) {
			e.isTrue(len(page) <= limit && len(got) < len(want), "too many entries")
			got = append(got, page...)
			q.After = &page[len(page)-1]
		}
		e.equal("pages", got, want)
	}
}

func (e *env) duePage(q driver.DueQuery) []driver.Due {
	page, err := e.d.Due(e.ctx, q)
	if err != nil {
		fail(2, "Due: %v", err)
	}
	return page
}

// dueOrder returns strings that sort in the order of due entries.
func dueOrder(d driver.Due) []string {
	return []string{fmt.Sprintf("%020d %020d", d.At, d.Namespace), d.ID}
}

// checkDueRefile refiles each due entry like a sweep, some later and some at
// the same time, and expects to see each entry once.
func checkDueRefile(e *env) {
	records := make(map[driver.Key]*driver.Record)
	for i := range 12 {
		r := e.create(key(1, strings.Repeat("x", i+1)), dueAt(start+int64(i/3)))
		records[r.Key] = r
	}
	q := driver.DueQuery{Now: start + 99, Limit: 5}
	met := 0
	for page := e.duePage(q); len(page) > 0; page = e.duePage(q) {
		for i, d := range page {
			met++
			r := records[d.Key]
			e.isTrue(r != nil && r.Due == d.At, "%+v is not filed so", d)
			switch i % 3 {
			case 0:
				e.put(r, dueAt(start+1000))
			case 1:
				e.change(d.Key, driver.Change{Remove: true})
			}
		}
		q.After = &page[len(page)-1]
		e.isTrue(met <= len(records), "an entry came again")
	}
	e.equal("met", met, len(records))
}
