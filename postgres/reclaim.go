package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

// Statements of Reclaim. Only these and Due's name no namespace. They skip logs
// that another process is removing.
const (
	killStaged = `with l as (select namespace, incarnation from {logs} where until between 0 and $1
			order by until, namespace, incarnation limit $2 for update skip locked)
		update {logs} t set until = -1 from l where t.namespace = l.namespace and t.incarnation = l.incarnation`

	deleteDead = `with l as (select namespace, incarnation from {logs} where until < 0
			order by until, namespace, incarnation limit $1 for update skip locked),
		m as (select m.namespace, m.incarnation, m.seq from l join {messages} m
			on m.namespace = l.namespace and m.incarnation = l.incarnation limit $1)
		delete from {messages} t using m
		where t.namespace = m.namespace and t.incarnation = m.incarnation and t.seq = m.seq`

	deleteEmpty = `with l as (select namespace, incarnation from {logs} d where until < 0 and not exists
			(select 1 from {messages} m where m.namespace = d.namespace and m.incarnation = d.incarnation)
			order by until, namespace, incarnation limit $1 for update skip locked)
		delete from {logs} t using l where t.namespace = l.namespace and t.incarnation = l.incarnation`

	leftToReclaim = `select exists (select 1 from {logs} where until <= $1)`
)

// Reclaim removes logs without a record in one round trip. It reports the
// erasures of this Driver, no matter which process removes their logs.
func (d *Driver) Reclaim(ctx context.Context, now int64, limit int) (r driver.Reclaimed, err error) {
	end, err := d.begin(ctx)
	if err != nil {
		return r, err
	}
	defer end()
	if d.caps.ReadOnly {
		return r, driver.ErrReadOnly
	}
	err = d.retry(ctx, func() error {
		conn, err := d.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		r = driver.Reclaimed{}
		_, err = exchange(ctx, conn.Conn(), d.reclaiming(now, int64(max(limit, 1)), &r))
		return err
	})
	if err != nil {
		return driver.Reclaimed{}, err
	}
	r.Erased = d.erased.take()
	return r, nil
}

func (d *Driver) reclaiming(now, limit int64, r *driver.Reclaimed) []statement {
	count := func(rows pgx.Rows) error {
		rows.Close()
		r.Values += int(rows.CommandTag().RowsAffected())
		return rows.Err()
	}
	return []statement{
		{sql: `begin`},
		{sql: d.text(killStaged), args: []any{now, limit}},
		{sql: d.text(deleteDead), args: []any{limit}, read: count},
		{sql: d.text(deleteEmpty), args: []any{limit}, read: count},
		{sql: d.text(leftToReclaim), args: []any{now}, read: func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&r.More}, func() error { return nil })
			return err
		}},
		{sql: `commit`},
	}
}
