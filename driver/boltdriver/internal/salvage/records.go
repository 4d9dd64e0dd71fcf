package salvage

import (
	"bytes"
	"fmt"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

// stageReader reads what was staged.
type stageReader struct{ tx *bolt.Tx }

func (r stageReader) cursor(b format.Bucket) *bolt.Cursor {
	return r.tx.Bucket(format.BucketNames[b]).Cursor()
}

func (r stageReader) get(b format.Bucket, key []byte) []byte {
	return r.tx.Bucket(format.BucketNames[b]).Get(key)
}

// holes returns the spans of a log that were dropped.
func (r stageReader) holes(ns uint64, inc driver.Incarnation) []driver.Span {
	return format.Holes(r.cursor(format.Marks), ns, inc)
}

// rebuild writes the new file from the staged values.
func (s *salvager) rebuild() error {
	return s.stage.db.View(func(tx *bolt.Tx) error {
		from := stageReader{tx}
		var err error
		if s.erased, err = format.LoadErasures(from.cursor(format.Marks)); err != nil {
			return err
		}
		for _, step := range []func(stageReader) error{
			s.loadSpaces, s.records, s.lostRecords, s.logs, s.entries, s.events, s.counters,
		} {
			if err := step(from); err != nil {
				return err
			}
		}
		return s.out.flush()
	})
}

// each calls fn for every key of a bucket, while ctx lasts.
func (s *salvager) forEach(from stageReader, b format.Bucket, fn func(k, val []byte) error) error {
	c := from.cursor(b)
	for k, val := c.Seek(nil); k != nil; k, val = c.Next() {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if err := fn(k, val); err != nil {
			return err
		}
	}
	return nil
}

// loadSpaces takes from the counters what cannot be counted again.
func (s *salvager) loadSpaces(from stageReader) error {
	return s.forEach(from, format.Counts, func(k, val []byte) error {
		c, err := format.ReadCounters(k, val)
		if err != nil {
			return err
		}
		if s.fate(format.Counts, k) == Whole {
			s.before[be64(k)] = c.Usage
		}
		c.Usage = driver.Usage{}
		s.spaces[be64(k)] = &c
		return nil
	})
}

func (s *salvager) space(ns, epoch uint64) *format.Counters {
	c := s.spaces[ns]
	if c == nil {
		c = &format.Counters{}
		s.spaces[ns] = c
	}
	c.Epoch = max(c.Epoch, epoch)
	return c
}

// expected says whether a record that the tree does not lead to may be one
// that is missing, and not one that was deleted. An index that is whole knows;
// else the number of records in the namespace does, if it is known.
func (s *salvager) expected(from stageReader, k driver.Key, created int64) bool {
	if !s.hurt[format.Created] {
		return from.get(format.Created, format.AppendTimedKey(nil, k.Namespace, created, k.ID)) != nil
	}
	u, ok := s.before[k.Namespace]
	return !ok || s.sound[k.Namespace] < u.Total()
}

// records writes the records with their logs, indexes and counts.
func (s *salvager) records(from stageReader) error {
	return s.forEach(from, format.Records, func(k, val []byte) error {
		var h format.RecordHeader
		body, ok := format.ReadRecord(k, val, &h)
		key, named := format.ParseRecordKey(k)
		fate := s.fate(format.Records, k)
		if !ok || !named || s.erased.CoversRecord(key.Namespace, &h) || s.live[h.Incarnation] {
			return nil
		}
		if fate == Uncertain && !s.expected(from, key, h.Created) {
			return nil
		}
		r := driver.Record{Key: key}
		h.DecodeInto(&r, body)
		if err := s.log(from, &r, fate); err != nil {
			return err
		}
		s.live[h.Incarnation] = true
		delete(s.damaged, string(k))
		s.addOutcome("record", nameRecord(k), 1, fate)
		return s.putRecord(k, &r, h.Epoch)
	})
}

func (s *salvager) putRecord(k []byte, r *driver.Record, epoch uint64) error {
	c := s.space(r.Namespace, epoch)
	c.Sessions[r.Status]++
	c.Messages += r.Messages
	c.Bytes += r.Bytes
	s.clock = max(s.clock, r.Created, r.ActiveMinute*60_000)
	if err := s.out.put(format.Records, k, format.AppendRecord(nil, k, r, epoch)); err != nil {
		return err
	}
	var at format.IndexKeys
	at.Build(k, r.Incarnation, r.UserID, r.Created, r.ActiveMinute, r.Due, r.Expires)
	for i, in := range format.IndexBuckets {
		if key := at.Key(i); len(key) > 0 {
			if err := s.out.put(in, key, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// log writes what is left of a record's log, and makes the record say so.
func (s *salvager) log(from stageReader, r *driver.Record, fate Fate) error {
	want := r.Messages
	kept := logCopy{s: s, ns: r.Namespace, inc: r.Incarnation, holes: from.holes(r.Namespace, r.Incarnation)}
	kept.firm = kept.count(from) >= want && fate == Whole
	if err := kept.copy(from); err != nil {
		return err
	}
	if kept.messages < want {
		s.addOutcome("message", fmt.Sprintf("namespace %d, record %q", r.Namespace, r.ID), want-kept.messages, Lost)
	}
	r.Messages = kept.messages
	r.Bytes = kept.bytes + uint64(len(r.Body))
	r.NextSeq = max(r.NextSeq, kept.last+1)
	return nil
}

// logCopy copies one incarnation's messages and message ids.
type logCopy struct {
	s     *salvager
	ns    uint64
	inc   driver.Incarnation
	holes []driver.Span
	firm  bool // all of it was found through the tree: other messages were dropped

	messages, bytes, last uint64
}

// scan calls fn for each message that no hole covers.
func (l *logCopy) scan(from stageReader, fn func(k, val []byte) error) error {
	prefix := format.AppendLogPrefix(nil, l.ns, l.inc)
	c := from.cursor(format.Log)
	for k, val := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, val = c.Next() {
		if _, dropped := format.FindSpan(l.holes, be64(k[format.LogPrefixLen:])); dropped {
			continue
		}
		if err := fn(k, val); err != nil {
			return err
		}
	}
	return nil
}

// count returns how many messages were found through the tree.
func (l *logCopy) count(from stageReader) (n uint64) {
	_ = l.scan(from, func(k, _ []byte) error {
		if l.s.fate(format.Log, k) == Whole {
			n++
		}
		return nil
	})
	return n
}

func (l *logCopy) copy(from stageReader) error {
	s := l.s
	err := l.scan(from, func(k, val []byte) error {
		fate := s.fate(format.Log, k)
		if fate == Uncertain && l.firm {
			return nil
		}
		var m driver.Message
		if err := format.ReadMessage(k, val, &m); err != nil {
			return err
		}
		l.messages++
		l.bytes += uint64(len(m.Body))
		l.last = m.Seq
		s.addOutcome("message", nameMessage(l.ns, l.inc, m.Seq), 1, fate)
		if m.ID != "" {
			ref := format.AppendMessageIDKey(nil, l.ns, l.inc, m.ID)
			if err := s.out.put(format.IDs, ref, format.AppendMessageID(nil, ref, &m)); err != nil {
				return err
			}
		}
		return s.out.put(format.Log, k, val)
	})
	if err != nil {
		return err
	}
	prefix := format.AppendLogPrefix(nil, l.ns, l.inc)
	c := from.cursor(format.IDs)
	for k, val := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, val = c.Next() {
		if err := s.out.put(format.IDs, k, val); err != nil {
			return err
		}
	}
	return nil
}

// lostRecords reports records that were damaged, or that only an index knows.
func (s *salvager) lostRecords(from stageReader) error {
	err := s.forEach(from, format.Created, func(k, _ []byte) error {
		if len(k) < 17 {
			return nil
		}
		key := format.AppendRecordKey(nil, be64(k), k[16:])
		if from.get(format.Records, key) == nil {
			s.damaged[string(key)] = true
		}
		return nil
	})
	named := map[uint64]uint64{}
	for k := range s.damaged {
		named[be64([]byte(k))]++
		s.addOutcome("record", nameRecord([]byte(k)), 1, Lost)
	}
	for ns, u := range s.before {
		// Counters include what a pending erasure of a user covers.
		left := s.spaces[ns].Total() + named[ns]
		if was := u.Total(); was > left && s.erased[ns] == nil {
			s.addOutcome("record", fmt.Sprintf("namespace %d", ns), was-left, Lost)
		}
	}
	return err
}
