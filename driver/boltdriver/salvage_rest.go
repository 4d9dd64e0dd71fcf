package boltdriver

import (
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// logs writes the logs that were staged for records to come, and reports those
// whose record is lost.
func (s *salvager) logs(from stageReader) error {
	var group logCopy
	var n uint64
	end := func() error {
		err := s.orphan(from, &group, n)
		n = 0
		return err
	}
	err := s.forEach(from, bLog, func(k, _ []byte) error {
		ns, inc, _, ok := parseLogPrefix(k)
		if !ok || s.live[inc] {
			return nil
		}
		if inc != group.inc || ns != group.ns {
			if err := end(); err != nil {
				return err
			}
			group = logCopy{s: s, ns: ns, inc: inc, holes: from.holes(ns, inc)}
		}
		if s.fate(bLog, k) == fateWhole {
			n++
		}
		return nil
	})
	if err != nil {
		return err
	}
	return end()
}

// orphan deals with a log of n sound messages that belongs to no record.
func (s *salvager) orphan(from stageReader, l *logCopy, n uint64) error {
	if n == 0 {
		return nil
	}
	key := appendLogMarkKey(nil, markStaged, l.ns, l.inc)
	if val := from.get(bMarks, key); val != nil {
		m, err := readStaged(key, val)
		if err != nil || s.erased.log(l.ns, m.epoch) {
			return err
		}
		s.space(l.ns, m.epoch)
		l.firm = true
		if err := l.copy(from); err != nil {
			return err
		}
		return s.out.put(bMarks, key, val)
	}
	if key[0] = markDead; from.get(bMarks, key) == nil && s.erased[l.ns] == nil {
		s.addOutcome("message", nameMessage(l.ns, l.inc, 0), n, fateLost)
	}
	return nil
}

// entries writes the entries whose owner is still there.
func (s *salvager) entries(from stageReader) error {
	err := s.forEach(from, bEntries, func(k, val []byte) error {
		e, err := readEntry(k, val)
		if err != nil {
			return err
		}
		key, _ := parseEntryKey(k)
		if key.Kind&driver.KindSession != 0 {
			var inc driver.Incarnation
			if copy(inc[:], key.Owner); !s.live[inc] {
				return nil
			}
		}
		if s.erased.entry(&key, e.epoch) {
			return nil
		}
		s.space(key.Namespace, e.epoch)
		s.addOutcome("entry", nameEntry(&key), 1, s.fate(bEntries, k))
		return s.out.put(bEntries, k, val)
	})
	return err
}

func nameEntry(k *driver.EntryKey) string {
	return fmt.Sprintf("namespace %d, kind %d, owner %q, entry %q", k.Namespace, k.Kind, k.Owner, k.Name)
}

// events writes of each feed what has no gap up to its head: watchers that are
// behind a gap are told that they lag, and do not miss events unknowingly.
func (s *salvager) events(from stageReader) error {
	first := map[uint64]uint64{} // of the run without a gap that ends at the last event
	last := map[uint64]uint64{}
	err := s.forEach(from, bFeed, func(k, _ []byte) error {
		ns, pos, ok := parsePair(k)
		if c := s.space(ns, 0); !ok || pos <= c.tail {
			return nil
		}
		if pos != last[ns]+1 || first[ns] == 0 {
			first[ns] = pos
		}
		last[ns] = pos
		return nil
	})
	if err != nil {
		return err
	}
	for ns, c := range s.spaces {
		s.endFeed(ns, c, first[ns], last[ns])
	}
	return s.forEach(from, bFeed, func(k, val []byte) error {
		ns, pos, _ := parsePair(k)
		if c := s.spaces[ns]; pos <= c.tail || pos > c.head {
			return nil
		}
		s.addOutcome("event", fmt.Sprintf("namespace %d, event %d", ns, pos), 1, s.fate(bFeed, k))
		return s.out.put(bFeed, k, val)
	})
}

// endFeed sets the ends of a feed of which the events from first to last are
// left.
func (s *salvager) endFeed(ns uint64, c *counters, first, last uint64) {
	known := s.before[ns] != (driver.Usage{}) || c.head != 0
	before := c.head - min(c.tail, c.head)
	c.head = max(c.head, last)
	if last < c.head || first == 0 {
		first = c.head + 1
	}
	c.tail = max(c.tail, first-1)
	if left := c.head - c.tail; known && left < before {
		s.addOutcome("event", fmt.Sprintf("namespace %d", ns), before-left, fateLost)
	}
}

// counters writes the counters and the numbers of the file itself.
func (s *salvager) counters(from stageReader) error {
	for ns, c := range s.spaces {
		key := appendU64Key(nil, ns)
		if err := s.out.put(bCounters, key, appendCounters(nil, key, c)); err != nil {
			return err
		}
	}
	clock, err := readNumber(metaClock, from.get(bMeta, metaClock))
	if err != nil {
		return err
	}
	clock = max(clock, uint64(s.clock))
	return s.out.put(bMeta, metaClock, appendNumber(nil, metaClock, clock))
}
