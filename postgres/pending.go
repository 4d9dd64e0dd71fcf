package postgres

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

// The row of a namespace in spaces has the head and the tail of its feed and
// its counters, as of the last fold. Writers do not change it, so that they do
// not wait for each other: they insert their additions into pending. The
// counters are the sum of both. fold moves rows from pending to spaces and
// events, and numbers the events. Readers of a feed call it first, and so does
// a writer that finds many pending rows.

// foldAt is the number of pending rows at which a writer folds them, because
// all writers of the namespace have to sum them.
const foldAt = 64

// counters are the columns common to spaces and pending.
var counters = []string{"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "messages", "bytes"}

// eachCounter repeats text for each counter, with its name in place of {}.
func eachCounter(text string) string {
	list := make([]string, len(counters))
	for i, c := range counters {
		list[i] = strings.ReplaceAll(text, "{}", c)
	}
	return strings.Join(list, ", ")
}

// tally selects one row: the feed and the counters of a namespace in one
// snapshot, and the number of pending rows.
var tally = `select coalesce(p.head, 0) + q.events as head, greatest(p.tail, q.tail) as tail, ` +
	eachCounter(`coalesce(p.{}, 0) + q.{} as {}`) + `, q.waiting
	from (select count(kind) as events, coalesce(max(tail), 0) as tail, count(*) as waiting, ` +
	eachCounter(`coalesce(sum({}), 0)::bigint as {}`) + ` from {pending} where namespace = $1) q
	left join {spaces} p on p.namespace = $1`

// recent leaves out rows whose stamp is not above the last folded one. These
// are deleted rows, which the engine must skip while a dump or another long
// transaction may see them, and rows of a writer that was slower than a fold,
// until the next fold. The latter count, so an op that needs the counters reads
// all rows. Stamps and the trimming of feeds do not need them.
const recent = `namespace = $1 and stamp > coalesce((select stamp from {spaces} where namespace = $1), 0)`

var recentTally = strings.Replace(tally, `{pending} where namespace = $1`, `{pending} where `+recent, 1)

// spaceState is the known state of a namespace, and the additions of the
// segment.
type spaceState struct {
	head, tail uint64
	usage      driver.Usage
	waiting    int // number of pending rows
	add        delta
}

// delta holds the additions of a segment to a namespace's feed and counters.
type delta struct {
	usage  driver.Usage // negative numbers wrap around, which addition undoes
	events []driver.Event
	tail   uint64
}

func (d *delta) empty() bool { return d.usage == driver.Usage{} && len(d.events) == 0 && d.tail == 0 }

// scanSpace scans the columns of tally.
func scanSpace(row pgx.Row, sp *spaceState) error {
	var head, tail, messages, bytes, waiting int64
	var s [driver.Statuses]int64
	err := row.Scan(&head, &tail, &s[0], &s[1], &s[2], &s[3], &s[4], &s[5], &s[6], &s[7], &messages, &bytes, &waiting)
	sp.head = uint64(head)
	sp.tail = uint64(tail)
	sp.waiting = int(waiting)
	sp.usage = driver.Usage{Messages: uint64(messages), Bytes: uint64(bytes)}
	for i, n := range s {
		sp.usage.Sessions[i] = uint64(n)
	}
	return err
}

// readSpaces reads feeds and counters. It locks their row only for an op that
// needs the counters. Other such ops wait until that op has added its changes.
func (a *attempt) readSpaces(ops []*opRun) {
	usage := map[uint64]bool{}
	for _, o := range ops {
		ns := o.Target.Key.Namespace
		usage[ns] = usage[ns] || o.Target.Usage
	}
	for _, ns := range slices.Sorted(maps.Keys(usage)) {
		sp := &spaceState{}
		a.spaces[ns] = sp
		sql := recentTally
		if usage[ns] {
			sql = tally
			// A missing row cannot be locked.
			a.add(`insert into {spaces} (namespace) values ($1) on conflict (namespace) do nothing`, int64(ns))
			a.add(`select 1 from {spaces} where namespace = $1 for update`, int64(ns))
		}
		a.add(sql, int64(ns)).read = func(rows pgx.Rows) error {
			for rows.Next() {
				if err := scanSpace(rows, sp); err != nil {
					return err
				}
			}
			return nil
		}
	}
}

// settle queues the additions of the segment to feeds and counters. It comes
// after every statement that may wait: see nextStamp.
func (a *attempt) settle() {
	for _, ns := range slices.Sorted(maps.Keys(a.spaces)) {
		sp := a.spaces[ns]
		if !sp.add.empty() {
			a.settleSpace(int64(ns), &sp.add)
			sp.waiting += max(len(sp.add.events), 1)
		}
		if sp.waiting >= foldAt {
			a.crowded[ns] = true
		}
		sp.head += uint64(len(sp.add.events))
		sp.tail = max(sp.tail, sp.add.tail)
		sp.add = delta{}
	}
}

// nextStamp is above the stamps of all committed events, so that new events
// come after them. A writer takes it while it holds the locks of the records.
// So the events of each session are in order, and a change that was
// acknowledged before another call began comes first. Concurrent events with
// equal stamps are ordered at random.
const nextStamp = `coalesce((select stamp from {pending} where ` + recent + ` order by stamp desc limit 1),
	(select stamp from {spaces} where namespace = $1), 0) + 1`

var (
	// addFirst adds the counters of a segment, and its first event if it has
	// one.
	addFirst = `insert into {pending} (namespace, stamp, tie, n, at, id, kind, status, version, last_seq, tail,
		` + eachCounter(`{}`) + `)
		values ($1, ` + nextStamp + `, $2, 0, $3, $4, $5, $6, $7, $8, $9, $10, $11,
			$12, $13, $14, $15, $16, $17, $18, $19)`

	// addRest adds the other events.
	addRest = `insert into {pending} (namespace, stamp, tie, n, at, id, kind, status, version, last_seq, tail,
		` + eachCounter(`{}`) + `)
		select $1, m.stamp, $2, e.n, e.at, e.id, e.kind, e.status, e.version, e.last_seq,
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
		from (select ` + nextStamp + ` as stamp) m,
			unnest($3::bigint[], $4::text[], $5::smallint[], $6::smallint[], $7::bigint[], $8::bigint[])
				with ordinality as e (at, id, kind, status, version, last_seq, n)`
)

func (a *attempt) settleSpace(ns int64, d *delta) {
	key := []any{ns, rand.Int64()}
	var first driver.Event
	var kind *int16 // nil = no event
	if len(d.events) > 0 {
		first = d.events[0]
		kind = new(int16)
		*kind = int16(first.Kind)
	}
	args := append(key, first.Time, first.ID, kind, int16(first.Status), int64(first.Version), int64(first.LastSeq),
		int64(d.tail))
	for _, n := range d.usage.Sessions {
		args = append(args, int64(n))
	}
	a.add(addFirst, append(args, int64(d.usage.Messages), int64(d.usage.Bytes))...)
	if len(d.events) > 1 {
		a.add(addRest, append(key, eventArrays(d.events[1:])...)...)
	}
}

func eventArrays(events []driver.Event) []any {
	n := len(events)
	at := make([]int64, n)
	ids := make([]string, n)
	versions := make([]int64, n)
	seqs := make([]int64, n)
	kinds := make([]int16, n)
	statuses := make([]int16, n)
	for i, e := range events {
		at[i] = e.Time
		ids[i] = e.ID
		versions[i] = int64(e.Version)
		seqs[i] = int64(e.LastSeq)
		kinds[i], statuses[i] = int16(e.Kind), int16(e.Status)
	}
	return []any{at, ids, kinds, statuses, versions, seqs}
}

const (
	// makeSpace and lockSpace do nothing if no row is pending. An insert would
	// wait for a running fold even if it then did nothing.
	makeSpace = `insert into {spaces} (namespace) select $1::bigint
		where exists (select 1 from {pending} where namespace = $1)
			and not exists (select 1 from {spaces} where namespace = $1)
		on conflict (namespace) do nothing`
	lockSpace = `select 1 from {spaces} where namespace = $1
		and exists (select 1 from {pending} where namespace = $1) for update`
)

// fold merges committed pending rows into spaces and events. It does nothing
// while another transaction folds. A folding transaction holds the lock of the
// row in spaces, and no other statement writes events. So positions have no
// gaps, do not change, and grow with the time of the commit.
var fold = fmt.Sprintf(`with p as (select head, tail from {spaces} where namespace = $1 for update skip locked),
	gone as (delete from {pending} g using p where g.namespace = $1
		returning g.stamp, g.tie, g.n, g.at, g.id, g.kind, g.status, g.version, g.last_seq, g.tail, %s),
	sums as (select count(kind) as events, max(tail) as tail, max(stamp) as stamp, %s from gone),
	total as (update {spaces} s set head = s.head + u.events, tail = greatest(s.tail, u.tail),
		stamp = greatest(s.stamp, u.stamp), %s
		from sums u where s.namespace = $1 and u.tail is not null returning s.tail),
	trimmed as (delete from {events} e using p, total t where e.namespace = $1
		and e.position <= t.tail and t.tail > p.tail)
	insert into {events} (namespace, position, at, id, kind, status, version, last_seq)
	select $1, e.position, e.at, e.id, e.kind, e.status, e.version, e.last_seq
	from (select p.head + row_number() over (order by g.stamp, g.tie, g.n) as position, g.*
		from gone g, p where g.kind is not null) e, total t where e.position > t.tail`,
	eachCounter(`g.{}`), eachCounter(`sum({})::bigint as {}`), eachCounter(`{} = s.{} + u.{}`))

// foldCrowded queues folds for namespaces with many pending rows. They wait
// only if another transaction creates the namespace's row in spaces.
func (a *attempt) foldCrowded() {
	for _, ns := range slices.Sorted(maps.Keys(a.crowded)) {
		a.fold(ns)
	}
}

func (a *attempt) fold(ns uint64) {
	a.add(makeSpace, int64(ns))
	a.add(fold, int64(ns))
}
