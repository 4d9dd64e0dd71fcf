package drivertest

import (
	"fmt"
	"slices"

	"github.com/seshatdb/seshat/driver"
)

var pagingChecks = []check{
	{name: "by creation nothing is missed or repeated between writes", run: checkPagingBetween},
	{name: "by creation nothing is missed or repeated beside writers", run: checkPagingBeside},
	{name: "by activity what rests is seen once", run: checkPagingActivity},
}

// createResidents creates sessions that exist throughout a check. Each two
// share a time of creation and activity. The pairs are two units of time apart,
// so that other sessions fit between them.
func (e *env) createResidents(n int) (ids []string) {
	var ops []*driver.Op
	for i := range n {
		r := e.record(key(1, fmt.Sprintf("resident%03d", i)), createdAt(start+int64(i/2*2)),
			activeAt(start+int64(i/2*2)*minute))
		r.UserID = "resident"
		ops = append(ops, e.op(r.Key, driver.Change{Put: r}))
		ids = append(ids, r.ID)
	}
	e.must(e.d.Mutate(e.ctx, ops...))
	return ids
}

// disturb creates and removes sessions with times near those of resident i.
func (e *env) disturb(worker, i int) {
	for _, at := range []int64{-1, 0, 1, 2} {
		k := key(1, fmt.Sprintf("%sguest%d-%d", []string{"a", "z"}[i%2], worker, (int64(i)+at)%7))
		if (int64(i)+at)%3 == 0 {
			e.change(k, driver.Change{Remove: true})
			continue
		}
		e.create(k, createdAt(start+int64(i)+at), activeAt(start+(int64(i)+at)*minute))
	}
}

// walk returns the residents on the pages of q. It calls between after each
// page.
func (e *env) walk(q driver.Query, between func(page int)) (seen []string) {
	for page := 0; ; page++ {
		p, err := e.d.List(e.ctx, q)
		e.must(err)
		for _, r := range p.Records {
			if r.UserID == "resident" {
				seen = append(seen, r.ID)
			}
		}
		if p.Next == nil {
			return seen
		}
		q.After = p.Next
		between(page)
	}
}

func (e *env) walkBothWays(order driver.Order, ids []string, between func(page int)) {
	for _, user := range []string{"", "resident"} {
		for _, desc := range []bool{false, true} {
			q := driver.Query{Namespace: 1, Now: start, Order: order, Desc: desc, UserID: user, Limit: 3}
			want := slices.Clone(ids)
			if desc {
				slices.Reverse(want)
			}
			e.equal(fmt.Sprintf("residents (descending: %t)", desc), e.walk(q, between), want)
		}
	}
}

func checkPagingBetween(e *env) {
	ids := e.createResidents(40)
	updates := make(map[string]*driver.Record)
	e.walkBothWays(driver.ByCreated, ids, func(page int) {
		e.disturb(0, page*3%40)
		id := ids[page*7%len(ids)]
		if updates[id] == nil {
			updates[id] = e.get(key(1, id))
		}
		e.put(updates[id], activeAt(start+int64(page)*minute), withStatus(uint8(page%driver.Statuses)))
	})
}

func checkPagingBeside(e *env) {
	ids := e.createResidents(40)
	stop := make(chan struct{})
	e.together(3, func(i int) {
		if i == 0 {
			defer close(stop)
			for range 3 {
				e.walkBothWays(driver.ByCreated, ids, func(int) {})
			}
			return
		}
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				e.disturb(i, n%40)
			}
		}
	})
}

// checkPagingActivity does not touch the residents, because that would move
// them.
func checkPagingActivity(e *env) {
	ids := e.createResidents(40)
	e.walkBothWays(driver.ByActivity, ids, func(page int) { e.disturb(0, page*3%40) })
}
