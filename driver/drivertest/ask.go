package drivertest

import (
	"errors"

	"github.com/seshatdb/seshat/driver"
)

// noLimit is a limit above the size of every answer of the suite.
const noLimit = 1 << 16

// get returns the record at k, or nil.
func (e *env) get(k driver.Key) *driver.Record { return e.getAt(k, e.now.Load()) }

func (e *env) getAt(k driver.Key, now int64) *driver.Record {
	var r driver.Record
	err := e.d.Get(e.ctx, k, now, &r)
	if errors.Is(err, driver.ErrNotFound) {
		return nil
	}
	if err != nil {
		fail(2, "Get %s: %v", showKey(k), err)
	}
	return &r
}

// list returns all pages of q. It sets the query's time and limit.
func (e *env) list(q driver.Query) (records []driver.Record) {
	if q.Now == 0 {
		q.Now = e.now.Load()
	}
	if q.Limit == 0 {
		q.Limit = noLimit
	}
	for calls := 0; ; calls++ {
		p, err := e.d.List(e.ctx, q)
		if err != nil {
			fail(2, "List: %v", err)
		}
		if len(p.Records) > q.Limit || q.Scan > 0 && p.Scanned > q.Scan || p.Scanned < len(p.Records) {
			fail(2, "a page of %d records, %d scanned: asked for %d and %d", len(p.Records), p.Scanned, q.Limit, q.Scan)
		}
		records = append(records, p.Records...)
		if p.Next == nil {
			return records
		}
		if q.After != nil && *p.Next == *q.After || calls > noLimit {
			fail(2, "paging stands still at %+v", *p.Next)
		}
		q.After = p.Next
	}
}

// ids returns the ids of all records that q selects, in order.
func (e *env) ids(q driver.Query) []string {
	ids := []string{}
	for _, r := range e.list(q) {
		ids = append(ids, r.ID)
	}
	return ids
}

func (e *env) count(q driver.Query) driver.Usage {
	if q.Now == 0 {
		q.Now = e.now.Load()
	}
	u, err := e.d.Count(e.ctx, q)
	if err != nil {
		fail(2, "Count: %v", err)
	}
	return u
}

// log returns all messages of an incarnation.
func (e *env) log(namespace uint64, inc driver.Incarnation) []driver.Message {
	ms, err := e.d.Messages(e.ctx, driver.LogQuery{Namespace: namespace, Incarnation: inc, Limit: noLimit})
	if err != nil {
		fail(2, "Messages: %v", err)
	}
	return ms
}

func (e *env) entries(q driver.EntryQuery) []driver.Entry {
	if q.Limit == 0 {
		q.Limit = noLimit
	}
	es, err := e.d.Entries(e.ctx, q)
	if err != nil {
		fail(2, "Entries: %v", err)
	}
	return es
}

// names returns the names of the entries that q selects.
func (e *env) names(q driver.EntryQuery) []string {
	names := []string{}
	for _, entry := range e.entries(q) {
		names = append(names, entry.Name)
	}
	return names
}

func (e *env) feed(namespace, after uint64) driver.Feed {
	f, err := e.d.Feed(e.ctx, driver.FeedQuery{Namespace: namespace, After: after, Limit: noLimit})
	if err != nil {
		fail(2, "Feed: %v", err)
	}
	return f
}

func (e *env) due(now int64) []driver.Due {
	due, err := e.d.Due(e.ctx, driver.DueQuery{Now: now, Limit: noLimit})
	if err != nil {
		fail(2, "Due: %v", err)
	}
	return due
}

// reclaim calls Reclaim until no work is left and returns the totals.
func (e *env) reclaim(limit int) map[driver.Erasure]driver.Erased {
	totals := map[driver.Erasure]driver.Erased{}
	for range 10_000 {
		r, err := e.d.Reclaim(e.ctx, e.now.Load(), limit)
		if err != nil {
			fail(2, "Reclaim: %v", err)
		}
		for _, n := range r.Erased {
			sum := totals[n.Erasure]
			sum.Erasure = n.Erasure
			sum.Sessions += n.Sessions
			sum.Messages += n.Messages
			sum.Bytes += n.Bytes
			sum.Entries += n.Entries
			totals[n.Erasure] = sum
		}
		if !r.More {
			return totals
		}
	}
	fail(2, "Reclaim finds no end")
	return nil
}
