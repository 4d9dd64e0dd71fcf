package boltdriver

import (
	"bytes"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// orphans looks for logs that belong to no record and are not marked, and
// reads those that are staged. Those of records were read with them.
func (c *checker) orphans() error {
	for _, in := range []bucket{bLog, bIDs} {
		o := orphanCheck{checker: c, in: in}
		if err := c.walk(in, o.key); err != nil {
			return err
		}
	}
	return nil
}

// orphanCheck walks a bucket whose keys begin with an incarnation.
type orphanCheck struct {
	*checker
	in     bucket
	prefix []byte // of the incarnation at hand
	staged bool
}

func (o *orphanCheck) key(k, v []byte) error {
	ns, inc, _, ok := parseLogPrefix(k)
	where := fmt.Sprintf("bucket %s, incarnation %x in namespace %d", bucketNames[o.in], inc[:], ns)
	if !ok {
		return o.find(where, "has no valid key: %x", k)
	}
	if o.prefix == nil || !bytes.HasPrefix(k, o.prefix) {
		o.prefix = append(o.prefix[:0], k[:logPrefixLen]...)
		o.staged = o.mark(markStaged, ns, inc)
		if !o.staged && o.owner(ns, inc) == nil && !o.mark(markDead, ns, inc) {
			return o.find(where, "belongs to no session")
		}
	}
	if !o.staged {
		return nil
	}
	var err error
	if o.in == bLog {
		err = readMessage(k, v, new(driver.Message))
	} else {
		_, err = readRef(k, v)
	}
	return o.report(where, err)
}

// marked reports whether a log is dead or staged.
func (c *checker) marked(ns uint64, inc driver.Incarnation) bool {
	return c.mark(markDead, ns, inc) || c.mark(markStaged, ns, inc)
}

func (c *checker) mark(typ byte, ns uint64, inc driver.Incarnation) bool {
	marks := c.cursor(bMarks)
	return marks.get(appendLogMarkKey(make([]byte, 0, 32), typ, ns, inc)) != nil
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
			return c.erasureMark(where, ns, k, v)
		case markHole, markFeed:
			err = readBare(k, v)
		default:
			return c.find(where, "is of an unknown type")
		}
		return c.report(where, err)
	})
}

// erasureMark checks that the erasure was counted in its namespace: what is
// written later is told from what is erased by that.
func (c *checker) erasureMark(where string, ns uint64, k, v []byte) error {
	e, err := readErasure(k, v)
	if err != nil {
		return c.report(where, err)
	}
	n, err := c.counters(ns)
	if err == nil && n.epoch < e.epoch {
		return c.find(where, "is of epoch %d, its namespace is at %d", e.epoch, n.epoch)
	}
	return nil // damaged counters were found with the records
}
