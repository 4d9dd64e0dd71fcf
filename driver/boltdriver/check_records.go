package boltdriver

import (
	"bytes"
	"fmt"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// records checks every record with its index entries and its log, and the
// counters of every namespace.
func (c *checker) records() error {
	s := spaceCheck{checker: c}
	for i, in := range format.IndexBuckets {
		s.indexes[i] = c.cursor(in)
	}
	if err := c.walk(format.Records, s.record); err != nil {
		return err
	}
	if err := s.end(); err != nil {
		return err
	}
	return c.walk(format.Counts, s.unused)
}

// spaceCheck counts one namespace after another: their records lie together.
type spaceCheck struct {
	*checker
	indexes [len(format.IndexBuckets)]cursor
	places  format.IndexKeys
	rec     driver.Record

	ns    uint64 // 0: none yet
	usage driver.Usage
}

func (s *spaceCheck) record(k, v []byte) error {
	s.Records++
	key, ok := format.ParseRecordKey(k)
	where := fmt.Sprintf("session %q in namespace %d", key.ID, key.Namespace)
	if !ok {
		return s.find(where, "has no valid key")
	}
	if err := s.enter(key.Namespace); err != nil {
		return err
	}
	var h format.RecordHeader
	body, ok := format.ReadRecord(k, v, &h)
	if !ok || !format.ReadHeader(k, v, &h) {
		return s.find(where, "has a wrong checksum")
	}
	if s.erased.Counts(s.ns, &h) {
		format.AddRecord(&s.usage, &h)
	}
	if err := s.indexed(where, k, &h); err != nil {
		return err
	}
	if s.erased.CoversRecord(s.ns, &h) {
		return nil
	}
	if s.marked(s.ns, h.Incarnation) {
		return s.find(where, "has a log that is marked dead or staged")
	}
	if s.visit.Record != nil {
		h.DecodeInto(&s.rec, body)
		s.rec.Key = key
		if err := s.visited(where, s.visit.Record(&s.rec)); err != nil {
			return err
		}
	}
	l := logCheck{checker: s.checker, where: where, key: key, head: &h, refs: s.cursor(format.IDs)}
	return l.check(uint64(len(body)))
}

// indexed checks that the record is where each index must have it.
func (s *spaceCheck) indexed(where string, k []byte, h *format.RecordHeader) error {
	s.places.Build(k, h.Incarnation, format.UnsafeString(h.UserID), h.Created, h.ActiveMinute, h.Due, h.Expires)
	for i := range format.IndexBuckets {
		key := s.places.Key(i)
		if len(key) == 0 || s.indexes[i].get(key) != nil {
			continue
		}
		if err := s.find(where, "is missing in index %s", format.BucketNames[format.IndexBuckets[i]]); err != nil {
			return err
		}
	}
	return nil
}

// enter begins the count of a namespace, unless it goes on.
func (s *spaceCheck) enter(ns uint64) error {
	if ns == s.ns {
		return nil
	}
	err := s.end()
	s.ns = ns
	s.usage = driver.Usage{}
	return err
}

// end compares the count of a namespace with its counters.
func (s *spaceCheck) end() error {
	if s.ns == 0 {
		return nil
	}
	return s.compare(s.ns, s.usage)
}

func (s *spaceCheck) compare(ns uint64, counted driver.Usage) error {
	where := fmt.Sprintf("counters of namespace %d", ns)
	n, err := s.counters(ns)
	if err != nil {
		return s.report(where, err)
	}
	if n.Usage != counted {
		return s.find(where, "say %+v, counted are %+v", n.Usage, counted)
	}
	return nil
}

// unused checks the counters of a namespace without records.
func (s *spaceCheck) unused(k, _ []byte) error {
	if len(k) != 8 {
		return s.find("counters", "have no valid key: %x", k)
	}
	c := s.cursor(format.Records)
	if r, _ := c.Seek(k); bytes.HasPrefix(r, k) {
		return nil
	}
	return s.compare(format.NamespaceOf(k), driver.Usage{})
}

// logCheck checks what one record owns in l and i.
type logCheck struct {
	*checker
	where string
	key   driver.Key
	head  *format.RecordHeader
	refs  cursor
	buf   []byte
}

func (l *logCheck) check(body uint64) error {
	u := driver.SpanUsage{Bytes: body}
	holes := l.holes(l.key.Namespace, l.head.Incarnation)
	prefix := format.AppendLogPrefix(nil, l.key.Namespace, l.head.Incarnation)
	c := l.cursor(format.Log)
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		var m driver.Message
		if err := format.ReadMessage(k, v, &m); err != nil {
			if err := l.report(l.where, err); err != nil {
				return err
			}
			continue
		}
		if _, dropped := format.FindSpan(holes, m.Seq); dropped {
			continue
		}
		u.Messages++
		u.Bytes += uint64(len(m.Body))
		if err := l.message(&m); err != nil {
			return err
		}
	}
	if u.Messages != l.head.Messages || u.Bytes != l.head.Bytes {
		err := l.find(l.where, "says %d messages and %d bytes, has %d and %d",
			l.head.Messages, l.head.Bytes, u.Messages, u.Bytes)
		if err != nil {
			return err
		}
	}
	return l.refsOf(prefix)
}

// message checks one message with its entry in the index of ids.
func (l *logCheck) message(m *driver.Message) error {
	l.Messages++
	if err := l.ctx.Err(); err != nil && l.Messages%scanChunk == 0 {
		return err
	}
	if m.Seq >= l.head.NextSeq {
		if err := l.find(l.where, "has message %d, but %d is next", m.Seq, l.head.NextSeq); err != nil {
			return err
		}
	}
	l.buf = format.AppendMessageIDKey(l.buf[:0], l.key.Namespace, l.head.Incarnation, m.ID)
	v := l.refs.get(l.buf)
	r, err := format.ReadMessageID(l.buf, v)
	if v == nil || err == nil && (r.Seq != m.Seq || r.Digest != m.Digest) {
		if err := l.find(l.where, "has message %d whose id is not filed", m.Seq); err != nil {
			return err
		}
	}
	if l.visit.Message != nil {
		format.Detach(m)
		return l.visited(l.where, l.visit.Message(l.key, m))
	}
	return nil
}

// refsOf checks the message ids below prefix. They may outlive their messages.
func (l *logCheck) refsOf(prefix []byte) error {
	c := l.cursor(format.IDs)
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if _, err := format.ReadMessageID(k, v); err != nil {
			if err := l.report(l.where, err); err != nil {
				return err
			}
		}
	}
	return nil
}
