package salvage

import (
	"fmt"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
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
	err := s.forEach(from, format.Log, func(k, _ []byte) error {
		ns, inc, _, ok := format.ParseLogPrefix(k)
		if !ok || s.live[inc] {
			return nil
		}
		if inc != group.inc || ns != group.ns {
			if err := end(); err != nil {
				return err
			}
			group = logCopy{s: s, ns: ns, inc: inc, holes: from.holes(ns, inc)}
		}
		if s.fate(format.Log, k) == Whole {
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
	key := format.AppendLogMarkKey(nil, format.StagedLog, l.ns, l.inc)
	if val := from.get(format.Marks, key); val != nil {
		m, err := format.ReadStaged(key, val)
		if err != nil || s.erased.CoversLog(l.ns, m.Epoch) {
			return err
		}
		s.space(l.ns, m.Epoch)
		l.firm = true
		if err := l.copy(from); err != nil {
			return err
		}
		return s.out.put(format.Marks, key, val)
	}
	if key[0] = format.DeadLog; from.get(format.Marks, key) == nil && s.erased[l.ns] == nil {
		s.addOutcome("message", nameMessage(l.ns, l.inc, 0), n, Lost)
	}
	return nil
}

// entries writes the entries whose owner is still there.
func (s *salvager) entries(from stageReader) error {
	err := s.forEach(from, format.Entries, func(k, val []byte) error {
		e, err := format.ReadEntry(k, val)
		if err != nil {
			return err
		}
		key, _ := format.ParseEntryKey(k)
		if key.Kind&driver.KindSession != 0 {
			var inc driver.Incarnation
			if copy(inc[:], key.Owner); !s.live[inc] {
				return nil
			}
		}
		if s.erased.CoversEntry(&key, e.Epoch) {
			return nil
		}
		s.space(key.Namespace, e.Epoch)
		s.addOutcome("entry", nameEntry(&key), 1, s.fate(format.Entries, k))
		return s.out.put(format.Entries, k, val)
	})
	return err
}

func nameEntry(k *driver.EntryKey) string {
	return fmt.Sprintf("namespace %d, kind %d, owner %q, entry %q", k.Namespace, k.Kind, k.Owner, k.Name)
}

// events writes each feed's longest gap-free run that ends at its head. A
// watcher that is behind it is told that it lags, so that it misses no event
// unknowingly.
func (s *salvager) events(from stageReader) error {
	first := map[uint64]uint64{} // of the run without a gap that ends at the last event
	last := map[uint64]uint64{}
	err := s.forEach(from, format.Feed, func(k, _ []byte) error {
		ns, pos, ok := format.ParseFeedKey(k)
		if c := s.space(ns, 0); !ok || pos <= c.Tail {
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
	return s.forEach(from, format.Feed, func(k, val []byte) error {
		ns, pos, _ := format.ParseFeedKey(k)
		if c := s.spaces[ns]; pos <= c.Tail || pos > c.Head {
			return nil
		}
		s.addOutcome("event", fmt.Sprintf("namespace %d, event %d", ns, pos), 1, s.fate(format.Feed, k))
		return s.out.put(format.Feed, k, val)
	})
}

// endFeed sets the ends of a feed of which the events from first to last are
// left.
func (s *salvager) endFeed(ns uint64, c *format.Counters, first, last uint64) {
	known := s.before[ns] != (driver.Usage{}) || c.Head != 0
	before := c.Head - min(c.Tail, c.Head)
	c.Head = max(c.Head, last)
	if last < c.Head || first == 0 {
		first = c.Head + 1
	}
	c.Tail = max(c.Tail, first-1)
	if left := c.Head - c.Tail; known && left < before {
		s.addOutcome("event", fmt.Sprintf("namespace %d", ns), before-left, Lost)
	}
}

// counters writes the counters and the numbers of the file itself.
func (s *salvager) counters(from stageReader) error {
	for ns, c := range s.spaces {
		key := format.AppendU64Key(nil, ns)
		if err := s.out.put(format.Counts, key, format.AppendCounters(nil, key, c)); err != nil {
			return err
		}
	}
	clock, err := format.ReadNumber(format.ClockKey, from.get(format.Meta, format.ClockKey))
	if err != nil {
		return err
	}
	clock = max(clock, uint64(s.clock))
	return s.out.put(format.Meta, format.ClockKey, format.AppendNumber(nil, format.ClockKey, clock))
}
