package boltdriver

import (
	"context"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

var _ driver.Loader = (*Driver)(nil)

// Load adds parts in a transaction of their own. See driver.Loader.
func (d *Driver) Load(ctx context.Context, l driver.Load) (err error) {
	if err := d.checkOpen(ctx); err != nil {
		return err
	}
	if d.caps.ReadOnly {
		return driver.ErrReadOnly
	}
	if err := l.Validate(d.caps); err != nil {
		return err
	}
	sent := d.enqueueAndWait(ctx, func(w *writer) { err = w.load(&l) })
	if sent != nil {
		return sent
	}
	return err
}

func (w *writer) load(l *driver.Load) error {
	if err := w.failed(); err != nil {
		return err
	}
	w.out = w.out[:0]
	if err := w.open(); err != nil {
		return err
	}
	ld := loader{batch: &w.batch}
	if err := dbfile.Guarded("load", func() error { return ld.run(l) }); err != nil {
		w.discard()
		return err
	}
	return w.finish()
}

// loader is one Load at work in a batch of its own.
type loader struct {
	*batch
	places format.IndexKeys
	key    []byte
}

func (l *loader) run(load *driver.Load) error {
	key := format.AppendEntryKey(nil, &driver.EntryKey{Kind: driver.KindLoad})
	if err := l.admit(key, load.Was); err != nil {
		return err
	}
	for i := range load.Parts {
		if err := l.part(&load.Parts[i]); err != nil {
			return err
		}
	}
	if load.Note == nil {
		l.put(format.Entries, key, nil)
		return nil
	}
	l.put(format.Entries, key, format.AppendEntry(l.arena.Room(format.EntrySize(load.Note)), key, 0, load.Note))
	return nil
}

// admit refuses a load that does not go on from what is stored.
func (l *loader) admit(key, was []byte) error {
	v := l.get(format.Entries, key)
	if v == nil {
		if was != nil || !l.unused() {
			return driver.ErrNotEmpty
		}
		return nil
	}
	e, err := format.ReadEntry(key, v)
	if err != nil {
		return err
	}
	if was == nil || string(e.Value) != string(was) {
		return driver.ErrNotEmpty
	}
	return nil
}

// unused reports whether nothing was ever committed.
func (l *loader) unused() bool {
	for in := range format.BucketCount {
		if in == format.Meta {
			continue
		}
		if k, _ := l.cursorFor(in).Seek([]byte{0}); k != nil {
			return false
		}
	}
	return l.latest == 0
}

func (l *loader) part(p *driver.Part) error {
	switch p.Kind {
	case driver.PartClock:
		l.latest = max(l.latest, p.Time)
		l.changed = true
	case driver.PartFeed:
		s, err := l.namespace(p.Namespace)
		if err != nil {
			return err
		}
		next := s.Counters
		next.Head = p.Head
		next.Tail = p.Tail
		l.set(s, next)
	case driver.PartEvent:
		l.key = format.AppendFeedKey(l.key[:0], p.Namespace, p.Event.Position)
		l.put(format.Feed, l.key, format.AppendEvent(l.arena.Room(format.EventSize(&p.Event)), l.key, &p.Event))
	case driver.PartEntry:
		l.key = format.AppendEntryKey(l.key[:0], &p.Entry.EntryKey)
		room := l.arena.Room(format.EntrySize(p.Entry.Value))
		l.put(format.Entries, l.key, format.AppendEntry(room, l.key, 0, p.Entry.Value))
	case driver.PartRecord:
		return l.record(&p.Record)
	case driver.PartStage:
		l.key = format.AppendLogMarkKey(l.key[:0], format.StagedLog, p.Namespace, p.Incarnation)
		room := l.arena.Room(format.StagedSize)
		l.put(format.Marks, l.key, format.AppendStaged(room, l.key, format.StagedMark{Until: p.Time}))
	case driver.PartMessage:
		l.key = format.AppendMessageKey(l.key[:0], p.Namespace, p.Incarnation, p.Message.Seq)
		l.put(format.Log, l.key, format.AppendMessage(l.arena.Room(format.MessageSize(&p.Message)), l.key, &p.Message))
		l.ref(p)
	case driver.PartRef:
		l.ref(p)
	}
	return nil
}

func (l *loader) ref(p *driver.Part) {
	l.key = format.AppendMessageIDKey(l.key[:0], p.Namespace, p.Incarnation, p.Message.ID)
	l.put(format.IDs, l.key, format.AppendMessageID(l.arena.Room(format.MessageIDSize), l.key, &p.Message))
}

// record files the record, and counts it.
func (l *loader) record(r *driver.Record) error {
	s, err := l.namespace(r.Namespace)
	if err != nil {
		return err
	}
	l.key = format.AppendRecordKey(l.key[:0], r.Namespace, r.ID)
	l.put(format.Records, l.key, format.AppendRecord(l.arena.Room(format.RecordSize(r)), l.key, r, 0))
	l.places.Build(l.key, r.Incarnation, r.UserID, r.Created, r.ActiveMinute, r.Due, r.Expires)
	for i, in := range format.IndexBuckets {
		if k := l.places.Key(i); len(k) > 0 {
			l.put(in, k, []byte{})
		}
	}
	next := s.Counters
	next.Sessions[r.Status]++
	next.Messages += r.Messages
	next.Bytes += r.Bytes
	l.set(s, next)
	return nil
}
