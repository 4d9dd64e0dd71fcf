package postgres

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

// Check compares each record with its log, counters with the records, and feeds
// with their positions, all in one snapshot. The engine checks its own indexes.
func (d *Driver) Check(ctx context.Context, limit int, visit driver.Visitor) (driver.Checked, error) {
	end, err := d.begin(ctx)
	if err != nil {
		return driver.Checked{}, err
	}
	defer end()
	c := &check{d: d, ctx: ctx, visit: visit, limit: limit}
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, d.pool, snapshot, func(tx pgx.Tx) error {
		c.tx = tx
		for _, part := range []func() error{c.records, c.entries, c.counters, c.feeds, c.logs} {
			if err := part(); err != nil {
				return err
			}
		}
		return nil
	})
	return c.Checked, contextError(ctx, err)
}

// check is one running Check.
type check struct {
	driver.Checked
	d     *Driver
	ctx   context.Context
	tx    pgx.Tx
	visit driver.Visitor
	limit int
}

func (c *check) find(where, format string, args ...any) {
	if len(c.Findings) < c.limit {
		c.Findings = append(c.Findings, driver.Finding{Where: where, What: fmt.Sprintf(format, args...)})
	}
}

func (c *check) visited(where string, err error) {
	if err != nil {
		c.find(where, "%v", err)
	}
}

// each calls fn with every row that a statement returns.
func (c *check) each(fn func(pgx.Rows) error, sql string, args ...any) error {
	rows, err := c.tx.Query(c.ctx, c.d.text(sql), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// checkPage is the number of records that are held in memory at once.
const checkPage = 200

func (c *check) records() error {
	after := driver.Key{}
	for ns := int64(math.MinInt64); ; ns = int64(after.Namespace) {
		var page []driver.Record
		err := c.each(func(rows pgx.Rows) error {
			page = append(page, driver.Record{})
			return scanRecord(rows, &page[len(page)-1])
		}, `select `+recordColumns+` from {sessions} where (namespace, id) > ($1, $2) order by namespace, id limit $3`,
			ns, after.ID, checkPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			if err := c.record(&page[i]); err != nil {
				return err
			}
		}
		after = page[len(page)-1].Key
	}
}

func (c *check) record(r *driver.Record) error {
	where := fmt.Sprintf("session %d/%q", r.Namespace, r.ID)
	c.Records++
	if c.visit.Record != nil {
		c.visited(where, c.visit.Record(r))
	}
	var n, bytes, last uint64
	err := c.each(func(rows pgx.Rows) error {
		m, err := scanMessage(rows)
		if err != nil {
			return err
		}
		n++
		bytes += uint64(len(m.Body))
		last = m.Seq
		if c.visit.Message != nil {
			c.visited(where, c.visit.Message(r.Key, &m))
		}
		return nil
	}, `select seq, id, digest, body from {messages}
		where namespace = $1 and incarnation = $2 and body is not null
			order by seq`, int64(r.Namespace), r.Incarnation[:])
	c.Messages += n
	if n != r.Messages || bytes+uint64(len(r.Body)) != r.Bytes {
		c.find(where, "says %d messages, %d bytes: has %d and %d", r.Messages, r.Bytes, n, bytes+uint64(len(r.Body)))
	}
	if last >= r.NextSeq && last > 0 {
		c.find(where, "has message %d, but %d is next", last, r.NextSeq)
	}
	return err
}

func (c *check) entries() error {
	return c.each(func(rows pgx.Rows) error {
		var e driver.Entry
		var ns int64
		var kind int16
		var owner, name []byte
		var orphan bool
		if err := rows.Scan(&ns, &kind, &owner, &name, &e.Value, &orphan); err != nil {
			return err
		}
		e.Namespace = uint64(ns)
		e.Kind = uint8(kind)
		e.Owner = string(owner)
		e.Name = string(name)
		where := fmt.Sprintf("entry %d/%d/%q/%q", e.Namespace, e.Kind, e.Owner, e.Name)
		c.Entries++
		if orphan {
			c.find(where, "belongs to no session")
		}
		if c.visit.Entry != nil {
			c.visited(where, c.visit.Entry(&e))
		}
		return nil
	}, `select e.namespace, e.kind, e.owner, e.name, e.value, e.class = 2 and not exists
			(select 1 from {sessions} s where s.namespace = e.namespace and s.incarnation = e.owner)
		from {entries} e where e.value is not null and not (e.namespace = 0 and e.kind = $1)
		order by e.namespace, e.class, e.owner_len, e.owner, e.kind, e.name`, int16(driver.KindClock))
}

func (c *check) counters() error {
	counted := map[int64]driver.Usage{}
	err := c.each(func(rows pgx.Rows) error {
		var ns, n, messages, bytes int64
		var status int16
		if err := rows.Scan(&ns, &status, &n, &messages, &bytes); err != nil {
			return err
		}
		u := counted[ns]
		u.Sessions[status] = uint64(n)
		u.Messages += uint64(messages)
		u.Bytes += uint64(bytes)
		counted[ns] = u
		return nil
	}, `select namespace, status, count(*), sum(messages)::bigint, sum(bytes)::bigint
		from {sessions} group by namespace, status`)
	if err != nil {
		return err
	}
	err = c.each(func(rows pgx.Rows) error {
		var ns int64
		var sp spaceState
		if err := scanSpace(first64{rows, &ns}, &sp); err != nil {
			return err
		}
		if sp.usage != counted[ns] {
			c.find(fmt.Sprintf("namespace %d", ns), "counters say %+v, there is %+v", sp.usage, counted[ns])
		}
		delete(counted, ns)
		return nil
	}, `select namespace, coalesce(sum(head), 0)::bigint, coalesce(max(tail), 0), `+
		eachCounter(`coalesce(sum({}), 0)::bigint`)+`, 0
		from (select namespace, head, tail, `+eachCounter(`{}`)+` from {spaces}
			union all select namespace, 0, tail, `+eachCounter(`{}`)+` from {pending}) t group by namespace`)
	for ns, u := range counted {
		c.find(fmt.Sprintf("namespace %d", ns), "has no counters, there is %+v", u)
	}
	return err
}

// first64 scans one number before the columns of the embedded rows.
type first64 struct {
	pgx.Rows
	n *int64
}

func (f first64) Scan(to ...any) error { return f.Rows.Scan(append([]any{f.n}, to...)...) }

func (c *check) feeds() error {
	err := c.each(func(rows pgx.Rows) error {
		var waiting int64
		err := rows.Scan(&waiting)
		c.Events += uint64(waiting)
		return err
	}, `select count(kind) from {pending}`)
	if err != nil {
		return err
	}
	return c.each(func(rows pgx.Rows) error {
		var ns, head, tail, n, least, most int64
		if err := rows.Scan(&ns, &head, &tail, &n, &least, &most); err != nil {
			return err
		}
		c.Events += uint64(n)
		if n != head-tail || n > 0 && (least != tail+1 || most != head) {
			c.find(fmt.Sprintf("namespace %d", ns), "feed of %d..%d has %d events, %d..%d", tail, head, n, least, most)
		}
		return nil
	}, `select coalesce(p.namespace, e.namespace), coalesce(p.head, 0), coalesce(p.tail, 0),
			coalesce(e.n, 0), coalesce(e.least, 0), coalesce(e.most, 0)
		from {spaces} p full join (select namespace, count(*) as n, min(position) as least, max(position) as most
			from {events} group by namespace) e on e.namespace = p.namespace`)
}

// logs finds messages whose incarnation has no record and no row for Reclaim.
func (c *check) logs() error {
	return c.each(func(rows pgx.Rows) error {
		var ns int64
		var inc []byte
		if err := rows.Scan(&ns, &inc); err != nil {
			return err
		}
		c.find(fmt.Sprintf("log %d/%x", ns, inc), "belongs to no session")
		return nil
	}, `select distinct m.namespace, m.incarnation from {messages} m
		where not exists (select 1 from {sessions} s where s.namespace = m.namespace and s.incarnation = m.incarnation)
			and not exists (select 1 from {logs} l where l.namespace = m.namespace and l.incarnation = m.incarnation)`)
}
