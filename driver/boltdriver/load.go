package boltdriver

import (
	"context"

	"github.com/seshatdb/seshat/driver"
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
	sent := d.enqueueAndWait(ctx, nil, func(w *writer) { err = w.load(&l) })
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
	if err := guarded("load", func() error { return ld.run(l) }); err != nil {
		w.discard()
		return err
	}
	return w.finish()
}

// loader is one Load at work in a batch of its own.
type loader struct {
	*batch
	places indexKeys
	key    []byte
}

func (l *loader) run(load *driver.Load) error {
	key := appendEntryKey(nil, &driver.EntryKey{Kind: driver.KindLoad})
	if err := l.admit(key, load.Was); err != nil {
		return err
	}
	for i := range load.Parts {
		if err := l.part(&load.Parts[i]); err != nil {
			return err
		}
	}
	if load.Note == nil {
		l.put(bEntries, key, nil)
		return nil
	}
	l.put(bEntries, key, appendEntry(l.arena.room(entrySize(load.Note)), key, 0, load.Note))
	return nil
}

// admit refuses a load that does not go on from what is stored.
func (l *loader) admit(key, was []byte) error {
	v := l.get(bEntries, key)
	if v == nil {
		if was != nil || !l.unused() {
			return driver.ErrNotEmpty
		}
		return nil
	}
	e, err := readEntry(key, v)
	if err != nil {
		return err
	}
	if was == nil || string(e.value) != string(was) {
		return driver.ErrNotEmpty
	}
	return nil
}

// unused reports whether nothing was ever committed.
func (l *loader) unused() bool {
	for in := range buckets {
		if in == bMeta {
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
		l.latest, l.changed = max(l.latest, p.Time), true
	case driver.PartFeed:
		s, err := l.namespace(p.Namespace)
		if err != nil {
			return err
		}
		next := s.counters
		next.head, next.tail = p.Head, p.Tail
		l.set(s, next)
	case driver.PartEvent:
		l.key = appendFeedKey(l.key[:0], p.Namespace, p.Event.Position)
		l.put(bFeed, l.key, appendEvent(l.arena.room(eventSize(&p.Event)), l.key, &p.Event))
	case driver.PartEntry:
		l.key = appendEntryKey(l.key[:0], &p.Entry.EntryKey)
		l.put(bEntries, l.key, appendEntry(l.arena.room(entrySize(p.Entry.Value)), l.key, 0, p.Entry.Value))
	case driver.PartRecord:
		return l.record(&p.Record)
	case driver.PartStage:
		l.key = appendLogMarkKey(l.key[:0], markStaged, p.Namespace, p.Incarnation)
		l.put(bMarks, l.key, appendStaged(l.arena.room(stagedSize), l.key, stagedMark{until: p.Time}))
	case driver.PartMessage:
		l.key = appendMessageKey(l.key[:0], p.Namespace, p.Incarnation, p.Message.Seq)
		l.put(bLog, l.key, appendMessage(l.arena.room(messageSize(&p.Message)), l.key, &p.Message))
		l.ref(p)
	case driver.PartRef:
		l.ref(p)
	}
	return nil
}

func (l *loader) ref(p *driver.Part) {
	l.key = appendRefKey(l.key[:0], p.Namespace, p.Incarnation, p.Message.ID)
	l.put(bIDs, l.key, appendRef(l.arena.room(refSize), l.key, &p.Message))
}

// record files the record, and counts it.
func (l *loader) record(r *driver.Record) error {
	s, err := l.namespace(r.Namespace)
	if err != nil {
		return err
	}
	l.key = appendRecordKey(l.key[:0], r.Namespace, r.ID)
	l.put(bRecords, l.key, appendRecord(l.arena.room(recordSize(r)), l.key, r, 0))
	l.places.build(l.key, r.Incarnation, r.User, r.Created, r.ActiveMinute, r.Due, r.Expires)
	for i, in := range indexBuckets {
		if k := l.places.key(i); len(k) > 0 {
			l.put(in, k, []byte{})
		}
	}
	next := s.counters
	next.Sessions[r.Status]++
	next.Messages += r.Messages
	next.Bytes += r.Bytes
	l.set(s, next)
	return nil
}
