package postgres

import (
	"context"
	"encoding/json"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

const minute = 60_000 // milliseconds

// List returns a page of records with one statement, and so from one snapshot.
func (d *Driver) List(ctx context.Context, q driver.Query) (p driver.Page, err error) {
	end, err := d.begin(ctx)
	if err != nil {
		return p, err
	}
	defer end()
	if !canMatch(&q) || q.Limit < 1 {
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

// page reads at most window index entries and returns the page they fill.
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

// fullWindow returns the largest number of index entries that a page may read.
func fullWindow(q *driver.Query) int64 {
	if q.Scan > 0 {
		return int64(q.Scan)
	}
	return math.MaxInt64 - 1
}

// firstWindow returns the number of index entries to try first: enough for a
// page without filters, and probably enough with filters. The engine's planner
// uses the index only if few entries are requested.
func firstWindow(q *driver.Query) int64 {
	n := int64(q.Limit)
	if hasUnindexedFilter(q) {
		n = 4*n + 100
	}
	return min(n, fullWindow(q))
}

// hasUnindexedFilter reports whether q has a filter that no index serves. The
// filter by expiry does not count, because a sweep soon removes expired
// sessions.
func hasUnindexedFilter(q *driver.Query) bool {
	across := q.CreatedFrom != 0 || q.CreatedTo != 0
	if q.Order == driver.ByCreated {
		across = q.ActiveFrom != 0 || q.ActiveTo != 0
	}
	return across || q.Statuses != 0 || len(q.Labels) > 0
}

// canMatch reports whether any record can match q.
func canMatch(q *driver.Query) bool {
	ok := isText(q.UserID) && (q.After == nil || isText(q.After.ID))
	for _, l := range q.Labels {
		ok = ok && isText(l.Name) && isText(l.Value)
	}
	return ok
}

// pageQuery returns a statement that selects window+1 entries from an index by
// order, user and position, numbers them, and applies the filters. The result
// includes the last two entries even if they do not match the filters: they
// show whether the page reached the end of the window.
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
	s.addFilters(q)
	s.then(` as ok from (select `+recordColumns+` from {sessions} where namespace = `, int64(q.Namespace))
	s.addIndexConditions(q, at)
	if !hasUnindexedFilter(q) {
		s.and(`(expires is null or expires > `, q.Now)
		s.sql.WriteString(`)`)
	}
	s.then(` order by `+by+` limit `, window+1)
	s.then(`) w) t where ok and n <= `, window)
	s.then(` or n >= `, window)
	// Ordering by n would be equivalent, but the engine does not know that and
	// would sort.
	s.then(` order by `+by+` limit `, int64(q.Limit)+3)
	return s
}

// addIndexConditions adds the conditions that an index serves.
func (s *selection) addIndexConditions(q *driver.Query, at string) {
	if q.UserID != "" {
		s.and(`user_id = `, q.UserID)
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

// between adds a half-open range of a column. from and to are in milliseconds.
// unit is the number of milliseconds that the column counts as one.
func (s *selection) between(column string, from, to, unit int64) {
	if from != 0 {
		s.and(column+` >= `, from/unit)
	}
	if to != 0 {
		s.and(column+` < `, to/unit)
	}
}

// addFilters adds the conditions that no index serves, as one condition.
func (s *selection) addFilters(q *driver.Query) {
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

// labelsObject returns the labels that a record must contain. If labels has two
// values for one name, no record contains the result.
func labelsObject(labels []driver.Label) string {
	m := make(map[string]any, len(labels))
	for _, l := range labels {
		if v, ok := m[l.Name]; ok && v != l.Value {
			m[l.Name] = []string{}
			continue
		}
		m[l.Name] = l.Value
	}
	b, _ := json.Marshal(m) // a map of strings cannot fail
	return string(b)
}

func readPage(rows pgx.Rows, q *driver.Query, window int64, p *driver.Page) error {
	var last driver.Position // last entry of the window
	for rows.Next() {
		var r driver.Record
		var n int64
		var ok bool
		if err := scanRecord(extraColumns{rows, []any{&n, &ok}}, &r); err != nil {
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

// extraColumns scans more columns after the usual columns of a row.
type extraColumns struct {
	pgx.Rows
	more []any
}

func (w extraColumns) Scan(to ...any) error { return w.Rows.Scan(append(to, w.more...)...) }
