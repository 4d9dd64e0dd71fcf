package postgres

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

var _ driver.Dumper = (*Driver)(nil)

// Dump reads everything in one snapshot, in pages along the primary keys. It
// uses one connection until it ends, and the server keeps rows that are deleted
// meanwhile. Other processes must not write. The clock of another process is
// exact after it has closed its store, and otherwise known to within one
// second. See driver.Dumper.
func (d *Driver) Dump(ctx context.Context, after *driver.Place, fn func(*driver.Part) error) error {
	end, err := d.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	u := &dump{d: d, ctx: ctx, fn: fn}
	if after != nil {
		u.after = *after
	}
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, d.pool, snapshot, func(tx pgx.Tx) error {
		u.tx = tx
		return u.run()
	})
	if u.failed != nil {
		return u.failed
	}
	return contextError(ctx, err)
}

// dump is one running Dump.
type dump struct {
	d      *Driver
	ctx    context.Context
	tx     pgx.Tx
	after  driver.Place
	fn     func(*driver.Part) error
	failed error // error of fn
	last   driver.Place
}

func (u *dump) run() error {
	for _, s := range []struct {
		kind driver.PartKind
		read func(after driver.Place) error
	}{
		{driver.PartClock, u.clock},
		{driver.PartFeed, u.feeds},
		{driver.PartEvent, u.events},
		{driver.PartRecord, u.records},
		{driver.PartStage, u.stages},
		{driver.PartEntry, u.entries},
		{driver.PartMessage, u.messages},
		{driver.PartRef, u.refs},
	} {
		after := driver.Place{Kind: s.kind, Namespace: lowest}
		switch {
		case s.kind < u.after.Kind:
			continue
		case s.kind == u.after.Kind:
			after = u.after
		}
		if err := s.read(after); err != nil {
			return err
		}
	}
	return nil
}

// lowest is the first namespace in the order of the engine.
const lowest uint64 = 1 << 63

// hand calls fn with a part.
func (u *dump) hand(p *driver.Part) error {
	u.last = p.Place()
	u.failed = u.fn(p)
	return u.failed
}

// dumpPage is the number of rows that one statement reads. It is small enough
// that the engine uses the index instead of sorting.
const dumpPage = 2000

// rows runs one statement, dumps its parts and returns their number.
func (u *dump) rows(scan func(pgx.Rows, *driver.Part) error, sql string, args ...any) (n int, err error) {
	rows, err := u.tx.Query(u.ctx, u.d.text(sql), args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		n++
		var p driver.Part
		if err := scan(rows, &p); err != nil {
			return n, err
		}
		if err := u.hand(&p); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}

// pages runs a statement for each page after the last part, until a page is not
// full. The last argument of the statement is the size of a page.
func (u *dump) pages(after driver.Place, scan func(pgx.Rows, *driver.Part) error, sql string,
	args func(at driver.Place) []any,
) error {
	for u.last = after; ; {
		n, err := u.rows(scan, sql, append(args(u.last), dumpPage)...)
		if err != nil || n < dumpPage {
			return err
		}
	}
}

// clock dumps the larger of the clocks of this process and of the snapshot.
func (u *dump) clock(after driver.Place) error {
	if after.Namespace != lowest {
		return nil
	}
	var stored []byte
	err := u.tx.QueryRow(u.ctx, u.d.text(selectEntry), entryArgs(&clockKey, "")...).Scan(&stored)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	v := u.d.clock.value(stored)
	if v == nil {
		return nil
	}
	return u.hand(&driver.Part{Kind: driver.PartClock, Time: int64(binary.BigEndian.Uint64(v))})
}

// Pending rows are dumped in the form that fold gives them.
const (
	dumpFeeds = `select namespace, head, tail from (
		select namespace, sum(head)::bigint as head, max(tail) as tail from (
			select namespace, head, tail from {spaces} where namespace > $1
			union all select namespace, (kind is not null)::int, tail from {pending} where namespace > $1) t
		group by namespace) f where head > 0 order by namespace limit $2`

	pendingTail = `coalesce((select max(t.tail) from {pending} t where t.namespace = e.namespace), 0)`

	dumpEvents = `select * from (
		(select * from {events} e where (namespace, position) > ($1, $2) and position > ` + pendingTail + `
			order by namespace, position limit $3)
		union all
		(select * from (
			select p.namespace, coalesce(s.head, 0) +
				row_number() over (partition by p.namespace order by p.stamp, p.tie, p.n) as position,
				p.at, p.id, p.kind, p.status, p.version, p.last_seq
			from {pending} p left join {spaces} s on s.namespace = p.namespace
			where p.kind is not null and p.namespace >= $1) e
		where (namespace, position) > ($1, $2) and position > ` + pendingTail + `
			order by namespace, position limit $3)) e
	order by namespace, position limit $3`
)

func (u *dump) feeds(after driver.Place) error {
	return u.pages(after, func(rows pgx.Rows, p *driver.Part) error {
		var ns, head, tail int64
		err := rows.Scan(&ns, &head, &tail)
		*p = driver.Part{Kind: driver.PartFeed, Namespace: uint64(ns), Head: uint64(head), Tail: uint64(tail)}
		return err
	}, dumpFeeds,
		func(at driver.Place) []any { return []any{int64(at.Namespace)} })
}

func (u *dump) events(after driver.Place) error {
	return u.pages(after, func(rows pgx.Rows, p *driver.Part) error {
		var ns, position, version, last int64
		var kind, status int16
		e := &p.Event
		err := rows.Scan(&ns, &position, &e.Time, &e.ID, &kind, &status, &version, &last)
		p.Kind = driver.PartEvent
		p.Namespace = uint64(ns)
		e.Position, e.Kind, e.Status, e.Version, e.LastSeq = uint64(position), driver.EventKind(kind), uint8(status),
			uint64(version), uint64(last)
		return err
	}, dumpEvents,
		func(at driver.Place) []any { return []any{int64(at.Namespace), cappedSeq(at.Number)} })
}

func (u *dump) records(after driver.Place) error {
	return u.pages(after, func(rows pgx.Rows, p *driver.Part) error {
		err := scanRecord(rows, &p.Record)
		p.Kind = driver.PartRecord
		p.Namespace = p.Record.Namespace
		return err
	}, `select `+recordColumns+` from {sessions} where (namespace, id) > ($1, $2) order by namespace, id limit $3`,
		func(at driver.Place) []any { return []any{int64(at.Namespace), at.Name} })
}

func (u *dump) stages(after driver.Place) error {
	return u.pages(after, func(rows pgx.Rows, p *driver.Part) error {
		var ns int64
		var inc []byte
		err := rows.Scan(&ns, &inc, &p.Time)
		p.Kind = driver.PartStage
		p.Namespace = uint64(ns)
		copy(p.Incarnation[:], inc)
		return err
	}, `select namespace, incarnation, until from {logs}
		where (namespace, incarnation) > ($1, $2) and until >= 0 order by namespace, incarnation limit $3`,
		func(at driver.Place) []any { return []any{int64(at.Namespace), at.Incarnation[:]} })
}

// entries reads one namespace after the other, because no index has the order
// of parts across namespaces.
func (u *dump) entries(after driver.Place) error {
	kind := int16(after.Number)
	for ns := int64(after.Namespace); ; {
		_, err := u.rows(scanEntryPart, `select namespace, kind, owner, name, value from {entries}
			where namespace = $1 and value is not null and not (namespace = 0 and kind = any($2))
				and (kind, owner_len, owner, name) > ($3, $4, $5, $6)
			order by kind, owner_len, owner, name`,
			ns, []int16{int16(driver.KindClock), int16(driver.KindLoad)},
			kind, int16(len(after.Owner)), []byte(after.Owner), []byte(after.Name))
		if err != nil {
			return err
		}
		err = u.tx.QueryRow(u.ctx,
			u.d.text(`select namespace from {entries} where namespace > $1 order by namespace limit 1`), ns).Scan(&ns)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		after = driver.Place{}
		kind = -1
	}
}

func scanEntryPart(rows pgx.Rows, p *driver.Part) error {
	var ns int64
	var kind int16
	var owner, name []byte
	err := rows.Scan(&ns, &kind, &owner, &name, &p.Entry.Value)
	p.Kind = driver.PartEntry
	p.Namespace = uint64(ns)
	p.Entry.EntryKey = driver.EntryKey{
		Namespace: uint64(ns), Kind: uint8(kind), Owner: string(owner),
		Name: string(name),
	}
	return err
}
