package memdriver

import (
	"context"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// Check compares each record with its log and each feed with its positions. It
// works on a copy made at the time of the call.
func (d *Driver) Check(ctx context.Context, limit int, visit driver.Visitor) (driver.Checked, error) {
	spaces, _, err := d.snapshot(ctx)
	if err != nil {
		return driver.Checked{}, err
	}
	c := &check{visit: visit, limit: limit}
	for n, s := range spaces {
		c.space(n, s)
		if err := ctx.Err(); err != nil {
			return c.Checked, err
		}
	}
	return c.Checked, nil
}

func (d *Driver) snapshot(ctx context.Context) (spaces map[uint64]*space, clock int64, err error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.ready(ctx); err != nil {
		return nil, 0, err
	}
	spaces = make(map[uint64]*space, len(d.spaces))
	for n, s := range d.spaces {
		spaces[n] = s.clone()
	}
	return spaces, d.clock, nil
}

func (s *space) clone() *space {
	c := newSpace()
	c.head, c.tail, c.events = s.head, s.tail, append(c.events, s.events...)
	for id, r := range s.records {
		c.records[id] = cloneRecord(r)
	}
	for inc, l := range s.lives {
		c.lives[inc] = l.clone()
	}
	for k, v := range s.entries {
		c.entries[k] = cloneValue(v)
	}
	return c
}

func (l *life) clone() *life {
	c := newLife()
	c.staged = l.staged
	c.until = l.until
	for i := range l.messages {
		c.messages = append(c.messages, cloneMessage(&l.messages[i]))
	}
	for id, ref := range l.refs {
		c.refs[id] = ref
	}
	for k, v := range l.entries {
		c.entries[k] = cloneValue(v)
	}
	return c
}

// check is one running Check.
type check struct {
	driver.Checked
	visit driver.Visitor
	limit int
}

func (c *check) find(where, format string, args ...any) {
	if len(c.Findings) < c.limit {
		c.Findings = append(c.Findings, driver.Finding{Where: where, What: fmt.Sprintf(format, args...)})
	}
}

func (c *check) space(n uint64, s *space) {
	owned := 0
	for _, r := range s.records {
		c.record(r, s.lives[r.Incarnation])
	}
	for _, l := range s.lives {
		if !l.staged {
			owned++
		}
	}
	where := fmt.Sprintf("namespace %d", n)
	if owned != len(s.records) {
		c.find(where, "%d records own %d logs", len(s.records), owned)
	}
	c.entries(where, s.entries)
	c.feed(where, s)
}

func (c *check) record(r *driver.Record, l *life) {
	where := fmt.Sprintf("session %d/%q", r.Namespace, r.ID)
	c.Records++
	if c.visit.Record != nil {
		c.visited(where, c.visit.Record(r))
	}
	if l == nil {
		c.find(where, "has no log")
		return
	}
	u := usage(l.messages)
	if u.Messages != r.Messages || u.Bytes+uint64(len(r.Body)) != r.Bytes {
		c.find(where, "records %d messages, %d bytes; the log has %d and %d",
			r.Messages, r.Bytes, u.Messages, u.Bytes+uint64(len(r.Body)))
	}
	if l.last() >= r.NextSeq && l.last() > 0 {
		c.find(where, "has message %d, but the next number is %d", l.last(), r.NextSeq)
	}
	for i := range l.messages {
		c.Messages++
		if c.visit.Message != nil {
			c.visited(where, c.visit.Message(r.Key, &l.messages[i]))
		}
	}
	c.entries(where, l.entries)
}

func (c *check) entries(where string, entries map[driver.EntryKey][]byte) {
	for k, v := range entries {
		c.Entries++
		if c.visit.Entry != nil {
			c.visited(where, c.visit.Entry(&driver.Entry{EntryKey: k, Value: v}))
		}
	}
}

func (c *check) feed(where string, s *space) {
	for i, e := range s.events {
		c.Events++
		if want := s.tail + uint64(i) + 1; e.Position != want {
			c.find(where, "event %d has position %d", want, e.Position)
		}
	}
	if s.head != s.tail+uint64(len(s.events)) {
		c.find(where, "feed of %d..%d has %d events", s.tail, s.head, len(s.events))
	}
}

func (c *check) visited(where string, err error) {
	if err != nil {
		c.find(where, "%v", err)
	}
}
