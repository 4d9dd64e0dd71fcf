package memdriver

import (
	"context"
	"slices"

	"github.com/seshatdb/seshat/driver"
)

// Dump collects and sorts all parts of a copy. See driver.Dumper.
func (d *Driver) Dump(ctx context.Context, after *driver.Place, fn func(*driver.Part) error) error {
	spaces, clock, err := d.snapshot(ctx)
	if err != nil {
		return err
	}
	var parts []driver.Part
	if clock != 0 {
		parts = append(parts, driver.Part{Kind: driver.PartClock, Time: clock})
	}
	for n, s := range spaces {
		parts = append(parts, s.parts(n)...)
	}
	slices.SortFunc(parts, func(a, b driver.Part) int { return a.Place().Compare(b.Place()) })
	for i := range parts {
		p := &parts[i]
		if after != nil && p.Place().Compare(*after) <= 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(p); err != nil {
			return err
		}
	}
	return nil
}

// parts returns all parts of the namespace. They share its memory.
func (s *space) parts(n uint64) (parts []driver.Part) {
	if s.head > 0 {
		parts = append(parts, driver.Part{Kind: driver.PartFeed, Namespace: n, Head: s.head, Tail: s.tail})
	}
	for _, e := range s.events {
		parts = append(parts, driver.Part{Kind: driver.PartEvent, Namespace: n, Event: e})
	}
	parts = append(parts, entryParts(n, s.entries)...)
	for _, r := range s.records {
		parts = append(parts, driver.Part{Kind: driver.PartRecord, Namespace: n, Record: *r})
	}
	for inc, l := range s.lives {
		if l.staged {
			parts = append(parts,
				driver.Part{Kind: driver.PartStage, Namespace: n, Incarnation: inc, Time: max(l.until, 0)})
		}
		parts = append(parts, l.parts(n, inc)...)
	}
	return parts
}

func entryParts(n uint64, entries map[driver.EntryKey][]byte) (parts []driver.Part) {
	for k, v := range entries {
		if k.Kind != driver.KindLoad {
			parts = append(parts,
				driver.Part{Kind: driver.PartEntry, Namespace: n, Entry: driver.Entry{EntryKey: k, Value: v}})
		}
	}
	return parts
}

// parts returns all parts of the incarnation.
func (l *life) parts(n uint64, inc driver.Incarnation) []driver.Part {
	parts := entryParts(n, l.entries)
	for _, m := range l.messages {
		parts = append(parts, driver.Part{Kind: driver.PartMessage, Namespace: n, Incarnation: inc, Message: m})
	}
	for id, r := range l.refs {
		if at, ok := l.find(r.Seq); ok && l.messages[at].ID == id && l.messages[at].Digest == r.Digest {
			continue // implied by the message
		}
		m := driver.Message{Seq: r.Seq, ID: id, Digest: r.Digest}
		parts = append(parts, driver.Part{Kind: driver.PartRef, Namespace: n, Incarnation: inc, Message: m})
	}
	return parts
}

// Load adds parts. See driver.Loader.
func (d *Driver) Load(ctx context.Context, l driver.Load) error {
	if err := l.Validate(caps); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ready(ctx); err != nil {
		return err
	}
	note, loading := d.space(0).entries[loadKey]
	if string(note) != string(l.Was) || !loading && !d.empty() {
		return driver.ErrNotEmpty
	}
	for i := range l.Parts {
		d.load(l.Parts[i].Clone())
	}
	if l.Note == nil {
		delete(d.keep(0).entries, loadKey)
	} else {
		d.keep(0).entries[loadKey] = cloneValue(l.Note)
	}
	return nil
}

var loadKey = driver.EntryKey{Kind: driver.KindLoad}

// empty reports whether nothing was ever committed.
func (d *Driver) empty() bool {
	for _, s := range d.spaces {
		if len(s.records)+len(s.lives)+len(s.entries) > 0 || s.head > 0 {
			return false
		}
	}
	return d.clock == 0
}

func (d *Driver) load(p driver.Part) {
	if p.Kind == driver.PartClock {
		d.clock = p.Time
		return
	}
	s := d.keep(p.Namespace)
	switch p.Kind {
	case driver.PartClock: // handled above
	case driver.PartFeed:
		s.head = p.Head
		s.tail = p.Tail
	case driver.PartEvent:
		s.events = append(s.events, p.Event)
	case driver.PartEntry:
		d.loadEntry(&p.Entry)
	case driver.PartRecord:
		s.records[p.Record.ID] = &p.Record
		s.keep(p.Record.Incarnation)
	case driver.PartStage:
		l := s.keep(p.Incarnation)
		l.staged = true
		l.until = p.Time
	case driver.PartMessage:
		l := s.keep(p.Incarnation)
		l.messages = append(l.messages, p.Message)
		l.refs[p.Message.ID] = driver.Ref{Found: true, Seq: p.Message.Seq, Digest: p.Message.Digest}
	case driver.PartRef:
		s.keep(p.Incarnation).refs[p.Message.ID] = driver.Ref{Found: true, Seq: p.Message.Seq, Digest: p.Message.Digest}
	}
}

func (d *Driver) loadEntry(e *driver.Entry) {
	var inc driver.Incarnation
	copy(inc[:], e.Owner)
	d.entriesOf(e.EntryKey, inc)[e.EntryKey] = e.Value
}
