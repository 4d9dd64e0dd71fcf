package boltdriver

import (
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// collect carries out c, which was validated. All that can fail comes first and
// only collects edits; the batch changes at the end, whole.
func (p *planner) collect(c *driver.Change) error {
	p.next = p.space.Counters
	clear(p.credits)
	if err := p.changeRecord(c); err != nil {
		return err
	}
	if err := p.changeLog(c); err != nil {
		return err
	}
	if err := p.changeEntries(c); err != nil {
		return err
	}
	p.changeFeed(c)
	if err := p.putCredits(); err != nil {
		return err
	}
	commit, err := p.erase(c.Erase)
	if err != nil {
		return err
	}
	p.mergeIntoBatch()
	commit()
	return nil
}

// mergeIntoBatch makes what the op collected a part of the batch.
func (p *planner) mergeIntoBatch() {
	for _, e := range p.edits {
		p.b.pending.Set(e.in, e.key, e.value)
	}
	p.b.changed = p.b.changed || len(p.edits) > 0
	p.b.set(p.space, p.next)
}

// addWrite notes a put of a value that lies in the arena, or a delete.
func (p *planner) addWrite(in format.Bucket, key, value []byte) {
	p.edits = append(p.edits, pendingWrite{in, p.b.arena.Copy(key), value})
}

// owner returns the incarnation whose log c changes.
func (p *planner) owner(c *driver.Change) driver.Incarnation {
	switch {
	case c.Put != nil:
		return c.Put.Incarnation
	case c.Stage != driver.Incarnation{}:
		return c.Stage
	}
	return p.current.head.Incarnation
}

func (p *planner) changeRecord(c *driver.Change) error {
	switch {
	case c.Remove && p.current.seen():
		p.addWrite(format.Records, p.key, nil)
		p.moveIndexKeys(nil)
		return p.removeIncarnation(driver.Incarnation{})
	case c.Put == nil:
		return nil
	case c.Put.SameLog(p.view.Record):
		p.subtractCurrent()
	default:
		if err := p.removeIncarnation(c.Put.Incarnation); err != nil {
			return err
		}
		if err := p.attachStaged(c); err != nil {
			return err
		}
	}
	p.moveIndexKeys(c.Put)
	p.next.Sessions[c.Put.Status]++
	p.next.Messages += c.Put.Messages
	p.next.Bytes += c.Put.Bytes
	room := p.b.arena.Room(format.RecordSize(c.Put))
	p.addWrite(format.Records, p.key, format.AppendRecord(room, p.key, c.Put, p.next.Epoch))
	return nil
}

// subtractCurrent takes the stored record out of the counters.
func (p *planner) subtractCurrent() {
	if p.current.value != nil && p.b.erased.Counts(p.ns, &p.current.head) {
		format.SubtractRecord(&p.next.Usage, &p.current.head)
	}
}

// removeIncarnation removes what the stored record, if there is one, owns
// beside its index entries. If its incarnation is reborn, nothing may be left
// for later.
func (p *planner) removeIncarnation(reborn driver.Incarnation) error {
	if p.current.value == nil {
		return nil
	}
	p.subtractCurrent()
	h := &p.current.head
	limit := p.b.inline
	if h.Incarnation == reborn {
		limit = unlimited
	}
	if !p.current.erased {
		_, err := p.deleteOwned(h.Incarnation, limit, format.DeadMark{})
		return err
	}
	// An erased record that was not reclaimed yet: Reclaim reports it.
	by := p.b.erased.Covering(p.ns, h)
	entries, err := p.deleteOwned(h.Incarnation, limit, format.DeadMark{UserID: by.UserID, Erased: true})
	if err != nil {
		return err
	}
	p.credit(by).Add(&format.ErasureMark{Sessions: 1, Messages: h.Messages, Bytes: h.Bytes, Entries: uint64(entries)})
	return nil
}

// moveIndexKeys moves the stored record's index entries to where those of r
// belong. An index entry whose key does not change is not written.
func (p *planner) moveIndexKeys(r *driver.Record) {
	var old, now format.IndexKeys
	if p.current.value != nil {
		h := &p.current.head
		old.Build(p.key, h.Incarnation, format.UnsafeString(h.UserID), h.Created, h.ActiveMinute, h.Due, h.Expires)
	}
	if r != nil {
		now.Build(p.key, r.Incarnation, r.UserID, r.Created, r.ActiveMinute, r.Due, r.Expires)
	}
	for i, in := range format.IndexBuckets {
		was := old.Key(i)
		is := now.Key(i)
		if string(was) == string(is) {
			continue
		}
		if len(was) > 0 {
			p.addWrite(in, was, nil)
		}
		if len(is) > 0 {
			p.addWrite(in, is, []byte{})
		}
	}
}

func (p *planner) changeEntries(c *driver.Change) error {
	for i := range c.Entries {
		e := &c.Entries[i]
		key := e.EntryKey
		if key.Kind&driver.KindSession != 0 {
			inc := p.current.head.Incarnation
			if c.Put != nil {
				inc = c.Put.Incarnation
			}
			key.Owner = string(inc[:])
		}
		p.scratch = format.AppendEntryKey(p.scratch[:0], &key)
		if err := p.creditEntry(&key, p.scratch); err != nil {
			return err
		}
		if e.Value == nil {
			p.addWrite(format.Entries, p.scratch, nil)
			continue
		}
		s, err := p.b.namespace(key.Namespace)
		if err != nil {
			return err
		}
		room := p.b.arena.Room(format.EntrySize(e.Value))
		p.addWrite(format.Entries, p.scratch, format.AppendEntry(room, p.scratch, s.Epoch, e.Value))
	}
	return nil
}

func (p *planner) changeFeed(c *driver.Change) {
	n := &p.next
	for kept := n.Tail; n.Tail < c.TrimFeed; n.Tail++ {
		if n.Tail-kept == uint64(p.b.inline) {
			p.scratch = format.AppendU64Key(append(p.scratch[:0], format.TrimmedFeed), p.ns)
			p.addWrite(format.Marks, p.scratch, format.AppendBare(p.b.arena.Room(format.BareSize), p.scratch))
			n.Tail = c.TrimFeed
			break
		}
		p.scratch = format.AppendFeedKey(p.scratch[:0], p.ns, n.Tail+1)
		p.addWrite(format.Feed, p.scratch, nil)
	}
	for i := range c.Events {
		e := &c.Events[i]
		n.Head++
		p.scratch = format.AppendFeedKey(p.scratch[:0], p.ns, n.Head)
		p.addWrite(format.Feed, p.scratch, format.AppendEvent(p.b.arena.Room(format.EventSize(e)), p.scratch, e))
	}
}
