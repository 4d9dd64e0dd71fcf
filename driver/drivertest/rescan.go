package drivertest

import (
	"errors"
	"slices"

	"github.com/seshatdb/seshat/driver"
)

// rescan compares every answer of the driver with the model.
func (p *play) rescan() {
	for _, n := range slices.Concat([]uint64{0}, p.spaces, p.gone) {
		p.rescanRecords(n)
		p.rescanLists(n)
		for _, kind := range kinds {
			p.equal("Entries", p.entries(driver.EntryQuery{Namespace: n, Kind: kind, AllOwners: true}),
				p.m.entriesOf(n, kind))
		}
		p.rescanFeed(n)
	}
	p.rescanLogs()
	for _, now := range []int64{p.now.Load(), driver.Never - 1} {
		p.equal("Due", p.due(now), p.m.due(now))
	}
}

func (p *play) rescanRecords(n uint64) {
	now := p.now.Load()
	for _, id := range modelIDs {
		var want *driver.Record
		if s := p.m.find(key(n, id)); s != nil && s.Expires > now {
			want = &s.Record
		}
		p.equal("Get", p.get(key(n, id)), want)
	}
}

func (p *play) rescanLists(n uint64) {
	all := p.m.records()
	for _, q := range p.queries() {
		q.Namespace = n
		p.equal("List", p.list(q), selected(all, q))
		p.equal("Count", p.count(q), counted(all, q))
	}
}

// queries returns queries that use each index, and a few random ones.
func (p *play) queries() []driver.Query {
	now := p.now.Load()
	qs := []driver.Query{
		{Now: now},
		{Now: 1, Order: driver.ByActivity, Desc: true},
		{Now: now, Statuses: 3},
		{Now: now, UserID: "u"},
	}
	for range 3 {
		q := driver.Query{
			Now: now + p.rng.Int64N(100), UserID: pick(p.rng, modelUsers), Order: driver.Order(p.rng.IntN(2)),
			Desc:  p.rng.IntN(2) == 0,
			Limit: 1 + p.rng.IntN(9), Scan: p.rng.IntN(5),
		}
		if p.rng.IntN(2) == 0 {
			q.Statuses = uint8(p.rng.Uint32())
		}
		if p.rng.IntN(2) == 0 {
			q.Labels = []driver.Label{{Name: pick(p.rng, modelLabels), Value: pick(p.rng, modelNames[:2])}}
		}
		if p.rng.IntN(3) == 0 {
			q.CreatedFrom, q.ActiveTo = now-p.rng.Int64N(500), now+p.rng.Int64N(2*minute)
		}
		qs = append(qs, q)
	}
	return qs
}

func (p *play) rescanLogs() {
	for _, s := range p.m.sessions {
		q := driver.LogQuery{Namespace: s.Namespace, Incarnation: s.Incarnation, Limit: noLimit}
		p.compareLog(q, s.log)
		q.Desc, q.Limit = true, 1+p.rng.IntN(3)
		q.Span = driver.Span{From: p.rng.Uint64N(4), To: p.rng.Uint64N(9)}
		p.compareLog(q, s.log)
	}
	for _, l := range slices.Concat(p.m.staged, p.m.dead) {
		q := driver.LogQuery{Namespace: l.namespace, Incarnation: l.incarnation, Limit: noLimit}
		p.compareLog(q, newModelLog(0, l.incarnation))
	}
}

func (p *play) compareLog(q driver.LogQuery, l *modelLog) {
	got, err := p.d.Messages(p.ctx, q)
	p.must(err)
	p.equal("Messages", got, l.in(q))
}

func (p *play) rescanFeed(n uint64) {
	want := p.m.feedOf(n)
	p.equal("Feed", p.feed(n, want.Tail), want)
	if want.Tail > 0 {
		_, err := p.d.Feed(p.ctx, driver.FeedQuery{Namespace: n, After: want.Tail - 1, Limit: 1})
		p.isTrue(errors.Is(err, driver.ErrLagged), "Feed before the tail returned %v", err)
	}
}
