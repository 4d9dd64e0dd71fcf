package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

const selectFeed = `select p.head, p.tail, e.position, e.at, e.id, e.kind, e.status, e.version, e.last_seq
	from {spaces} p left join lateral (select * from {events} e
		where e.namespace = $1 and e.position > $2 order by e.position limit $3) e on true
	where p.namespace = $1 order by e.position`

// Feed returns events after a position. In the same round trip it first numbers
// the events without a position. With Options.ReadOnly it cannot number events,
// and returns only those that others numbered: readers of the feed, and now and
// then a writer.
func (d *Driver) Feed(ctx context.Context, q driver.FeedQuery) (f driver.Feed, err error) {
	end, err := d.begin(ctx)
	if err != nil {
		return f, err
	}
	defer end()
	d.feeds.markRead(q.Namespace)
	err = d.retry(ctx, func() error {
		conn, err := d.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		f = driver.Feed{}
		_, err = exchange(ctx, conn.Conn(), d.feeding(q, &f))
		return err
	})
	if err != nil {
		return driver.Feed{}, err
	}
	d.feeds.setHead(q.Namespace, f.Head)
	if q.After < f.Tail {
		return driver.Feed{Head: f.Head, Tail: f.Tail}, driver.ErrLagged
	}
	return f, nil
}

// feeding returns the statements of Feed. The new positions are valid only
// after the commit, so Feed returns no event before.
func (d *Driver) feeding(q driver.FeedQuery, f *driver.Feed) []statement {
	ns := int64(q.Namespace)
	read := statement{
		sql: d.text(selectFeed), args: []any{ns, cappedSeq(q.After), int64(max(q.Limit, 0))},
		read: func(rows pgx.Rows) error { return scanFeed(rows, f) },
	}
	if d.caps.ReadOnly {
		return []statement{read}
	}
	return []statement{
		{sql: `begin`},
		{sql: d.text(makeSpace), args: []any{ns}},
		{sql: d.text(lockSpace), args: []any{ns}},
		{sql: d.text(fold), args: []any{ns}},
		read,
		{sql: `commit`},
	}
}

func scanFeed(rows pgx.Rows, f *driver.Feed) error {
	var head, tail int64
	var position, at, version, last *int64
	var id *string
	var kind, status *int16
	_, err := pgx.ForEachRow(rows, []any{&head, &tail, &position, &at, &id, &kind, &status, &version, &last},
		func() error {
			f.Head = uint64(head)
			f.Tail = uint64(tail)
			if position == nil {
				return nil
			}
			f.Events = append(f.Events, driver.Event{
				Position: uint64(*position), Time: *at, ID: *id, Kind: driver.EventKind(*kind), Status: uint8(*status),
				Version: uint64(*version), LastSeq: uint64(*last),
			})
			return nil
		})
	return err
}
