package postgres

import (
	"fmt"
	"maps"
	"slices"

	"github.com/seshatdb/seshat/driver"
)

// inlineLog is the largest number of messages that are removed with their
// session. More are left to Reclaim.
const inlineLog = 1000

// dead is the time until which a log is staged that nothing may take any more.
const dead = -1

// delta is what a segment adds to a namespace's feed and counters.
type delta struct {
	usage  driver.Usage // negative numbers wrap around, as addition does
	events []driver.Event
	tail   uint64
	any    bool
}

// change queues the statements of one op.
func (a *attempt) change(o *opRun, c *driver.Change) {
	old := o.view.Record
	ns := o.Target.Key.Namespace
	inc := driver.Incarnation{}
	if old != nil {
		inc = old.Incarnation
	}
	if c.Put != nil {
		inc = c.Put.Incarnation
	}
	if old != nil && (c.Remove || c.Put != nil && !c.Put.SameLog(old)) {
		a.bury(old)
	}
	if c.Remove && old != nil {
		a.add(`delete from {sessions} where namespace = $1 and id = $2`, int64(ns), old.ID)
	}
	if c.Put != nil {
		a.put(o, c.Put, old)
	}
	if c.Stage != (driver.Incarnation{}) {
		inc = c.Stage
		a.stage(ns, c)
	}
	a.changeLog(o, ns, inc, c)
	a.changeEntries(inc, c)
	a.count(ns, c, old)
	if c.Erase != nil {
		a.erase(c.Erase)
	}
}

// bury removes what old owns.
func (a *attempt) bury(old *driver.Record) {
	ns, inc := int64(old.Namespace), old.Incarnation[:]
	a.add(`delete from {entries} where namespace = $1 and class = 2 and owner_len = 16 and owner = $2`, ns, inc)
	if old.NextSeq <= inlineLog {
		a.add(`delete from {messages} where namespace = $1 and incarnation = $2`, ns, inc)
		return
	}
	a.add(`insert into {logs} (namespace, incarnation, until) values ($1, $2, $3)
		on conflict (namespace, incarnation) do update set until = excluded.until`, ns, inc, int64(dead))
}

func (a *attempt) put(o *opRun, r, old *driver.Record) {
	if !r.SameLog(old) {
		a.adopt(o, r)
	}
	if old != nil {
		a.add(`update {sessions} set incarnation = $3, version = $4, next_seq = $5, user_id = $6, status = $7, labels = $8,
			created = $9, active_minute = $10, due = $11, expires = $12, messages = $13, bytes = $14, body = $15
			where namespace = $1 and id = $2`, recordArgs(r)...)
		return
	}
	// A row that another made meanwhile is an error, and so another attempt.
	a.add(`insert into {sessions} (`+recordColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`, recordArgs(r)...)
}

// adopt takes the log that may be staged for r. One that is dead divides by
// zero: what is left of it must go first.
func (a *attempt) adopt(o *opRun, r *driver.Record) {
	ns, inc := int64(r.Namespace), r.Incarnation[:]
	if o.purge {
		a.add(`delete from {messages} where namespace = $1 and incarnation = $2`, ns, inc)
		a.add(`delete from {logs} where namespace = $1 and incarnation = $2`, ns, inc)
	}
	a.add(`delete from {logs} where namespace = $1 and incarnation = $2
		returning 1 / (case when until < 0 then 0 else 1 end)`, ns, inc).refused = func(code string) error {
		if code != divisionByZero {
			return nil
		}
		o.purge = true
		return errAgain
	}
}

// stage marks a log that belongs to no record. One that is dead is in use, by
// what removes it.
func (a *attempt) stage(ns uint64, c *driver.Change) {
	a.add(`insert into {logs} as l (namespace, incarnation, until) values ($1, $2, $3)
		on conflict (namespace, incarnation) do update set until = excluded.until`,
		int64(ns), c.Stage[:], max(c.StageUntil, 0))
}

const (
	divisionByZero  = "22012"
	uniqueViolation = "23505"
)

// doom lets the op fail with err in the next attempt, and leaves the others.
func (o *opRun) doom(on string, err error) func(string) error {
	return func(code string) error {
		if code != on {
			return nil
		}
		o.doomed = err
		return errAgain
	}
}

func (a *attempt) changeLog(o *opRun, ns uint64, inc driver.Incarnation, c *driver.Change) {
	for _, s := range c.Drop {
		a.add(`update {messages} set body = null
			where namespace = $1 and incarnation = $2 and seq between $3 and $4 and body is not null`,
			int64(ns), inc[:], bounded(s.From), bounded(s.To))
	}
	for i := range c.Replace {
		m := &c.Replace[i]
		a.add(`with done as (update {messages} set body = $4
				where namespace = $1 and incarnation = $2 and seq = $3 and body is not null returning 1)
			select 1 / count(*) from done`, int64(ns), inc[:], bounded(m.Seq), solid(m.Body)).refused = o.doom(divisionByZero, fmt.Errorf("message %d: %w", m.Seq, driver.ErrNotFound))
	}
	if len(c.Append) == 0 {
		return
	}
	seqs, ids := make([]int64, len(c.Append)), make([]string, len(c.Append))
	digests, bodies := make([][]byte, len(c.Append)), make([][]byte, len(c.Append))
	for i := range c.Append {
		m := &c.Append[i]
		seqs[i], ids[i], digests[i], bodies[i] = int64(m.Seq), m.ID, m.Digest[:], solid(m.Body)
	}
	a.add(`insert into {messages} (namespace, incarnation, seq, id, digest, body)
		select $1, $2, m.seq, m.id, m.digest, m.body
		from unnest($3::bigint[], $4::text[], $5::bytea[], $6::bytea[]) as m (seq, id, digest, body)`,
		int64(ns), inc[:], seqs, ids, digests, bodies).refused = o.doom(uniqueViolation, fmt.Errorf("%w: Append holds a number that is not new", driver.ErrInvalid))
}

// solid makes of no bytes an empty value, which is not NULL.
func solid(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// count adds what c does to the namespace's feed and counters.
func (a *attempt) count(ns uint64, c *driver.Change, old *driver.Record) {
	d := &a.spaces[ns].add
	if old != nil && (c.Remove || c.Put != nil) {
		d.any = true
		d.usage.Sessions[old.Status]--
		d.usage.Messages -= old.Messages
		d.usage.Bytes -= old.Bytes
	}
	if r := c.Put; r != nil {
		d.any = true
		d.usage.Sessions[r.Status]++
		d.usage.Messages += r.Messages
		d.usage.Bytes += r.Bytes
	}
	d.any = d.any || len(c.Events) > 0 || c.TrimFeed > 0
	d.tail = max(d.tail, c.TrimFeed)
	d.events = append(d.events, c.Events...)
}

// settle queues what the segment added to feeds and counters. It comes last,
// as the rows that it locks are those that all writers of a namespace need.
func (a *attempt) settle() {
	for _, ns := range slices.Sorted(maps.Keys(a.spaces)) {
		sp := a.spaces[ns]
		if d := sp.add; d.any && (d.usage != driver.Usage{} || len(d.events) > 0 || d.tail > 0) {
			a.settleSpace(int64(ns), &d)
		}
		if sp.add.tail > 0 {
			a.add(`delete from {events} where namespace = $1 and position <= $2`, int64(ns), bounded(sp.add.tail))
		}
		sp.head += uint64(len(sp.add.events))
		sp.tail = max(sp.tail, sp.add.tail)
		sp.add = delta{}
	}
}

const addToSpace = `insert into {spaces} as p (namespace, ` + spaceColumns + `)
	values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
	on conflict (namespace) do update set head = p.head + excluded.head, tail = greatest(p.tail, excluded.tail),
		s0 = p.s0 + excluded.s0, s1 = p.s1 + excluded.s1, s2 = p.s2 + excluded.s2, s3 = p.s3 + excluded.s3,
		s4 = p.s4 + excluded.s4, s5 = p.s5 + excluded.s5, s6 = p.s6 + excluded.s6, s7 = p.s7 + excluded.s7,
		messages = p.messages + excluded.messages, bytes = p.bytes + excluded.bytes`

// addEvents numbers events under the lock of the namespace's row: positions are
// in the order of the commits, without gaps.
const addEvents = `with p as (` + addToSpace + ` returning head)
	insert into {events} (namespace, position, at, id, kind, status, version, last_seq)
	select $1, p.head - $2 + e.n, e.at, e.id, e.kind, e.status, e.version, e.last_seq
	from p, unnest($14::bigint[], $15::text[], $16::smallint[], $17::smallint[], $18::bigint[], $19::bigint[])
		with ordinality as e (at, id, kind, status, version, last_seq, n)`

func (a *attempt) settleSpace(ns int64, d *delta) {
	args := []any{ns, int64(len(d.events)), int64(d.tail)}
	for _, n := range d.usage.Sessions {
		args = append(args, int64(n))
	}
	args = append(args, int64(d.usage.Messages), int64(d.usage.Bytes))
	if len(d.events) == 0 {
		a.add(addToSpace, args...)
		return
	}
	n := len(d.events)
	at, ids, versions, seqs := make([]int64, n), make([]string, n), make([]int64, n), make([]int64, n)
	kinds, statuses := make([]int16, n), make([]int16, n)
	for i, e := range d.events {
		at[i], ids[i], versions[i], seqs[i] = e.Time, e.ID, int64(e.Version), int64(e.LastSeq)
		kinds[i], statuses[i] = int16(e.Kind), int16(e.Status)
	}
	a.add(addEvents, append(args, at, ids, kinds, statuses, versions, seqs)...)
}
