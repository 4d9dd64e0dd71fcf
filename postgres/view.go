package postgres

import (
	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

// view returns the data read for o, with the changes of earlier ops of the
// segment to the namespace's feed.
func (a *attempt) view(o *opRun) *driver.View {
	v := &o.view
	t := &o.Target
	v.Now = max(o.Clock(), a.d.clock.last.Load())
	if v.Record == nil || v.Refs == nil {
		v.Refs = make([]driver.Ref, len(t.MessageIDs))
	}
	if v.Record == nil || v.Messages == nil {
		v.Messages = make([]driver.Message, len(t.Seqs))
	}
	if v.Record == nil {
		v.Span = driver.SpanUsage{}
	}
	a.viewEntries(v, t)
	sp := a.spaces[t.Key.Namespace]
	v.FeedHead = sp.head + uint64(len(sp.add.events))
	v.FeedTail = max(sp.tail, sp.add.tail)
	if t.Usage {
		v.Usage = sp.usage
		v.Live = func() (driver.Usage, error) { return a.live(t.Key.Namespace, v.Now, v.Usage) }
	}
	return v
}

func (a *attempt) viewEntries(v *driver.View, t *driver.Target) {
	if v.Entries == nil {
		v.Entries = make([][]byte, len(t.Entries))
	}
	for i, k := range t.Entries {
		switch {
		case k == clockKey:
			v.Entries[i] = a.d.clock.value(a.entries[k].value)
		case k.Kind&driver.KindSession == 0:
			v.Entries[i] = a.entries[k].value
		case v.Record == nil:
			v.Entries[i] = nil
		}
	}
}

// overdue selects the sums of the sessions that expired by $2.
const overdue = `select status, count(*), coalesce(sum(messages), 0)::bigint, coalesce(sum(bytes), 0)::bigint
	from {sessions} where namespace = $1 and expires <= $2 group by status`

// live returns the counters without the sessions that expired by now. It takes
// another round trip, so it is used only by an op at its limit.
func (a *attempt) live(ns uint64, now int64, u driver.Usage) (driver.Usage, error) {
	a.settle()
	a.add(overdue, int64(ns), now).read = func(rows pgx.Rows) error { return lessOverdue(rows, &u) }
	if a.broken = a.send(a.late, false); a.broken != nil {
		return driver.Usage{}, a.broken
	}
	return u, nil
}

func lessOverdue(rows pgx.Rows, u *driver.Usage) error {
	var status int16
	var n, messages, bytes int64
	_, err := pgx.ForEachRow(rows, []any{&status, &n, &messages, &bytes}, func() error {
		u.Sessions[status] -= uint64(n)
		u.Messages -= uint64(messages)
		u.Bytes -= uint64(bytes)
		return nil
	})
	return err
}
