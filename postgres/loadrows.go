package postgres

import (
	"maps"
	"slices"

	"github.com/seshatdb/seshat/driver"
)

// column returns one value of each part.
func column[T any](parts []driver.Part, value func(*driver.Part) T) []T {
	all := make([]T, len(parts))
	for i := range parts {
		all[i] = value(&parts[i])
	}
	return all
}

func namespaceOf(p *driver.Part) int64 { return int64(p.Namespace) }

func incarnationOf(p *driver.Part) []byte { return p.Incarnation[:] }

func (a *attempt) loadFeeds(parts []driver.Part) {
	a.add(`insert into {spaces} (namespace, head, tail) select * from unnest($1::bigint[], $2::bigint[], $3::bigint[])`,
		column(parts, namespaceOf),
		column(parts, func(p *driver.Part) int64 { return int64(p.Head) }),
		column(parts, func(p *driver.Part) int64 { return int64(p.Tail) }))
}

func (a *attempt) loadEvents(parts []driver.Part) {
	a.add(`insert into {events} (namespace, position, at, id, kind, status, version, last_seq)
		select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::smallint[], $6::smallint[],
			$7::bigint[], $8::bigint[])`,
		column(parts, namespaceOf),
		column(parts, func(p *driver.Part) int64 { return int64(p.Event.Position) }),
		column(parts, func(p *driver.Part) int64 { return p.Event.Time }),
		column(parts, func(p *driver.Part) string { return p.Event.ID }),
		column(parts, func(p *driver.Part) int16 { return int16(p.Event.Kind) }),
		column(parts, func(p *driver.Part) int16 { return int16(p.Event.Status) }),
		column(parts, func(p *driver.Part) int64 { return int64(p.Event.Version) }),
		column(parts, func(p *driver.Part) int64 { return int64(p.Event.LastSeq) }))
}

// loadRecords adds records and counts them.
func (a *attempt) loadRecords(parts []driver.Part) {
	a.add(`insert into {sessions} (`+recordColumns+`)
		select namespace, id, incarnation, version, next_seq, user_id, status, labels::jsonb,
			created, active_minute, due, expires, messages, bytes, body
		from unnest($1::bigint[], $2::text[], $3::bytea[], $4::bigint[], $5::bigint[], $6::text[],
			$7::smallint[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
			$13::bigint[], $14::bigint[], $15::bytea[]) as r (`+recordColumns+`)`,
		column(parts, namespaceOf),
		column(parts, func(p *driver.Part) string { return p.Record.ID }),
		column(parts, func(p *driver.Part) []byte { return p.Record.Incarnation[:] }),
		column(parts, func(p *driver.Part) int64 { return int64(p.Record.Version) }),
		column(parts, func(p *driver.Part) int64 { return int64(p.Record.NextSeq) }),
		column(parts, func(p *driver.Part) *string { return textOrNull(p.Record.UserID) }),
		column(parts, func(p *driver.Part) int16 { return int16(p.Record.Status) }),
		column(parts, func(p *driver.Part) *string { return encodeLabels(p.Record.Labels) }),
		column(parts, func(p *driver.Part) int64 { return p.Record.Created }),
		column(parts, func(p *driver.Part) int64 { return p.Record.ActiveMinute }),
		column(parts, func(p *driver.Part) *int64 { return timeOrNull(p.Record.Due) }),
		column(parts, func(p *driver.Part) *int64 { return timeOrNull(p.Record.Expires) }),
		column(parts, func(p *driver.Part) int64 { return int64(p.Record.Messages) }),
		column(parts, func(p *driver.Part) int64 { return int64(p.Record.Bytes) }),
		column(parts, func(p *driver.Part) []byte { return notNull(p.Record.Body) }))
	a.countRecords(parts)
}

func (a *attempt) countRecords(parts []driver.Part) {
	spaces := map[uint64]*driver.Usage{}
	for i := range parts {
		r := &parts[i].Record
		u := spaces[r.Namespace]
		if u == nil {
			u = &driver.Usage{}
			spaces[r.Namespace] = u
		}
		u.Sessions[r.Status]++
		u.Messages += r.Messages
		u.Bytes += r.Bytes
	}
	for _, ns := range slices.Sorted(maps.Keys(spaces)) {
		a.settleSpace(int64(ns), &delta{usage: *spaces[ns]})
		a.fold(ns)
	}
}

func (a *attempt) loadStages(parts []driver.Part) {
	a.add(`insert into {logs} (namespace, incarnation, until)
		select * from unnest($1::bigint[], $2::bytea[], $3::bigint[])`,
		column(parts, namespaceOf), column(parts, incarnationOf),
		column(parts, func(p *driver.Part) int64 { return p.Time }))
}

func (a *attempt) loadEntries(parts []driver.Part) {
	a.add(`insert into {entries} (namespace, class, owner_len, owner, kind, name, value)
		select * from unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::bytea[], $5::smallint[],
			$6::bytea[], $7::bytea[])`,
		column(parts, namespaceOf),
		column(parts, func(p *driver.Part) int16 { return int16(p.Entry.Kind >> 6) }),
		column(parts, func(p *driver.Part) int16 { return int16(len(p.Entry.Owner)) }),
		column(parts, func(p *driver.Part) []byte { return []byte(p.Entry.Owner) }),
		column(parts, func(p *driver.Part) int16 { return int16(p.Entry.Kind) }),
		column(parts, func(p *driver.Part) []byte { return []byte(p.Entry.Name) }),
		column(parts, func(p *driver.Part) []byte { return p.Entry.Value }))
}

// loadMessages adds messages. Ids of dropped messages are rows without a body.
func (a *attempt) loadMessages(parts []driver.Part) {
	a.add(`insert into {messages} (namespace, incarnation, seq, id, digest, body)
		select * from unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::text[], $5::bytea[], $6::bytea[])`,
		column(parts, namespaceOf), column(parts, incarnationOf),
		column(parts, func(p *driver.Part) int64 { return int64(p.Message.Seq) }),
		column(parts, func(p *driver.Part) string { return p.Message.ID }),
		column(parts, func(p *driver.Part) []byte { return p.Message.Digest[:] }),
		column(parts, func(p *driver.Part) []byte {
			if p.Kind == driver.PartRef {
				return nil
			}
			return notNull(p.Message.Body)
		}))
}
