package boltdriver

import (
	"bytes"
	"fmt"

	"github.com/seshatdb/seshat/driver"
	bolt "go.etcd.io/bbolt"
)

// stageReader reads what was staged.
type stageReader struct{ tx *bolt.Tx }

func (r stageReader) cursor(b bucket) *bolt.Cursor { return r.tx.Bucket(bucketNames[b]).Cursor() }

func (r stageReader) get(b bucket, key []byte) []byte { return r.tx.Bucket(bucketNames[b]).Get(key) }

// holes returns the spans of a log that were dropped.
func (r stageReader) holes(ns uint64, inc driver.Incarnation) []driver.Span {
	return readHoles(r.cursor(bMarks), ns, inc)
}

// rebuild writes the new file from the staged values.
func (s *salvager) rebuild() error {
	return s.stage.db.View(func(tx *bolt.Tx) error {
		from := stageReader{tx}
		var err error
		if s.erased, err = loadErasures(from.cursor(bMarks)); err != nil {
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
func (s *salvager) forEach(from stageReader, b bucket, fn func(k, val []byte) error) error {
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
	return s.forEach(from, bCounters, func(k, val []byte) error {
		c, err := readCounters(k, val)
		if err != nil {
			return err
		}
		if s.fate(bCounters, k) == fateWhole {
			s.before[be64(k)] = c.Usage
		}
		c.Usage = driver.Usage{}
		s.spaces[be64(k)] = &c
		return nil
	})
}

func (s *salvager) space(ns, epoch uint64) *counters {
	c := s.spaces[ns]
	if c == nil {
		c = &counters{}
		s.spaces[ns] = c
	}
	c.epoch = max(c.epoch, epoch)
	return c
}

// expected says whether a record that the tree does not lead to may be one
// that is missing, and not one that was deleted. An index that is whole knows;
// else the number of records in the namespace does, if it is known.
func (s *salvager) expected(from stageReader, k driver.Key, created int64) bool {
	if !s.hurt[bCreated] {
		return from.get(bCreated, appendTimedKey(nil, k.Namespace, created, k.ID)) != nil
	}
	u, ok := s.before[k.Namespace]
	return !ok || s.sound[k.Namespace] < sessions(u)
}

// records writes the records with their logs, indexes and counts.
func (s *salvager) records(from stageReader) error {
	return s.forEach(from, bRecords, func(k, val []byte) error {
		var h recordHeader
		body, ok := readRecord(k, val, &h)
		key, named := parseRecordKey(k)
		fate := s.fate(bRecords, k)
		if !ok || !named || s.erased.record(key.Namespace, &h) || s.live[h.inc] {
			return nil
		}
		if fate == fateUncertain && !s.expected(from, key, h.created) {
			return nil
		}
		r := driver.Record{Key: key}
		h.decodeInto(&r, body)
		if err := s.log(from, &r, fate); err != nil {
			return err
		}
		s.live[h.inc] = true
		delete(s.damaged, string(k))
		s.addOutcome("record", nameRecord(k), 1, fate)
		return s.putRecord(k, &r, h.epoch)
	})
}

func (s *salvager) putRecord(k []byte, r *driver.Record, epoch uint64) error {
	c := s.space(r.Namespace, epoch)
	c.Sessions[r.Status]++
	c.Messages += r.Messages
	c.Bytes += r.Bytes
	s.clock = max(s.clock, r.Created, r.ActiveMinute*60_000)
	if err := s.out.put(bRecords, k, appendRecord(nil, k, r, epoch)); err != nil {
		return err
	}
	var at indexKeys
	at.build(k, r.Incarnation, r.User, r.Created, r.ActiveMinute, r.Due, r.Expires)
	for i, in := range indexBuckets {
		if key := at.key(i); len(key) > 0 {
			if err := s.out.put(in, key, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// log writes what is left of a record's log, and makes the record say so.
func (s *salvager) log(from stageReader, r *driver.Record, fate valueFate) error {
	want := r.Messages
	kept := logCopy{s: s, ns: r.Namespace, inc: r.Incarnation, holes: from.holes(r.Namespace, r.Incarnation)}
	kept.firm = kept.count(from) >= want && fate == fateWhole
	if err := kept.copy(from); err != nil {
		return err
	}
	if kept.messages < want {
		s.addOutcome("message", fmt.Sprintf("namespace %d, record %q", r.Namespace, r.ID), want-kept.messages, fateLost)
	}
	r.Messages, r.Bytes = kept.messages, kept.bytes+uint64(len(r.Body))
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
	prefix := appendLogPrefix(nil, l.ns, l.inc)
	c := from.cursor(bLog)
	for k, val := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, val = c.Next() {
		if _, dropped := findSpan(l.holes, be64(k[logPrefixLen:])); dropped {
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
		if l.s.fate(bLog, k) == fateWhole {
			n++
		}
		return nil
	})
	return n
}

func (l *logCopy) copy(from stageReader) error {
	s := l.s
	err := l.scan(from, func(k, val []byte) error {
		fate := s.fate(bLog, k)
		if fate == fateUncertain && l.firm {
			return nil
		}
		var m driver.Message
		if err := readMessage(k, val, &m); err != nil {
			return err
		}
		l.messages++
		l.bytes += uint64(len(m.Body))
		l.last = m.Seq
		s.addOutcome("message", nameMessage(l.ns, l.inc, m.Seq), 1, fate)
		if m.ID != "" {
			ref := appendRefKey(nil, l.ns, l.inc, m.ID)
			if err := s.out.put(bIDs, ref, appendRef(nil, ref, &m)); err != nil {
				return err
			}
		}
		return s.out.put(bLog, k, val)
	})
	if err != nil {
		return err
	}
	prefix := appendLogPrefix(nil, l.ns, l.inc)
	c := from.cursor(bIDs)
	for k, val := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, val = c.Next() {
		if err := s.out.put(bIDs, k, val); err != nil {
			return err
		}
	}
	return nil
}

// lostRecords reports records that were damaged, or that only an index knows.
func (s *salvager) lostRecords(from stageReader) error {
	err := s.forEach(from, bCreated, func(k, _ []byte) error {
		if len(k) < 17 {
			return nil
		}
		key := appendRecordKey(nil, be64(k), k[16:])
		if from.get(bRecords, key) == nil {
			s.damaged[string(key)] = true
		}
		return nil
	})
	named := map[uint64]uint64{}
	for k := range s.damaged {
		named[be64([]byte(k))]++
		s.addOutcome("record", nameRecord([]byte(k)), 1, fateLost)
	}
	for ns, u := range s.before {
		// Counters include what a pending erasure of a user covers.
		left := sessions(s.spaces[ns].Usage) + named[ns]
		if was := sessions(u); was > left && s.erased[ns] == nil {
			s.addOutcome("record", fmt.Sprintf("namespace %d", ns), was-left, fateLost)
		}
	}
	return err
}

func sessions(u driver.Usage) (n uint64) {
	for _, c := range u.Sessions {
		n += c
	}
	return n
}
