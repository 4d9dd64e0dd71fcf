package drivertest

import (
	"sort"

	"github.com/seshatdb/seshat/driver"
)

// selected returns the records that q selects, in order, ignoring After and
// Limit. It implements driver.Query independently of any driver.
func selected(records []*driver.Record, q driver.Query) []driver.Record {
	var found []driver.Record
	for _, r := range records {
		if r.Namespace == q.Namespace && wanted(r, q) {
			found = append(found, *r)
		}
	}
	sort.Slice(found, func(i, j int) bool {
		a := found[i]
		b := found[j]
		if q.Desc {
			a, b = b, a
		}
		x := a.Created
		y := b.Created
		if q.Order == driver.ByActivity {
			x = a.ActiveMinute
			y = b.ActiveMinute
		}
		return x < y || x == y && a.ID < b.ID
	})
	return found
}

func wanted(r *driver.Record, q driver.Query) bool {
	if r.Expires <= q.Now {
		return false
	}
	if q.UserID != "" && q.UserID != r.UserID {
		return false
	}
	if q.Statuses != 0 && q.Statuses>>r.Status&1 == 0 {
		return false
	}
	if q.CreatedFrom != 0 && r.Created < q.CreatedFrom || q.CreatedTo != 0 && r.Created >= q.CreatedTo {
		return false
	}
	if q.ActiveFrom != 0 && r.ActiveMinute < q.ActiveFrom/minute ||
		q.ActiveTo != 0 && r.ActiveMinute >= q.ActiveTo/minute {
		return false
	}
	has := make(map[driver.Label]bool)
	for _, l := range r.Labels {
		has[l] = true
	}
	for _, l := range q.Labels {
		if !has[l] {
			return false
		}
	}
	return true
}

// counted returns the expected answer of Count to q.
func counted(records []*driver.Record, q driver.Query) (u driver.Usage) {
	for _, r := range selected(records, q) {
		u.Sessions[r.Status]++
		u.Messages += r.Messages
		u.Bytes += r.Bytes
	}
	if q.Statuses != 0 {
		u.Messages = 0
		u.Bytes = 0
	}
	return u
}

// eachQuery calls f with a query for each combination of filters, orders and
// pages. The queries fit the records of variety.
func eachQuery(f func(q driver.Query)) {
	for _, filter := range filters() {
		for _, order := range []driver.Order{driver.ByCreated, driver.ByActivity} {
			for _, desc := range []bool{false, true} {
				q := filter
				q.Namespace = 1
				q.Order = order
				q.Desc = desc
				f(q)
			}
		}
	}
}

func filters() []driver.Query {
	red := driver.Label{Name: "colour", Value: "red"}
	large := driver.Label{Name: "size", Value: "xl"}
	return []driver.Query{
		{Now: start},
		{Now: start + 50},
		{Now: driver.Never - 1},
		{Now: start, UserID: "ann"},
		{Now: start, UserID: "an"},
		{Now: start, UserID: "nobody"},
		{Now: start, Statuses: 1 << 2},
		{Now: start, Statuses: 1<<0 | 1<<7},
		{Now: start, Statuses: 0xff},
		{Now: start, UserID: "bob", Statuses: 1 << 1},
		{Now: start, Labels: []driver.Label{red}},
		{Now: start, Labels: []driver.Label{red, large}},
		{Now: start, Labels: []driver.Label{{Name: "colour", Value: "re"}}},
		{Now: start, UserID: "ann", Labels: []driver.Label{red}, Statuses: 1<<0 | 1<<1 | 1<<2},
		{Now: start, CreatedFrom: start + 3},
		{Now: start, CreatedTo: start + 3},
		{Now: start, CreatedFrom: start + 2, CreatedTo: start + 4, UserID: "ann"},
		{Now: start, CreatedFrom: start + 4, CreatedTo: start + 4},
		{Now: start, ActiveFrom: start + 2*minute},
		{Now: start, ActiveTo: start + 2*minute + 59_999},
		{Now: start, ActiveFrom: start + minute + 30_000, ActiveTo: start + 3*minute, Labels: []driver.Label{large}},
		{Now: start, ActiveFrom: start + minute, CreatedTo: start + 4, Statuses: 0x0f},
	}
}

// createVariety creates records with many ties, for the queries of every.
func (e *env) createVariety() (records []*driver.Record) {
	users := []string{"", "ann", "an", "bob"}
	var ops []*driver.Op
	for i := range 72 {
		id := []string{"s", "ses/", "z", "日"}[i%4] + string(rune('a'+i*7%26)) + string(rune('a'+i%3)) +
			string(rune('0'+i/26))
		r := e.record(key(uint64(1+i/64), id), byUser(users[i/3%4]), withStatus(uint8(i*5%driver.Statuses)),
			createdAt(start+int64(i*11%6)), activeAt(start+int64(i*13%5)*minute))
		if i%2 == 0 {
			r.Labels = append(r.Labels, driver.Label{Name: "colour", Value: []string{"red", "re", "blue"}[i/2%3]})
		}
		if i%4 == 0 || i%3 == 1 {
			r.Labels = append(r.Labels, driver.Label{Name: "size", Value: "xl"})
		}
		if i%5 == 0 {
			r.Expires = start + int64(i)
		}
		records = append(records, r)
		ops = append(ops, e.op(r.Key, driver.Change{Put: r}))
	}
	e.must(e.d.Mutate(e.ctx, ops...))
	return records
}
