package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seshatdb/seshat/driver"
)

// attempt is one transaction of a mutation.
type attempt struct {
	*mutation
	conn    *pgx.Conn
	ctx     context.Context // before a Plan ran
	late    context.Context // after a Plan ran
	running []*opRun
	locked  map[driver.Key]bool

	queue     []statement
	began     bool
	planned   bool // at least one Plan ran
	changed   bool // at least one Plan changed something
	committed bool
	broken    error // error of a View.Live
	now       int64 // largest View.Now

	// State of the current segment.
	entries map[driver.EntryKey]*entryState
	spaces  map[uint64]*spaceState
	erased  bool

	crowded map[uint64]bool // namespaces with many pending rows
	totals  []driver.Erased // of erasures
	flights []*flight
}

// statement is a statement in the queue.
type statement struct {
	sql  string
	args []any
	read func(pgx.Rows) error
	// refused returns the meaning of an engine error with that code. It returns
	// errAgain to ask for another attempt.
	refused func(code string) error
}

func (a *attempt) add(sql string, args ...any) *statement {
	a.queue = append(a.queue, statement{sql: a.d.text(sql), args: args})
	return &a.queue[len(a.queue)-1]
}

// errRaced reports that another transaction inserted the same row first.
var errRaced = errors.New("another writer made it first")

// run runs the ops in segments. The data of a segment is read in one round
// trip. Its changes are sent with the reads of the next segment, or with the
// commit. A new segment begins at an op that names the same data as an earlier
// op, so most calls have one segment.
func (a *attempt) run() error {
	for i := 0; i < len(a.running); {
		segment := a.segment(i)
		if err := a.fetch(segment); err != nil {
			return err
		}
		for _, o := range segment {
			if a.stale(o) {
				break
			}
			if err := a.plan(o); err != nil {
				return err
			}
			i++
		}
	}
	a.settle()
	if !a.changed {
		return nil
	}
	return a.commit()
}

// segment returns the ops from i on whose data can be read together.
func (a *attempt) segment(i int) []*opRun {
	keys := map[driver.Key]bool{}
	entries := map[driver.EntryKey]bool{}
	usage := map[uint64]bool{}
	for j, o := range a.running[i:] {
		t := &o.Target
		apart := keys[t.Key] || t.Usage && usage[t.Key.Namespace]
		for _, k := range t.Entries {
			apart = apart || entries[k] && k.Kind&driver.KindSession == 0
		}
		if apart {
			return a.running[i : i+j]
		}
		keys[t.Key] = t.Key.ID != ""
		usage[t.Key.Namespace] = true
		for _, k := range t.Entries {
			entries[k] = true
		}
	}
	return a.running[i:]
}

// stale reports whether an earlier op of the segment changed data that o reads.
func (a *attempt) stale(o *opRun) bool {
	if a.erased {
		return true
	}
	for _, k := range o.Target.Entries {
		if e := a.entries[k]; e != nil && e.written && k.Kind&driver.KindSession == 0 {
			return true
		}
	}
	return false
}

// plan runs the Plan of one op and queues its change.
func (a *attempt) plan(o *opRun) error {
	if o.failure != nil {
		o.err = o.failure
		return nil
	}
	a.planned = true
	v, c, err := a.runPlan(o)
	if a.broken != nil {
		return a.broken
	}
	if err == nil {
		err = checkChange(&c)
	}
	if err != nil {
		o.err = err
		return nil
	}
	o.ran = true
	if idle(&c, v.Record) {
		return nil
	}
	if a.mustExclude(&c) {
		a.exclusive = true
		return errAgain
	}
	a.now = max(a.now, v.Now)
	a.changed = true
	a.change(o, &c)
	a.guard(o)
	return nil
}

// idle reports whether c changes nothing.
func idle(c *driver.Change, found *driver.Record) bool {
	return c.Put == nil && (!c.Remove || found == nil) && c.Stage == driver.Incarnation{} && c.Erase == nil &&
		c.TrimFeed == 0 && len(c.Append)+len(c.Replace)+len(c.Drop)+len(c.Entries)+len(c.Events) == 0
}

// commit sends the rest of the queue and commits.
func (a *attempt) commit() error {
	save := a.d.clock.due(a.now)
	if save {
		a.add(storeClock, clockArgs(a.now)...)
	}
	a.foldCrowded()
	start := time.Now()
	a.add(`commit`)
	if err := a.send(a.late, true); err != nil {
		return err
	}
	a.committed = true
	a.d.erased.add(a.totals)
	raise(&a.d.clock.last, a.now)
	if save {
		raise(&a.d.clock.saved, a.now)
	}
	a.d.count.Add(len(a.running), time.Since(start), 0, 0)
	return nil
}

// send sends the queue in one round trip. If committing, its last statement is
// the commit.
func (a *attempt) send(ctx context.Context, committing bool) error {
	at, err := exchange(ctx, a.conn, a.queue)
	if err != nil {
		err = a.verdict(err, at, committing)
	}
	a.queue = a.queue[:0]
	return err
}

// exchange sends statements in one round trip and reads all answers. at is the
// index of the failed statement.
func exchange(ctx context.Context, conn *pgx.Conn, queue []statement) (at int, err error) {
	b := &pgx.Batch{}
	for i := range queue {
		b.Queue(queue[i].sql, queue[i].args...)
	}
	results := conn.SendBatch(ctx, b)
	at, err = receive(results, queue)
	if closed := results.Close(); err == nil {
		err = closed
	}
	return at, err
}

// receive reads all answers. If one fails, it returns its index.
func receive(results pgx.BatchResults, queue []statement) (int, error) {
	for i := range queue {
		rows, err := results.Query()
		if err == nil && queue[i].read != nil {
			err = queue[i].read(rows)
		}
		rows.Close()
		if err == nil {
			err = rows.Err()
		}
		if err != nil {
			return i, err
		}
		if queue[i].sql == "commit" && rows.CommandTag().String() != "COMMIT" {
			return i, fmt.Errorf("commit ended with %s: %w", rows.CommandTag(), errRaced)
		}
	}
	return len(queue), nil
}

// verdict returns the error of a transaction whose statement at failed. It is
// ErrUnknown only if the commit may have happened.
func (a *attempt) verdict(err error, at int, committing bool) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) && !ending(pe) {
		switch {
		case at < len(a.queue) && a.queue[at].refused != nil:
			if verdict := a.queue[at].refused(pe.Code); verdict != nil {
				return verdict
			}
		case pe.Code == "23505":
			return fmt.Errorf("%w: %w", errRaced, err)
		}
		if at < len(a.queue)-1 || !committing || serialization(err) {
			return err
		}
	}
	if committing && !pgconn.SafeToRetry(err) && !errors.Is(err, errRaced) {
		return fmt.Errorf("%w: %w", driver.ErrUnknown, err)
	}
	return err
}

// rollback returns a clean connection to the pool, or closes it.
func (a *attempt) rollback() {
	if a.conn.IsClosed() || a.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), rollbackTimeout)
	defer cancel()
	_, _ = a.conn.Exec(ctx, `rollback`)
}
