package boltdriver

import (
	"github.com/seshatdb/seshat/driver"
)

// collect carries out c, which was validated. All that can fail comes first and
// only collects edits; the batch changes at the end, whole.
func (p *planner) collect(t *driver.Target, c *driver.Change) error {
	p.next = p.space.counters
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
		p.b.pending.set(e.in, e.key, e.value)
	}
	p.b.changed = p.b.changed || len(p.edits) > 0
	p.b.set(p.space, p.next)
}

// addWrite notes a put of a value that lies in the arena, or a delete.
func (p *planner) addWrite(in bucket, key, value []byte) {
	p.edits = append(p.edits, pendingWrite{in, p.b.arena.copy(key), value})
}

// owner returns the incarnation whose log c changes.
func (p *planner) owner(c *driver.Change) driver.Incarnation {
	switch {
	case c.Put != nil:
		return c.Put.Incarnation
	case c.Stage != driver.Incarnation{}:
		return c.Stage
	}
	return p.current.head.inc
}

func (p *planner) changeRecord(c *driver.Change) error {
	switch {
	case c.Remove && p.current.seen():
		p.addWrite(bRecords, p.key, nil)
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
	p.addWrite(bRecords, p.key, appendRecord(p.b.arena.room(recordSize(c.Put)), p.key, c.Put, p.next.epoch))
	return nil
}

// subtractCurrent takes the stored record out of the counters.
func (p *planner) subtractCurrent() {
	if p.current.value != nil && p.b.erased.counted(p.ns, &p.current.head) {
		takeFrom(&p.next.Usage, &p.current.head)
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
	h, limit := &p.current.head, p.b.inline
	if h.inc == reborn {
		limit = unlimited
	}
	if !p.current.erased {
		_, err := p.deleteOwned(h.inc, limit, deadMark{})
		return err
	}
	// An erased record that was not reclaimed yet: Reclaim reports it.
	by := p.b.erased.covering(p.ns, h)
	entries, err := p.deleteOwned(h.inc, limit, deadMark{user: by.User, erased: true})
	if err != nil {
		return err
	}
	p.credit(by).add(&erasure{sessions: 1, messages: h.messages, bytes: h.bytes, entries: uint64(entries)})
	return nil
}

// moveIndexKeys moves the stored record's index entries to where those of r
// belong. An index entry whose key does not change is not written.
func (p *planner) moveIndexKeys(r *driver.Record) {
	var old, now indexKeys
	if p.current.value != nil {
		h := &p.current.head
		old.build(p.key, h.inc, unsafeString(h.user), h.created, h.minute, h.due, h.expires)
	}
	if r != nil {
		now.build(p.key, r.Incarnation, r.User, r.Created, r.ActiveMinute, r.Due, r.Expires)
	}
	for i, in := range indexBuckets {
		was, is := old.key(i), now.key(i)
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
			inc := p.current.head.inc
			if c.Put != nil {
				inc = c.Put.Incarnation
			}
			key.Owner = string(inc[:])
		}
		p.scratch = appendEntryKey(p.scratch[:0], &key)
		if err := p.creditEntry(&key, p.scratch); err != nil {
			return err
		}
		if e.Value == nil {
			p.addWrite(bEntries, p.scratch, nil)
			continue
		}
		s, err := p.b.namespace(key.Namespace)
		if err != nil {
			return err
		}
		room := p.b.arena.room(entrySize(e.Value))
		p.addWrite(bEntries, p.scratch, appendEntry(room, p.scratch, s.epoch, e.Value))
	}
	return nil
}

func (p *planner) changeFeed(c *driver.Change) {
	n := &p.next
	for kept := n.tail; n.tail < c.TrimFeed; n.tail++ {
		if n.tail-kept == uint64(p.b.inline) {
			p.scratch = appendU64Key(append(p.scratch[:0], markFeed), p.ns)
			p.addWrite(bMarks, p.scratch, appendBare(p.b.arena.room(bareSize), p.scratch))
			n.tail = c.TrimFeed
			break
		}
		p.scratch = appendFeedKey(p.scratch[:0], p.ns, n.tail+1)
		p.addWrite(bFeed, p.scratch, nil)
	}
	for i := range c.Events {
		e := &c.Events[i]
		n.head++
		p.scratch = appendFeedKey(p.scratch[:0], p.ns, n.head)
		p.addWrite(bFeed, p.scratch, appendEvent(p.b.arena.room(eventSize(e)), p.scratch, e))
	}
}
