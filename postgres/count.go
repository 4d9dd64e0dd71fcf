package postgres

import (
	"context"

	"github.com/seshatdb/seshat/driver"
)

// Count returns the counters without the overdue sessions, if that answers the
// query. One statement reads both, so they come from one snapshot.
func (d *Driver) Count(ctx context.Context, q driver.Query) (u driver.Usage, err error) {
	end, err := d.begin(ctx)
	if err != nil {
		return u, err
	}
	defer end()
	if !canMatch(&q) {
		return u, nil
	}
	if err := d.flights.await(ctx, driver.Key{Namespace: q.Namespace}, q.Now); err != nil {
		return u, err
	}
	err = d.retry(ctx, func() (err error) {
		if q.Filtered() {
			u, err = d.countRecords(ctx, q)
		} else {
			u, err = d.countAll(ctx, q)
		}
		return err
	})
	if err != nil {
		return driver.Usage{}, err
	}
	return u.Only(q.Statuses), nil
}

func (d *Driver) countAll(ctx context.Context, q driver.Query) (driver.Usage, error) {
	sql := `select p.*, o.* from (` + tally + `) p
		left join lateral (` + overdueOf + `) o (o_status, o_n, o_messages, o_bytes) on true`
	rows, err := d.pool.Query(ctx, d.text(sql), int64(q.Namespace), q.Now)
	if err != nil {
		return driver.Usage{}, err
	}
	defer rows.Close()
	var sp spaceState
	var less driver.Usage
	for rows.Next() {
		var status *int16
		var n, messages, bytes *int64
		if err := scanSpace(extraColumns{rows, []any{&status, &n, &messages, &bytes}}, &sp); err != nil {
			return driver.Usage{}, err
		}
		if status != nil {
			less.Sessions[*status] += uint64(*n)
			less.Messages += uint64(*messages)
			less.Bytes += uint64(*bytes)
		}
	}
	return minus(sp.usage, less), rows.Err()
}

func minus(u, less driver.Usage) driver.Usage {
	for i := range u.Sessions {
		u.Sessions[i] -= less.Sessions[i]
	}
	u.Messages -= less.Messages
	u.Bytes -= less.Bytes
	return u
}

// countRecords counts with the filters of a list.
func (d *Driver) countRecords(ctx context.Context, q driver.Query) (driver.Usage, error) {
	q.After = nil
	s := &selection{}
	s.then(`select status, count(*), coalesce(sum(messages), 0)::bigint, coalesce(sum(bytes), 0)::bigint
		from {sessions} where namespace = `, int64(q.Namespace))
	s.addIndexConditions(&q, `created`)
	s.sql.WriteString(` and `)
	s.addFilters(&q)
	s.sql.WriteString(` group by status`)
	rows, err := d.pool.Query(ctx, d.text(s.sql.String()), s.args...)
	if err != nil {
		return driver.Usage{}, err
	}
	var less driver.Usage
	err = lessOverdue(rows, &less)
	return minus(driver.Usage{}, less), err
}

// overdueOf is overdue for a statement that also reads the counters, whose
// columns have the same names.
const overdueOf = `select s.status, count(*), coalesce(sum(s.messages), 0)::bigint, coalesce(sum(s.bytes), 0)::bigint
	from {sessions} s where s.namespace = $1 and s.expires <= $2 group by s.status`
