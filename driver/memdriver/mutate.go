package memdriver

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seshatdb/seshat/driver"
)

// Mutate runs the ops in order. If an op fails, it fails before its first
// change.
func (d *Driver) Mutate(ctx context.Context, ops ...*driver.Op) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(ops) == 0 {
		return d.ready(ctx)
	}
	var first error
	for _, o := range ops {
		if len(ops) > driver.MaxOps {
			o.Err = fmt.Errorf("%d ops, at most %d are allowed: %w", len(ops), driver.MaxOps, driver.ErrTooLarge)
		} else {
			o.Err = d.run(ctx, o)
		}
		if first == nil {
			first = o.Err
		}
	}
	return first
}

func (d *Driver) run(ctx context.Context, o *driver.Op) error {
	if err := d.ready(ctx); err != nil {
		return err
	}
	if err := o.Validate(); err != nil {
		return err
	}
	v := d.view(o)
	c, err := o.Decide(v, caps)
	if err != nil {
		return err
	}
	if err := d.checkLog(o.Target.Key, v.Record, &c); err != nil {
		return err
	}
	d.clock = v.Now
	d.apply(o.Target.Key, &c)
	return nil
}

// checkLog makes the checks that Change.Validate leaves to a driver.
func (d *Driver) checkLog(k driver.Key, found *driver.Record, c *driver.Change) error {
	s := d.space(k.Namespace)
	l := s.life(owner(found, c))
	if s.lives[c.Stage] != nil && !l.staged {
		return fmt.Errorf("%w: Change.Stage: is a log in use; a fresh incarnation is allowed", driver.ErrInvalid)
	}
	if len(c.Append) > 0 && c.Append[0].Seq <= l.last() {
		return fmt.Errorf("%w: Append: has number %d; numbers above %d are allowed", driver.ErrInvalid,
			c.Append[0].Seq, l.last())
	}
	for i := range c.Replace {
		if _, ok := l.find(c.Replace[i].Seq); !ok {
			return fmt.Errorf("message %d: %w", c.Replace[i].Seq, driver.ErrNotFound)
		}
	}
	return nil
}

// owner returns the incarnation whose log and entries c changes.
func owner(found *driver.Record, c *driver.Change) driver.Incarnation {
	switch {
	case c.Put != nil:
		return c.Put.Incarnation
	case c.Stage != driver.Incarnation{}:
		return c.Stage
	case found != nil:
		return found.Incarnation
	}
	return driver.Incarnation{}
}

func (d *Driver) apply(k driver.Key, c *driver.Change) {
	s := d.keep(k.Namespace)
	old := s.records[k.ID]
	inc := owner(old, c)
	if c.Remove || c.Put != nil && !c.Put.SameLog(old) {
		s.remove(k.ID)
	}
	if c.Put != nil {
		r := cloneRecord(c.Put)
		s.records[r.ID] = r
		s.keep(inc).staged = false
	}
	if c.Stage != (driver.Incarnation{}) {
		l := s.keep(inc)
		l.staged = true
		l.until = c.StageUntil
	}
	if l := s.lives[inc]; l != nil {
		l.edit(c)
	}
	for i := range c.Entries {
		d.putEntry(inc, &c.Entries[i])
	}
	if c.Erase != nil {
		d.erase(*c.Erase)
	}
	s.trim(c.TrimFeed)
	for _, e := range c.Events {
		s.addEvent(e)
	}
}

// edit applies the changes of c to the log.
func (l *life) edit(c *driver.Change) {
	for _, span := range c.Drop {
		l.messages = slices.DeleteFunc(l.messages, func(m driver.Message) bool {
			return span.From <= m.Seq && m.Seq <= span.To
		})
	}
	for i := range c.Replace {
		at, _ := l.find(c.Replace[i].Seq)
		l.messages[at].Body = cloneMessage(&c.Replace[i]).Body
	}
	for i := range c.Append {
		m := cloneMessage(&c.Append[i])
		l.messages = append(l.messages, m)
		l.refs[m.ID] = driver.Ref{Found: true, Seq: m.Seq, Digest: m.Digest}
	}
}

func (d *Driver) putEntry(inc driver.Incarnation, e *driver.Entry) {
	entries := d.entriesOf(e.EntryKey, inc)
	k := cloneKey(e.EntryKey)
	if k.Kind&driver.KindSession != 0 {
		k.Owner = string(inc[:])
	}
	if e.Value == nil {
		delete(entries, k)
		return
	}
	entries[k] = cloneValue(e.Value)
}

// entriesOf returns the map with the entry at k, for writing.
func (d *Driver) entriesOf(k driver.EntryKey, inc driver.Incarnation) map[driver.EntryKey][]byte {
	s := d.keep(k.Namespace)
	if k.Kind&driver.KindSession != 0 {
		return s.keep(inc).entries
	}
	return s.entries
}

func (s *space) addEvent(e driver.Event) {
	s.head++
	e.Position, e.ID = s.head, strings.Clone(e.ID)
	s.events = append(s.events, e)
}

func (s *space) trim(to uint64) {
	if to <= s.tail {
		return
	}
	s.events = slices.Delete(s.events, 0, int(to-s.tail))
	s.tail = to
}
