package postgres

import (
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// inlineLog is the longest log, in messages, that is removed together with its
// session. Reclaim removes longer logs.
const inlineLog = 1000

// deadLog is the staging time of a log that Reclaim removes and no record may
// adopt.
const deadLog = -1

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
		a.removeData(old)
	}
	if c.Remove && old != nil {
		a.add(`delete from {sessions} where namespace = $1 and id = $2`, int64(ns), old.ID)
	}
	if c.Put != nil {
		a.put(o, c.Put, old)
	}
	if c.Stage != (driver.Incarnation{}) {
		inc = c.Stage
		a.stageLog(ns, c)
	}
	a.changeLog(o, ns, inc, c)
	a.changeEntries(inc, c)
	a.count(ns, c, old)
	if c.Erase != nil {
		a.erase(c.Erase)
	}
}

// removeData removes the data of the record old.
func (a *attempt) removeData(old *driver.Record) {
	ns := int64(old.Namespace)
	inc := old.Incarnation[:]
	a.add(`delete from {entries} where namespace = $1 and class = 2 and owner_len = 16 and owner = $2`, ns, inc)
	if old.NextSeq <= inlineLog {
		a.add(`delete from {messages} where namespace = $1 and incarnation = $2`, ns, inc)
		return
	}
	a.add(`insert into {logs} (namespace, incarnation, until) values ($1, $2, $3)
		on conflict (namespace, incarnation) do update set until = excluded.until`, ns, inc, int64(deadLog))
}

func (a *attempt) put(o *opRun, r, old *driver.Record) {
	if !r.SameLog(old) {
		a.adoptLog(o, r)
	}
	if old != nil {
		a.add(`update {sessions} set incarnation = $3, version = $4, next_seq = $5, user_id = $6, status = $7,
			labels = $8,
			created = $9, active_minute = $10, due = $11, expires = $12, messages = $13, bytes = $14, body = $15
			where namespace = $1 and id = $2`, recordArgs(r)...)
		return
	}
	// If another transaction inserts the row first, that is an error and leads
	// to another attempt.
	a.add(`insert into {sessions} (`+recordColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`, recordArgs(r)...)
}

// adoptLog makes a staged log, if there is one, the log of r. A dead log makes
// the statement divide by zero: the next attempt first removes the rest of it.
func (a *attempt) adoptLog(o *opRun, r *driver.Record) {
	ns := int64(r.Namespace)
	inc := r.Incarnation[:]
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

// stageLog marks a log as staged, without a record. A dead log of the same
// incarnation becomes staged too.
func (a *attempt) stageLog(ns uint64, c *driver.Change) {
	a.add(`insert into {logs} as l (namespace, incarnation, until) values ($1, $2, $3)
		on conflict (namespace, incarnation) do update set until = excluded.until`,
		int64(ns), c.Stage[:], max(c.StageUntil, 0))
}

const (
	divisionByZero  = "22012"
	uniqueViolation = "23505"
)

// failNextAttempt returns a function that lets the op fail with err in the next
// attempt, if the statement fails with the code on. Other ops are not affected.
func (o *opRun) failNextAttempt(on string, err error) func(string) error {
	return func(code string) error {
		if code != on {
			return nil
		}
		o.failure = err
		return errAgain
	}
}

func (a *attempt) changeLog(o *opRun, ns uint64, inc driver.Incarnation, c *driver.Change) {
	for _, s := range c.Drop {
		a.add(`update {messages} set body = null
			where namespace = $1 and incarnation = $2 and seq between $3 and $4 and body is not null`,
			int64(ns), inc[:], cappedSeq(s.From), cappedSeq(s.To))
	}
	for i := range c.Replace {
		m := &c.Replace[i]
		missing := fmt.Errorf("message %d: %w", m.Seq, driver.ErrNotFound)
		a.add(`with done as (update {messages} set body = $4
				where namespace = $1 and incarnation = $2 and seq = $3 and body is not null returning 1)
			select 1 / count(*) from done`, int64(ns), inc[:], cappedSeq(m.Seq),
			notNull(m.Body)).refused = o.failNextAttempt(divisionByZero, missing)
	}
	if len(c.Append) == 0 {
		return
	}
	seqs := make([]int64, len(c.Append))
	ids := make([]string, len(c.Append))
	digests := make([][]byte, len(c.Append))
	bodies := make([][]byte, len(c.Append))
	for i := range c.Append {
		m := &c.Append[i]
		seqs[i] = int64(m.Seq)
		ids[i] = m.ID
		digests[i] = m.Digest[:]
		bodies[i] = notNull(m.Body)
	}
	a.add(`insert into {messages} (namespace, incarnation, seq, id, digest, body)
		select $1, $2, m.seq, m.id, m.digest, m.body
		from unnest($3::bigint[], $4::text[], $5::bytea[], $6::bytea[]) as m (seq, id, digest, body)`,
		int64(ns), inc[:], seqs, ids, digests, bodies).refused = o.failNextAttempt(uniqueViolation,
		fmt.Errorf("%w: Append holds a number that is not new", driver.ErrInvalid))
}

// notNull returns an empty value for nil, because nil would be NULL.
func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// count adds the effect of c to the namespace's feed and counters.
func (a *attempt) count(ns uint64, c *driver.Change, old *driver.Record) {
	d := &a.spaces[ns].add
	if old != nil && (c.Remove || c.Put != nil) {
		d.usage.Sessions[old.Status]--
		d.usage.Messages -= old.Messages
		d.usage.Bytes -= old.Bytes
	}
	if r := c.Put; r != nil {
		d.usage.Sessions[r.Status]++
		d.usage.Messages += r.Messages
		d.usage.Bytes += r.Bytes
	}
	d.tail = max(d.tail, c.TrimFeed)
	d.events = append(d.events, c.Events...)
}
