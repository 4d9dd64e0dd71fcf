package postgres

import (
	"context"
	"encoding/json"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

const minute = 60_000 // milliseconds

// List returns a page of records in one statement, and so of one snapshot.
func (d *Driver) List(ctx context.Context, q driver.Query) (p driver.Page, err error) {
	end, err := d.begin(ctx)
	if err != nil {
		return p, err
	}
	defer end()
	if !answerable(&q) || q.Limit < 1 {
		return p, nil
	}
	if err := d.flights.await(ctx, driver.Key{Namespace: q.Namespace}, q.Now); err != nil {
		return p, err
	}
	window := firstWindow(&q)
	if p, err = d.page(ctx, &q, window); err != nil {
		return driver.Page{}, err
	}
	if full := fullWindow(&q); p.Next != nil && len(p.Records) < q.Limit && window < full {
		p, err = d.page(ctx, &q, full)
	}
	if err != nil {
		return driver.Page{}, err
	}
	return p, nil
}

// page reads a page that looks at so many index entries at most.
func (d *Driver) page(ctx context.Context, q *driver.Query, window int64) (p driver.Page, err error) {
	s := pageQuery(q, window)
	err = d.retry(ctx, func() error {
		p = driver.Page{}
		rows, err := d.pool.Query(ctx, d.text(s.sql.String()), s.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		return readPage(rows, q, window, &p)
	})
	return p, err
}

// fullWindow is how many index entries a page may look at.
func fullWindow(q *driver.Query) int64 {
	if q.Scan > 0 {
		return int64(q.Scan)
	}
	return math.MaxInt64 - 1
}

// firstWindow is how many are tried at first: without a filter all will do,
// and with one it is likely that these are enough. The engine's planner takes
// the index only if it is told that few are wanted.
func firstWindow(q *driver.Query) int64 {
	n := int64(q.Limit)
	if sieved(q) {
		n = 4*n + 100
	}
	return min(n, fullWindow(q))
}

// sieved reports whether q has a filter that no index serves. What expired
// does not count: it is gone within a sweep.
func sieved(q *driver.Query) bool {
	across := q.CreatedFrom != 0 || q.CreatedTo != 0
	if q.Order == driver.ByCreated {
		across = q.ActiveFrom != 0 || q.ActiveTo != 0
	}
	return across || q.Statuses != 0 || len(q.Labels) > 0
}

// answerable reports whether any record can be what q asks for.
func answerable(q *driver.Query) bool {
	ok := isText(q.User) && (q.After == nil || isText(q.After.ID))
	for _, l := range q.Labels {
		ok = ok && isText(l.Name) && isText(l.Value)
	}
	return ok
}

// pageQuery selects from an index what the order, the user and the place say,
// numbered, at most window of it and one more; and of that what the filters
// say, with the last two of the numbers, which tell how far it came.
func pageQuery(q *driver.Query, window int64) *selection {
	s := &selection{}
	at := `created`
	order := ``
	if q.Order == driver.ByActivity {
		at = `active_minute`
	}
	if q.Desc {
		order = ` desc`
	}
	by := at + order + `, id` + order
	s.sql.WriteString(`select ` + recordColumns + `, n, ok from (select *, row_number() over (order by ` + by +
		`) as n, `)
	s.filter(q)
	s.then(` as ok from (select `+recordColumns+` from {sessions} where namespace = `, int64(q.Namespace))
	s.indexed(q, at)
	if !sieved(q) {
		s.and(`(expires is null or expires > `, q.Now)
		s.sql.WriteString(`)`)
	}
	s.then(` order by `+by+` limit `, window+1)
	s.then(`) w) t where ok and n <= `, window)
	s.then(` or n >= `, window)
	// Not by n, which is the same: the engine does not know, and would sort.
	s.then(` order by `+by+` limit `, int64(q.Limit)+3)
	return s
}

// indexed adds the conditions that an index serves.
func (s *selection) indexed(q *driver.Query, at string) {
	if q.User != "" {
		s.and(`user_id = `, q.User)
	}
	if q.Order == driver.ByCreated {
		s.between(`created`, q.CreatedFrom, q.CreatedTo, 1)
	} else {
		s.between(`active_minute`, q.ActiveFrom, q.ActiveTo, minute)
	}
	if q.After == nil {
		return
	}
	compare := `(` + at + `, id) > (`
	if q.Desc {
		compare = `(` + at + `, id) < (`
	}
	s.and(compare, q.After.At)
	s.then(`, `, q.After.ID)
	s.sql.WriteString(`)`)
}

// between adds a half-open range, whose ends are in milliseconds, of a column
// that counts units of them.
func (s *selection) between(column string, from, to, unit int64) {
	if from != 0 {
		s.and(column+` >= `, from/unit)
	}
	if to != 0 {
		s.and(column+` < `, to/unit)
	}
}

// filter adds one condition of what no index serves.
func (s *selection) filter(q *driver.Query) {
	s.then(`(expires is null or expires > `, q.Now)
	s.sql.WriteString(`)`)
	if q.Statuses != 0 {
		s.and(`status = any(`, statuses(q.Statuses))
		s.sql.WriteString(`)`)
	}
	if len(q.Labels) > 0 {
		s.and(`coalesce(labels @> `, labelsObject(q.Labels))
		s.sql.WriteString(`::jsonb, false)`)
	}
	if q.Order == driver.ByActivity {
		s.between(`created`, q.CreatedFrom, q.CreatedTo, 1)
	} else {
		s.between(`active_minute`, q.ActiveFrom, q.ActiveTo, minute)
	}
}

func statuses(bits uint8) (list []int16) {
	for i := range int16(driver.Statuses) {
		if bits&(1<<i) != 0 {
			list = append(list, i)
		}
	}
	return list
}

// labelsObject is what a record's labels must contain. Two values for one name
// are more than any record has.
func labelsObject(labels []driver.Label) string {
	m := make(map[string]any, len(labels))
	for _, l := range labels {
		if v, ok := m[l.Name]; ok && v != l.Value {
			m[l.Name] = []string{}
			continue
		}
		m[l.Name] = l.Value
	}
	b, _ := json.Marshal(m) // of strings, it cannot fail
	return string(b)
}

func readPage(rows pgx.Rows, q *driver.Query, window int64, p *driver.Page) error {
	var last driver.Position // the last of the window
	for rows.Next() {
		var r driver.Record
		var n int64
		var ok bool
		if err := scanRecord(with{rows, []any{&n, &ok}}, &r); err != nil {
			return err
		}
		inside := n <= window
		switch {
		case inside && ok && len(p.Records) == q.Limit:
			p.Next = position(q, &p.Records[q.Limit-1])
			return nil
		case !inside:
			p.Next = &last
			return nil
		case ok:
			p.Records = append(p.Records, r)
		}
		p.Scanned, last = int(n), *position(q, &r)
	}
	return rows.Err()
}

func position(q *driver.Query, r *driver.Record) *driver.Position {
	if q.Order == driver.ByActivity {
		return &driver.Position{At: r.ActiveMinute, ID: r.ID}
	}
	return &driver.Position{At: r.Created, ID: r.ID}
}

// with scans more columns than its user knows of.
type with struct {
	pgx.Rows
	more []any
}

func (w with) Scan(to ...any) error { return w.Rows.Scan(append(to, w.more...)...) }
