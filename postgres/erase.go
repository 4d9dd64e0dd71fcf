package postgres

import (
	"math/rand/v2"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

// Statements of an erasure. They remove the sessions of a namespace or a user
// with their entries, mark their logs for Reclaim, subtract the removed
// sessions from the counters, and return the totals.
var (
	eraseBuried = `
	buried as (insert into {logs} (namespace, incarnation, until) select $1, incarnation, -1 from gone
		on conflict (namespace, incarnation) do update set until = -1),
	sums as (select count(*) as n, coalesce(sum(messages), 0)::bigint as messages,
		coalesce(sum(bytes), 0)::bigint as bytes,
		count(*) filter (where status = 0) as s0, count(*) filter (where status = 1) as s1,
		count(*) filter (where status = 2) as s2, count(*) filter (where status = 3) as s3,
		count(*) filter (where status = 4) as s4, count(*) filter (where status = 5) as s5,
		count(*) filter (where status = 6) as s6, count(*) filter (where status = 7) as s7 from gone),
	counted as (insert into {pending} (namespace, stamp, tie, n, at, id, status, version, last_seq, tail, ` +
		eachCounter(`{}`) + `)
		select $1, 0, $2, 0, 0, '', 0, 0, 0, 0, ` + eachCounter(`-{}`) + ` from sums where n > 0)
	select n, messages, bytes, `

	eraseUser = `with gone as (delete from {sessions} where namespace = $1 and user_id = $3
		returning incarnation, status, messages, bytes),
	own as (delete from {entries} where namespace = $1 and class = 1 and owner_len = $4 and owner = $5 returning value),
	kept as (delete from {entries} e using gone g
		where e.namespace = $1 and e.class = 2 and e.owner_len = 16 and e.owner = g.incarnation returning 1),` +
		eraseBuried + `(select count(value) from own) + (select count(*) from kept) from sums`

	eraseSpace = `with gone as (delete from {sessions} where namespace = $1
		returning incarnation, status, messages, bytes),
	own as (delete from {entries} where namespace = $1 returning value),` +
		eraseBuried + `(select count(value) from own) from sums`

	// emptySpace empties the feed and keeps what other transactions counted
	// meanwhile.
	emptySpace = `with gone as (delete from {pending} where namespace = $1 returning ` + eachCounter(`{}`) + `),
	sums as (select ` + eachCounter(`coalesce(sum({}), 0)::bigint as {}`) + ` from gone)
	update {spaces} s set head = 0, tail = 0, ` + eachCounter(`{} = s.{} + u.{}`) +
		` from sums u where s.namespace = $1`

	dropSpace = `delete from {spaces} where namespace = $1 and (` + eachCounter(`{}`) +
		`) = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)`
)

// erase removes the data that e names. The records are removed at once, which
// makes their logs invisible. Reclaim removes the logs.
func (a *attempt) erase(e *driver.Erasure) {
	a.erased = true
	a.settle()
	ns := int64(e.Namespace)
	tie := rand.Int64()
	if e.UserID != "" {
		a.add(eraseUser, ns, tie, e.UserID, int16(len(e.UserID)), []byte(e.UserID)).read = a.readTotals(*e)
		return
	}
	a.add(eraseSpace, ns, tie).read = a.readTotals(*e)
	a.add(`update {logs} set until = -1 where namespace = $1`, ns)
	a.add(makeSpace, ns)
	a.add(`select 1 from {spaces} where namespace = $1 for update`, ns)
	a.add(emptySpace, ns)
	a.add(`delete from {events} where namespace = $1`, ns)
	a.add(dropSpace, ns)
}

func (a *attempt) readTotals(e driver.Erasure) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var sessions, messages, bytes, entries int64
		_, err := pgx.ForEachRow(rows, []any{&sessions, &messages, &bytes, &entries}, func() error {
			a.totals = append(a.totals, driver.Erased{
				Erasure: e, Sessions: uint64(sessions), Messages: uint64(messages), Bytes: uint64(bytes),
				Entries: uint64(entries),
			})
			return nil
		})
		return err
	}
}

// erased holds the totals of this process's erasures until Reclaim reports
// them. Other processes report their own.
type erased struct {
	mu     sync.Mutex // guards totals
	totals map[driver.Erasure]driver.Erased
}

func (s *erased) add(totals []driver.Erased) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range totals {
		if t.Sessions+t.Entries == 0 {
			continue
		}
		if s.totals == nil {
			s.totals = make(map[driver.Erasure]driver.Erased)
		}
		sum := s.totals[t.Erasure]
		sum.Erasure = t.Erasure
		sum.Sessions += t.Sessions
		sum.Messages += t.Messages
		sum.Bytes += t.Bytes
		sum.Entries += t.Entries
		s.totals[t.Erasure] = sum
	}
}

// take returns the totals that were not yet reported.
func (s *erased) take() (totals []driver.Erased) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.totals {
		totals = append(totals, t)
	}
	s.totals = nil
	return totals
}
