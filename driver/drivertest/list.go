package drivertest

import "github.com/seshatdb/seshat/driver"

var listChecks = []check{
	{name: "every filter in every order", run: checkFilters},
	{name: "indexes follow the record", run: checkIndexes},
	{name: "a page holds at most Limit", run: checkLimit},
	{name: "Scan bounds the work and loses nothing", run: checkScan},
	{name: "After is a place, not a record", run: checkAfter},
}

func checkFilters(e *env) {
	records := e.createVariety()
	eachQuery(func(q driver.Query) {
		e.equal("List", e.list(q), selected(records, q))
	})
}

// checkIndexes changes every indexed field, first one by one, then all at once.
func checkIndexes(e *env) {
	records := e.createVariety()
	edits := []edit{
		byUser("ann"), byUser("bob"), byUser(""), withStatus(2), withStatus(7),
		labelled("colour", "red"), labelled("colour", "red", "size", "xl"), labelled("size", "xl"), labelled(),
		createdAt(start + 3), createdAt(start), activeAt(start + 4*minute), activeAt(start),
		expiring(start), expiring(driver.Never), expiring(start + 50),
	}
	for i, edit := range edits {
		for j := i; j < len(records); j += len(edits) / 2 {
			edit(records[j])
			if j%3 == 0 {
				records[j].Incarnation = e.incarnation()
			}
			e.put(records[j])
		}
	}
	for i := 5; i < len(records); i += 6 {
		e.change(records[i].Key, driver.Change{Remove: true})
		records = append(records[:i], records[i+1:]...)
	}
	eachQuery(func(q driver.Query) {
		e.equal("List", e.list(q), selected(records, q))
		e.equal("Count", e.count(q), counted(records, q))
	})
}

func checkLimit(e *env) {
	records := e.createVariety()
	eachQuery(func(q driver.Query) {
		for _, limit := range []int{1, 4} {
			q.Limit = limit
			e.equal("pages", e.list(q), selected(records, q))
		}
	})
	q := driver.Query{Namespace: 1, Now: start, Limit: len(records)}
	p, err := e.d.List(e.ctx, q)
	e.must(err)
	e.isTrue(p.Next == nil, "the last page goes on")
}

func checkScan(e *env) {
	records := e.createVariety()
	eachQuery(func(q driver.Query) {
		for _, scan := range []int{1, 5} {
			q.Scan = scan
			q.Limit = 3
			e.equal("pages", e.list(q), selected(records, q))
		}
	})
}

// checkAfter continues lists after records that were removed, moved or never
// existed.
func checkAfter(e *env) {
	records := e.createVariety()
	gone := records[20]
	e.change(gone.Key, driver.Change{Remove: true})
	records = append(records[:20], records[21:]...)
	places := []driver.Position{
		{At: gone.Created, ID: gone.ID},
		{At: start + 2, ID: ""},
		{At: start + 2, ID: "\U0010FFFF"},
		{At: start + 2, ID: "s"},
		{At: 0, ID: "x"},
		{At: driver.Never, ID: "x"},
	}
	for _, desc := range []bool{false, true} {
		for _, place := range places {
			q := driver.Query{Namespace: 1, Now: start, Desc: desc, After: &place}
			var want []driver.Record
			for _, r := range selected(records, q) {
				after := r.Created > place.At || r.Created == place.At && r.ID > place.ID
				before := r.Created < place.At || r.Created == place.At && r.ID < place.ID
				if desc && before || !desc && after {
					want = append(want, r)
				}
			}
			e.equal("List", e.list(q), want)
			e.equal("Count looks at no After", e.count(q), counted(records, q))
		}
	}
}
