package postgres

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

// maxSeq is above the numbers of all stored messages.
const maxSeq = math.MaxInt64

// entryState is an entry named by a Target.
type entryState struct {
	value   []byte
	there   bool // there is a row, perhaps without a value
	shared  bool // locked for sharing
	written bool
}

// fetch sends the queue, and then locks and reads the data that the ops name.
// All transactions lock rows in one order, to avoid deadlocks: records,
// entries, counters. Later statements read the data of a record, so that they
// see what was committed while fetch waited for the record's lock.
func (a *attempt) fetch(ops []*opRun) error {
	a.settle()
	if !a.began {
		a.add(`begin`)
		a.began = true
	}
	a.entries = map[driver.EntryKey]*entryState{}
	a.spaces = map[uint64]*spaceState{}
	a.erased = false
	for _, o := range ops {
		o.view = driver.View{}
	}
	a.lockRecords(ops)
	for _, o := range ops {
		if o.Target.Key.ID != "" {
			a.readLog(o)
		}
	}
	a.readEntries(ops)
	a.readSpaces(ops)
	ctx := a.ctx
	if a.planned {
		ctx = a.late
	}
	return a.send(ctx, false)
}

const recordColumns = `namespace, id, incarnation, version, next_seq, user_id, status, labels,
	created, active_minute, due, expires, messages, bytes, body`

// lockRecords locks the records of all remaining ops, so that later segments
// take no new locks, and reads those of this segment.
func (a *attempt) lockRecords(ops []*opRun) {
	wanted := map[driver.Key]*opRun{}
	for _, o := range a.running {
		if o.Target.Key.ID != "" && !a.locked[o.Target.Key] {
			wanted[o.Target.Key] = nil
		}
	}
	for _, o := range ops {
		if o.Target.Key.ID != "" {
			wanted[o.Target.Key] = o
		}
	}
	keys := slices.SortedFunc(maps.Keys(wanted), func(a, b driver.Key) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), strings.Compare(a.ID, b.ID))
	})
	for _, k := range keys {
		a.locked[k] = true
		o := wanted[k]
		if o == nil {
			a.add(`select 1 from {sessions} where namespace = $1 and id = $2 for update`, int64(k.Namespace), k.ID)
			continue
		}
		s := a.add(`select `+recordColumns+` from {sessions} where namespace = $1 and id = $2 for update`,
			int64(k.Namespace), k.ID)
		s.read = func(rows pgx.Rows) error {
			for rows.Next() {
				o.view.Record = new(driver.Record)
				if err := scanRecord(rows, o.view.Record); err != nil {
					return err
				}
			}
			return nil
		}
	}
}

// readLog reads the messages that o needs from its record's incarnation.
func (a *attempt) readLog(o *opRun) {
	t := &o.Target
	ns := int64(t.Key.Namespace)
	if len(t.MessageIDs) > 0 {
		a.add(`select m.id, m.seq, m.digest from {sessions} s
			join {messages} m on m.namespace = $1 and m.incarnation = s.incarnation
			where s.namespace = $1 and s.id = $2 and m.id = any($3) order by m.seq`,
			ns, t.Key.ID, t.MessageIDs).read = o.readRefs
	}
	if len(t.Seqs) > 0 {
		a.add(`select m.seq, m.id, m.digest, m.body from {sessions} s
			join {messages} m on m.namespace = $1 and m.incarnation = s.incarnation
			where s.namespace = $1 and s.id = $2 and m.seq = any($3) and m.body is not null`,
			ns, t.Key.ID, signed(t.Seqs)).read = o.readMessages
	}
	if t.Span.To != 0 {
		a.add(`select count(*), coalesce(sum(octet_length(m.body)), 0)::bigint
			from {sessions} s join {messages} m on m.namespace = $1 and m.incarnation = s.incarnation
			where s.namespace = $1 and s.id = $2 and m.seq between $3 and $4 and m.body is not null`,
			ns, t.Key.ID, cappedSeq(t.Span.From), cappedSeq(t.Span.To)).read = o.readSpan
	}
	for _, k := range t.Entries {
		if k.Kind&driver.KindSession != 0 {
			a.readOwn(o)
			return
		}
	}
}

// signed clamps numbers to the range of stored numbers.
func signed(seqs []uint64) []int64 {
	out := make([]int64, len(seqs))
	for i, seq := range seqs {
		out[i] = cappedSeq(seq)
	}
	return out
}

func cappedSeq(seq uint64) int64 { return int64(min(seq, maxSeq)) }

func (o *opRun) readRefs(rows pgx.Rows) error {
	o.view.Refs = make([]driver.Ref, len(o.Target.MessageIDs))
	var id string
	var seq int64
	var digest []byte
	_, err := pgx.ForEachRow(rows, []any{&id, &seq, &digest}, func() error {
		for i, want := range o.Target.MessageIDs {
			if want == id {
				o.view.Refs[i] = driver.Ref{Found: true, Seq: uint64(seq), Digest: [16]byte(digest)}
			}
		}
		return nil
	})
	return err
}

func (o *opRun) readMessages(rows pgx.Rows) error {
	o.view.Messages = make([]driver.Message, len(o.Target.Seqs))
	for rows.Next() {
		m, err := scanMessage(rows)
		if err != nil {
			return err
		}
		for i, want := range o.Target.Seqs {
			if want == m.Seq {
				o.view.Messages[i] = m
			}
		}
	}
	return nil
}

func (o *opRun) readSpan(rows pgx.Rows) error {
	var n, bytes int64
	_, err := pgx.ForEachRow(rows, []any{&n, &bytes}, func() error {
		o.view.Span = driver.SpanUsage{Messages: uint64(n), Bytes: uint64(bytes)}
		return nil
	})
	return err
}

// readOwn reads the session's own entries. The lock of the record guards them.
func (a *attempt) readOwn(o *opRun) {
	t := &o.Target
	o.view.Entries = make([][]byte, len(t.Entries))
	var kinds []int16
	var names [][]byte
	for _, k := range t.Entries {
		if k.Kind&driver.KindSession != 0 {
			kinds = append(kinds, int16(k.Kind))
			names = append(names, []byte(k.Name))
		}
	}
	s := a.add(`select e.kind, e.name, e.value from {sessions} s join {entries} e
		on e.namespace = $1 and e.class = 2 and e.owner_len = 16 and e.owner = s.incarnation
		where s.namespace = $1 and s.id = $2 and e.kind = any($3) and e.name = any($4)`,
		int64(t.Key.Namespace), t.Key.ID, kinds, names)
	s.read = func(rows pgx.Rows) error {
		var kind int16
		var name, value []byte
		_, err := pgx.ForEachRow(rows, []any{&kind, &name, &value}, func() error {
			for i, k := range t.Entries {
				if k.Kind == uint8(kind) && k.Name == string(name) {
					o.view.Entries[i] = value
				}
			}
			value = nil
			return nil
		})
		return err
	}
}

// readEntries locks and reads entries that belong to no session. Entries of the
// store itself are read by every write and rarely written, so they are locked
// for sharing unless an op writes one.
func (a *attempt) readEntries(ops []*opRun) {
	for _, o := range ops {
		for _, k := range o.Target.Entries {
			if k.Kind&driver.KindSession == 0 {
				a.entries[k] = &entryState{shared: k.Namespace == 0 && !a.exclusive}
			}
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(a.entries), compareKeys) {
		e := a.entries[k]
		lock := ` for update`
		switch {
		case k.Kind == driver.KindClock:
			lock = ``
		case e.shared:
			lock = ` for share`
		}
		a.add(selectEntry+lock, entryArgs(&k, k.Owner)...).read = func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&e.value}, func() error {
				e.there = true
				return nil
			})
			return err
		}
	}
}

func compareKeys(a, b driver.EntryKey) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Kind, b.Kind),
		strings.Compare(a.Owner, b.Owner), strings.Compare(a.Name, b.Name))
}
