package boltdriver

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"runtime/debug"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// Get fills into with the record at k. It allocates nothing once into's buffers
// are large enough. See driver.Driver.
func (d *Driver) Get(ctx context.Context, k driver.Key, now int64, into *driver.Record) (err error) {
	defer dbfile.Guard("get", debug.SetPanicOnFault(true), &err)
	if err := d.checkOpen(ctx); err != nil {
		return err
	}
	f := d.flight.Load()
	expired, err := d.getOnce(k, now, into)
	if err == nil || !f.extends(expired) {
		return err
	}
	if err := f.wait(ctx); err != nil { // see readLatest
		return err
	}
	_, err = d.getOnce(k, now, into)
	return err
}

// getOnce also returns when a record that has expired did so.
func (d *Driver) getOnce(k driver.Key, now int64, into *driver.Record) (expired int64, err error) {
	s, err := d.snapshot()
	if err != nil {
		return 0, err
	}
	defer d.release(s)
	g := s.getter.Get().(*getBuffers)
	defer s.getter.Put(g)
	g.head.Expires = 0
	if err := s.get(g, k, now, into); err != nil {
		return g.head.Expires, err
	}
	return 0, nil
}

func (s *snapshot) get(g *getBuffers, k driver.Key, now int64, into *driver.Record) error {
	g.key = format.AppendRecordKey(g.key[:0], k.Namespace, k.ID)
	v := g.get(g.key)
	if v == nil {
		return driver.ErrNotFound
	}
	body, ok := format.ReadRecord(g.key, v, &g.head)
	if !ok {
		return format.DamagedRecord(g.key)
	}
	if g.head.Expires <= now || s.erased != nil && s.erased.CoversRecord(k.Namespace, &g.head) {
		return driver.ErrNotFound
	}
	g.head.DecodeInto(into, body)
	into.Key = k
	return nil
}

// reader begins a call that reads the newest durable state. The caller gives
// it back with release.
func (d *Driver) reader(ctx context.Context) (*snapshot, error) {
	if err := d.checkOpen(ctx); err != nil {
		return nil, err
	}
	return d.snapshot()
}

// Messages returns a range of a log. See driver.Driver.
func (d *Driver) Messages(ctx context.Context, q driver.LogQuery) (ms []driver.Message, err error) {
	defer dbfile.Guard("messages", debug.SetPanicOnFault(true), &err)
	s, err := d.reader(ctx)
	if err != nil {
		return nil, err
	}
	defer d.release(s)
	if ok, err := s.visible(q.Namespace, q.Incarnation); !ok {
		return nil, err
	}
	if q.Span.To == 0 {
		q.Span.To = math.MaxUint64
	}
	scan := logScan{view: &s.view, ns: q.Namespace, inc: q.Incarnation, span: q.Span, desc: q.Desc}
	scan.holes = s.holes(q.Namespace, q.Incarnation)
	for k, v := scan.first(); k != nil && len(ms) < q.Limit; k, v = scan.next() {
		var m driver.Message
		if err := format.ReadMessage(k, v, &m); err != nil {
			return nil, err
		}
		format.Detach(&m)
		ms = append(ms, m)
		if len(ms)%scanChunk == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return ms, nil
}

// Feed returns a namespace's events. See driver.Driver.
func (d *Driver) Feed(ctx context.Context, q driver.FeedQuery) (f driver.Feed, err error) {
	defer dbfile.Guard("feed", debug.SetPanicOnFault(true), &err)
	s, err := d.reader(ctx)
	if err != nil {
		return f, err
	}
	defer d.release(s)
	n, err := s.counters(q.Namespace)
	if err != nil {
		return f, err
	}
	if n == (format.Counters{}) && s.feedLost(q.Namespace) {
		return f, fmt.Errorf("%w: the feed of namespace %d has no counters", driver.ErrCorrupt, q.Namespace)
	}
	f.Head = n.Head
	f.Tail = n.Tail
	if q.After < f.Tail {
		return f, driver.ErrLagged
	}
	if q.After < f.Head {
		f.Events, err = s.events(q, int(min(f.Head-q.After, uint64(max(q.Limit, 0)))))
	}
	if err != nil {
		return driver.Feed{}, err
	}
	return f, nil
}

// events returns the n events after q.After, of which none may be missing.
func (v *view) events(q driver.FeedQuery, n int) (all []driver.Event, err error) {
	key := format.AppendFeedKey(make([]byte, 0, 16), q.Namespace, q.After+1)
	c := v.cursor(format.Feed)
	k, val := c.Seek(key)
	for want := q.After + 1; len(all) < n; want++ {
		if !bytes.HasPrefix(k, key[:8]) {
			return nil, fmt.Errorf("%w: namespace %d has no event %d", driver.ErrCorrupt, q.Namespace, want)
		}
		e, err := format.ReadEvent(k, val)
		if err != nil {
			return nil, err
		}
		if e.Position != want {
			return nil, fmt.Errorf("%w: namespace %d has no event %d", driver.ErrCorrupt, q.Namespace, want)
		}
		all = append(all, e)
		k, val = c.Next()
	}
	return all, nil
}

// feedLost reports whether a namespace without counters has events that are
// not there to be reclaimed.
func (v *view) feedLost(ns uint64) bool {
	prefix := format.AppendU64Key(nil, ns)
	c := v.cursor(format.Feed)
	k, _ := c.Seek(prefix)
	return bytes.HasPrefix(k, prefix) && !v.eventsLeft(ns)
}

// eventsLeft reports whether events of a namespace that were trimmed or erased
// may still be there.
func (v *view) eventsLeft(ns uint64) bool {
	c := v.cursor(format.Marks)
	return c.get(format.AppendU64Key([]byte{format.TrimmedFeed}, ns)) != nil ||
		c.get(format.AppendU64Key([]byte{format.ErasedNamespace}, ns)) != nil
}

// Due returns filed due entries. See driver.Driver.
func (d *Driver) Due(ctx context.Context, q driver.DueQuery) (due []driver.Due, err error) {
	defer dbfile.Guard("due", debug.SetPanicOnFault(true), &err)
	s, err := d.reader(ctx)
	if err != nil {
		return nil, err
	}
	defer d.release(s)
	from := []byte{0}
	if q.After != nil {
		from = format.AppendDueKey(nil, q.After.At, q.After.Namespace, q.After.ID)
	}
	c := s.cursor(format.Due)
	r := s.cursor(format.Records)
	n := 0
	for k, _ := c.Seek(from); k != nil && len(due) < q.Limit; k, _ = c.Next() {
		at, ns, id, ok := format.ParseDueKey(k)
		if !ok || at > q.Now {
			break
		}
		if n++; n%scanChunk == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		erased, err := s.dueErased(&r, ns, k[8:])
		if err != nil {
			return nil, err
		}
		if !erased && (q.After == nil || !bytes.Equal(k, from)) {
			due = append(due, driver.Due{At: at, Key: driver.Key{Namespace: ns, ID: string(id)}})
		}
	}
	return due, nil
}

// dueErased reports whether a filed record is erased. The record is read only
// while something of its namespace is.
func (v *view) dueErased(r *cursor, ns uint64, key []byte) (bool, error) {
	if v.erased[ns] == nil {
		return false, nil
	}
	var h format.RecordHeader
	if err := r.indexed(format.Due, key, &h); err != nil {
		return false, err
	}
	return v.erased.CoversRecord(ns, &h), nil
}
