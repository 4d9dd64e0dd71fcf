package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

// Get fills into with the record at k. See driver.Driver. If the record has
// expired, Get reads it again and waits for its lock. A change of any process
// that read the clock before the deadline may be about to extend the session,
// and a session must not be found gone and later found again.
func (d *Driver) Get(ctx context.Context, k driver.Key, now int64, into *driver.Record) error {
	end, err := d.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if !isText(k.ID) {
		return driver.ErrNotFound
	}
	var r driver.Record
	get := func(lock string) error {
		r = driver.Record{Labels: into.Labels[:0:cap(into.Labels)], Body: into.Body[:0]}
		row := d.pool.QueryRow(ctx, d.text(`select `+recordColumns+` from {sessions}
			where namespace = $1 and id = $2`+lock), int64(k.Namespace), k.ID)
		return scanRecord(row, &r)
	}
	err = d.retry(ctx, func() error {
		err := get(``)
		if err == nil && r.Expires <= now && !d.caps.ReadOnly {
			err = get(` for share`)
		}
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) || err == nil && r.Expires <= now {
		return driver.ErrNotFound
	}
	if err != nil {
		return err
	}
	*into = r
	return nil
}

// Messages returns a range of one incarnation's log, if a record has it.
func (d *Driver) Messages(ctx context.Context, q driver.LogQuery) (found []driver.Message, err error) {
	end, err := d.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	to := cappedSeq(q.Span.To)
	if to == 0 {
		to = math.MaxInt64
	}
	order := `asc`
	if q.Desc {
		order = `desc`
	}
	sql := `select seq, id, digest, body from {messages}
		where namespace = $1 and incarnation = $2 and seq between $3 and $4 and body is not null
			and exists (select 1 from {sessions} where namespace = $1 and incarnation = $2)
		order by seq ` + order + ` limit $5`
	err = d.retry(ctx, func() error {
		rows, err := d.pool.Query(ctx, d.text(sql),
			int64(q.Namespace), q.Incarnation[:], cappedSeq(q.Span.From), to, int64(max(q.Limit, 0)))
		if err != nil {
			return err
		}
		found, err = pgx.AppendRows(found[:0:0], rows, func(row pgx.CollectableRow) (driver.Message, error) {
			return scanMessage(row)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Due returns due entries, earliest first. Processes that sweep at the same
// time read the same entries. Each decides again when it has locked the record.
func (d *Driver) Due(ctx context.Context, q driver.DueQuery) (due []driver.Due, err error) {
	end, err := d.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	s := selection{}
	s.then(`select due, namespace, id from {sessions} where due <= `, q.Now)
	if q.After != nil {
		s.and(`(due, namespace, id) > (`, q.After.At)
		s.then(`, `, int64(q.After.Namespace))
		s.then(`, `, q.After.ID)
		s.sql.WriteString(`)`)
	}
	s.then(` order by due, namespace, id limit `, int64(max(q.Limit, 0)))
	err = d.retry(ctx, func() error {
		rows, err := d.pool.Query(ctx, d.text(s.sql.String()), s.args...)
		if err != nil {
			return err
		}
		due, err = pgx.AppendRows(due[:0:0], rows, func(row pgx.CollectableRow) (e driver.Due, err error) {
			var ns int64
			err = row.Scan(&e.At, &ns, &e.ID)
			e.Namespace = uint64(ns)
			return e, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("due: %w", err)
	}
	return due, nil
}
