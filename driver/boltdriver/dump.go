package boltdriver

import (
	"bytes"
	"context"
	"runtime/debug"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

var _ driver.Dumper = (*Driver)(nil)

// Dump walks the buckets in key order, which is the order of places. No
// compaction runs during a Dump. Writes during a Dump make the file grow,
// because the pages that it may still read are not reused. See driver.Dumper.
func (d *Driver) Dump(ctx context.Context, after *driver.Place, fn func(*driver.Part) error) (err error) {
	if err := d.checkOpen(ctx); err != nil {
		return err
	}
	free, err := d.copyAlone(ctx)
	if err != nil {
		return err
	}
	defer free()
	defer dbfile.Guard("dump", debug.SetPanicOnFault(true), &err)
	s, err := d.ownSnapshot()
	if err != nil {
		return err
	}
	defer d.release(s)
	return newDumper(ctx, &s.view, after, fn).run()
}

// dumper has the state of one Dump.
type dumper struct {
	*view
	ctx   context.Context
	after driver.Place
	fn    func(*driver.Part) error
	part  driver.Part
	seen  int

	messages cursor
	at       logState
	feed     format.Counters // of namespace feedOf; unset if feedOf is 0
	feedOf   uint64
}

// logState has the incarnation of the current key, and the state of its log.
type logState struct {
	prefix []byte
	ns     uint64
	inc    driver.Incarnation
	alive  bool
	holes  []driver.Span
}

func newDumper(ctx context.Context, v *view, after *driver.Place, fn func(*driver.Part) error) *dumper {
	d := &dumper{view: v, ctx: ctx, fn: fn, messages: v.cursor(format.Log)}
	if after != nil {
		d.after = *after
	}
	return d
}

func (d *dumper) run() error {
	for _, s := range []struct {
		kind driver.PartKind
		in   format.Bucket
		part func(k, v []byte) (bool, error)
	}{
		{driver.PartClock, format.Meta, d.clock},
		{driver.PartFeed, format.Counts, d.head},
		{driver.PartEvent, format.Feed, d.event},
		{driver.PartRecord, format.Records, d.record},
		{driver.PartStage, format.Marks, d.stage},
		{driver.PartEntry, format.Entries, d.entry},
		{driver.PartMessage, format.Log, d.message},
		{driver.PartRef, format.IDs, d.ref},
	} {
		if s.kind < d.after.Kind {
			continue
		}
		if err := d.walk(s.kind, s.in, s.part); err != nil {
			return err
		}
	}
	return nil
}

// walk calls fn for the parts of a bucket that come after d.after.
func (d *dumper) walk(kind driver.PartKind, in format.Bucket, read func(k, v []byte) (bool, error)) error {
	c := d.cursor(in)
	from := d.from(kind)
	for k, v := c.Seek(from); k != nil; k, v = c.Next() {
		if d.seen++; d.seen%scanChunk == 0 && d.ctx.Err() != nil {
			return d.ctx.Err()
		}
		d.part = driver.Part{Kind: kind, Record: driver.Record{Labels: d.part.Record.Labels, Body: d.part.Record.Body}}
		ok, err := read(k, v)
		if err != nil {
			return err
		}
		if kind != driver.PartRecord {
			d.part.Record = driver.Record{}
		}
		if !ok || kind == d.after.Kind && d.part.Place().Compare(d.after) <= 0 {
			continue
		}
		if err := d.fn(&d.part); err != nil {
			return err
		}
	}
	return nil
}

// from returns the key at which the walk of kind's bucket begins. That key is
// at or before the first one after d.after.
func (d *dumper) from(kind driver.PartKind) []byte {
	at := &d.after
	if kind != at.Kind {
		return []byte{0}
	}
	switch kind {
	case driver.PartFeed:
		return format.AppendU64Key(nil, at.Namespace)
	case driver.PartEvent:
		return format.AppendFeedKey(nil, at.Namespace, at.Number)
	case driver.PartEntry:
		key := driver.EntryKey{Namespace: at.Namespace, Kind: uint8(at.Number), Owner: at.Owner, Name: at.Name}
		return format.AppendEntryKey(nil, &key)
	case driver.PartRecord:
		return format.AppendRecordKey(nil, at.Namespace, at.Name)
	case driver.PartStage:
		return format.AppendLogMarkKey(nil, format.StagedLog, at.Namespace, at.Incarnation)
	case driver.PartMessage:
		return format.AppendMessageKey(nil, at.Namespace, at.Incarnation, at.Number)
	case driver.PartRef:
		return format.AppendMessageIDKey(nil, at.Namespace, at.Incarnation, at.Name)
	case driver.PartClock: // the only one of its kind
	}
	return []byte{0}
}

func (d *dumper) clock(k, v []byte) (bool, error) {
	if !bytes.Equal(k, format.ClockKey) {
		return false, nil
	}
	n, err := format.ReadNumber(k, v)
	d.part.Time = int64(n)
	return n != 0, err
}

func (d *dumper) head(k, v []byte) (bool, error) {
	c, err := format.ReadCounters(k, v)
	if err != nil {
		return false, err
	}
	d.part.Namespace = format.NamespaceOf(k)
	d.part.Head = c.Head
	d.part.Tail = c.Tail
	return c.Head > 0, nil
}

// event leaves out events that TrimFeed or Erase removed and that Reclaim has
// not deleted yet.
func (d *dumper) event(k, v []byte) (ok bool, err error) {
	if d.part.Event, err = format.ReadEvent(k, v); err != nil {
		return false, err
	}
	d.part.Namespace = format.NamespaceOf(k)
	if d.feedOf != d.part.Namespace || d.feedOf == 0 {
		if d.feed, err = d.counters(d.part.Namespace); err != nil {
			return false, err
		}
		d.feedOf = d.part.Namespace
	}
	at := d.part.Event.Position
	return d.feed.Tail < at && at <= d.feed.Head, nil
}

func (d *dumper) entry(k, v []byte) (bool, error) {
	key, ok := format.ParseEntryKey(k)
	e, err := format.ReadEntry(k, v)
	if err != nil || !ok || key.Kind == driver.KindLoad {
		return false, err
	}
	gone, err := d.entryGone(&key, &e)
	d.part.Namespace = key.Namespace
	d.part.Entry = driver.Entry{EntryKey: key, Value: append([]byte{}, e.Value...)}
	return !gone, err
}

func (d *dumper) record(k, v []byte) (ok bool, err error) {
	var h format.RecordHeader
	body, ok := format.ReadRecord(k, v, &h)
	if !ok {
		return false, format.DamagedRecord(k)
	}
	r := &d.part.Record
	h.DecodeInto(r, body)
	if r.Key, ok = format.ParseRecordKey(k); !ok {
		return false, format.DamagedRecord(k)
	}
	d.part.Namespace = r.Namespace
	return !d.erased.CoversRecord(r.Namespace, &h), nil
}

func (d *dumper) stage(k, v []byte) (bool, error) {
	if k[0] != format.StagedLog {
		return false, nil
	}
	s, err := format.ReadStaged(k, v)
	if err != nil {
		return false, err
	}
	_, ns, rest, _ := format.ParseMark(k)
	inc, _, ok := format.ParseLogMark(rest)
	d.part.Namespace = ns
	d.part.Incarnation = inc
	d.part.Time = max(s.Until, 0)
	return ok && !d.erased.CoversLog(ns, s.Epoch), nil
}

// enter makes the log of k the current one, and looks up whether it is alive.
func (d *dumper) enter(k []byte) error {
	l := &d.at
	if len(k) < format.LogPrefixLen {
		return format.DamagedLog("key", append(bytes.Clone(k), make([]byte, format.LogPrefixLen+1)...))
	}
	if bytes.HasPrefix(k, l.prefix) && l.prefix != nil {
		return nil
	}
	var err error
	l.prefix = append(l.prefix[:0], k[:format.LogPrefixLen]...)
	l.ns = format.NamespaceOf(k)
	copy(l.inc[:], k[8:])
	if l.alive, err = d.visible(l.ns, l.inc); err == nil && !l.alive {
		l.alive, err = d.staged(l.ns, l.inc)
	}
	l.holes = d.holes(l.ns, l.inc)
	return err
}

// staged reports whether the log is staged, so that no record has it yet, and
// is not erased.
func (v *view) staged(ns uint64, inc driver.Incarnation) (bool, error) {
	c := v.cursor(format.Marks)
	key := format.AppendLogMarkKey(make([]byte, 0, 32), format.StagedLog, ns, inc)
	value := c.get(key)
	if value == nil {
		return false, nil
	}
	s, err := format.ReadStaged(key, value)
	return err == nil && !v.erased.CoversLog(ns, s.Epoch), err
}

func (d *dumper) message(k, v []byte) (bool, error) {
	if err := d.enter(k); err != nil || !d.at.alive {
		return false, err
	}
	if err := format.ReadMessage(k, v, &d.part.Message); err != nil {
		return false, err
	}
	d.part.Namespace = d.at.ns
	d.part.Incarnation = d.at.inc
	_, dropped := format.FindSpan(d.at.holes, d.part.Message.Seq)
	return !dropped, nil
}

// ref leaves out the id and digest of a message that the dump contains.
func (d *dumper) ref(k, v []byte) (bool, error) {
	if err := d.enter(k); err != nil || !d.at.alive {
		return false, err
	}
	r, err := format.ReadMessageID(k, v)
	if err != nil {
		return false, err
	}
	d.part.Namespace = d.at.ns
	d.part.Incarnation = d.at.inc
	d.part.Message = driver.Message{Seq: r.Seq, ID: string(k[format.LogPrefixLen:]), Digest: r.Digest}
	if _, dropped := format.FindSpan(d.at.holes, r.Seq); dropped {
		return true, nil
	}
	key := format.AppendMessageKey(make([]byte, 0, format.LogPrefixLen+8), d.at.ns, d.at.inc, r.Seq)
	value := d.messages.get(key)
	if value == nil {
		return true, nil
	}
	var m driver.Message
	err = format.ReadMessage(key, value, &m)
	return m.ID != d.part.Message.ID || m.Digest != r.Digest, err
}
