package postgres

import "github.com/seshatdb/seshat/driver"

// The statements of an erasure remove the sessions of a namespace, or of a user
// in it, with their entries, mark their logs for Reclaim, count them off, and
// keep the totals for Reclaim to report.
const (
	eraseSessions = `delete from {sessions} where namespace = $1`
	eraseBuried   = `
	buried as (insert into {logs} (namespace, incarnation, until) select $1, incarnation, -1 from gone
		on conflict (namespace, incarnation) do update set until = -1),
	sums as (select count(*) as n, coalesce(sum(messages), 0)::bigint as m, coalesce(sum(bytes), 0)::bigint as b,
		count(*) filter (where status = 0) as s0, count(*) filter (where status = 1) as s1,
		count(*) filter (where status = 2) as s2, count(*) filter (where status = 3) as s3,
		count(*) filter (where status = 4) as s4, count(*) filter (where status = 5) as s5,
		count(*) filter (where status = 6) as s6, count(*) filter (where status = 7) as s7 from gone),
	counted as (update {spaces} p set s0 = p.s0 - s.s0, s1 = p.s1 - s.s1, s2 = p.s2 - s.s2, s3 = p.s3 - s.s3,
		s4 = p.s4 - s.s4, s5 = p.s5 - s.s5, s6 = p.s6 - s.s6, s7 = p.s7 - s.s7,
		messages = p.messages - s.m, bytes = p.bytes - s.b from sums s where p.namespace = $1)
	insert into {erasures} as e (namespace, user_id, sessions, messages, bytes, entries)
	select $1, $2, n, m, b, `
	eraseEnd = ` from sums
	on conflict (namespace, user_id) do update set sessions = e.sessions + excluded.sessions,
		messages = e.messages + excluded.messages, bytes = e.bytes + excluded.bytes, entries = e.entries + excluded.entries`

	eraseUser = `with gone as (` + eraseSessions + ` and user_id = $2 returning incarnation, status, messages, bytes),
	own as (delete from {entries} where namespace = $1 and class = 1 and owner_len = $3 and owner = $4 returning value),
	kept as (delete from {entries} e using gone g
		where e.namespace = $1 and e.class = 2 and e.owner_len = 16 and e.owner = g.incarnation returning 1),` +
		eraseBuried + `(select count(value) from own) + (select count(*) from kept)` + eraseEnd

	eraseSpace = `with gone as (` + eraseSessions + ` returning incarnation, status, messages, bytes),
	own as (delete from {entries} where namespace = $1 returning value),` +
		eraseBuried + `(select count(value) from own)` + eraseEnd
)

// erase removes what e names. The records go at once, and with them all that is
// seen of their logs; the logs themselves are left to Reclaim.
func (a *attempt) erase(e *driver.Erasure) {
	a.erased = true
	a.settle()
	ns := int64(e.Namespace)
	if e.User != "" {
		a.add(eraseUser, ns, e.User, int16(len(e.User)), []byte(e.User))
		return
	}
	// Who writes in the namespace meanwhile counts before this, or after it.
	a.add(`insert into {spaces} as p (namespace) values ($1) on conflict (namespace) do update set head = p.head`, ns)
	a.add(eraseSpace, ns, "")
	a.add(`update {logs} set until = -1 where namespace = $1`, ns)
	a.add(`delete from {events} where namespace = $1`, ns)
	a.add(`delete from {spaces} where namespace = $1`, ns)
}
