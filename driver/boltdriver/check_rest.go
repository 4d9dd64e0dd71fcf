package boltdriver

import (
	"bytes"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// orphans looks for logs that belong to no record and are not marked.
func (c *checker) orphans() error {
	for _, in := range []bucket{bLog, bIDs} {
		var last []byte
		err := c.walk(in, func(k, _ []byte) error {
			ns, inc, _, ok := parseLogPrefix(k)
			if ok && last != nil && bytes.HasPrefix(k, last) {
				return nil
			}
			last = append(last[:0], k[:min(len(k), logPrefixLen)]...)
			if ok && (c.owner(ns, inc) != nil || c.marked(ns, inc)) {
				return nil
			}
			return c.find(fmt.Sprintf("bucket %s, incarnation %x in namespace %d", bucketNames[in], inc[:], ns), "belongs to no session")
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// marked reports whether a log is dead or staged.
func (c *checker) marked(ns uint64, inc driver.Incarnation) bool {
	marks := c.cursor(bMarks)
	key := appendLogMarkKey(make([]byte, 0, 32), markDead, ns, inc)
	if marks.get(key) != nil {
		return true
	}
	key[0] = markStaged
	return marks.get(key) != nil
}

// feeds checks that every feed is whole between its ends.
func (c *checker) feeds() error {
	events := c.cursor(bFeed)
	return c.walk(bCounters, func(k, v []byte) error {
		where := fmt.Sprintf("feed of namespace %x", k)
		n, err := readCounters(k, v)
		if err != nil {
			return nil // found with the records
		}
		ns, next := nsOf(k), n.tail+1
		for key, val := events.seek(appendFeedKey(nil, ns, next)); bytes.HasPrefix(key, k) && next <= n.head; key, val = events.next() {
			c.Events++
			e, err := readEvent(key, val)
			if err != nil {
				if err := c.report(where, err); err != nil {
					return err
				}
				_, e.Position, _ = parsePair(key)
			}
			if e.Position != next {
				break
			}
			next++
		}
		if next != n.head+1 {
			return c.find(where, "has no event %d, its head is %d", next, n.head)
		}
		return c.leftEvents(where, ns, &n)
	})
}

// leftEvents looks for events outside the feed that no mark explains.
func (c *checker) leftEvents(where string, ns uint64, n *counters) error {
	for _, typ := range []byte{markFeed, markNamespace} {
		marks := c.cursor(bMarks)
		if marks.get(appendU64Key([]byte{typ}, ns)) != nil {
			return nil
		}
	}
	events := c.cursor(bFeed)
	prefix := appendU64Key(nil, ns)
	if k, _ := events.seek(appendFeedKey(nil, ns, n.head+1)); bytes.HasPrefix(k, prefix) {
		return c.find(where, "has an event beyond its head %d", n.head)
	}
	if k, _ := events.seek(appendFeedKey(nil, ns, 0)); bytes.HasPrefix(k, prefix) {
		if _, pos, _ := parsePair(k); pos <= n.tail {
			return c.find(where, "has an event before its tail %d", n.tail)
		}
	}
	return nil
}

// marks reads every mark.
func (c *checker) marks() error {
	return c.walk(bMarks, func(k, v []byte) error {
		typ, ns, rest, ok := parseMark(k)
		where := fmt.Sprintf("mark %q %x in namespace %d", typ, rest, ns)
		if !ok {
			return c.find(where, "has no valid key")
		}
		var err error
		switch typ {
		case markDead:
			_, err = readDead(k, v)
		case markStaged:
			_, err = readStaged(k, v)
		case markNamespace, markUser:
			_, err = readErasure(k, v)
		case markHole, markFeed:
			w := openSealed(k, v, 0)
			err = markError(&w, k)
		default:
			return c.find(where, "is of an unknown type")
		}
		return c.report(where, err)
	})
}
