package boltdriver

import (
	"bytes"
	"fmt"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// orphans looks for logs that belong to no record and are not marked, and
// reads those that are staged. Those of records were read with them.
func (c *checker) orphans() error {
	for _, in := range []format.Bucket{format.Log, format.IDs} {
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
	in     format.Bucket
	prefix []byte // of the incarnation at hand
	staged bool
}

func (o *orphanCheck) key(k, v []byte) error {
	ns, inc, _, ok := format.ParseLogPrefix(k)
	where := fmt.Sprintf("bucket %s, incarnation %x in namespace %d", format.BucketNames[o.in], inc[:], ns)
	if !ok {
		return o.find(where, "has no valid key: %x", k)
	}
	if o.prefix == nil || !bytes.HasPrefix(k, o.prefix) {
		o.prefix = append(o.prefix[:0], k[:format.LogPrefixLen]...)
		o.staged = o.mark(format.StagedLog, ns, inc)
		if !o.staged && o.owner(ns, inc) == nil && !o.mark(format.DeadLog, ns, inc) {
			return o.find(where, "belongs to no session")
		}
	}
	if !o.staged {
		return nil
	}
	var err error
	if o.in == format.Log {
		err = format.ReadMessage(k, v, new(driver.Message))
	} else {
		_, err = format.ReadMessageID(k, v)
	}
	return o.report(where, err)
}

// marked reports whether a log is dead or staged.
func (c *checker) marked(ns uint64, inc driver.Incarnation) bool {
	return c.mark(format.DeadLog, ns, inc) || c.mark(format.StagedLog, ns, inc)
}

func (c *checker) mark(typ byte, ns uint64, inc driver.Incarnation) bool {
	marks := c.cursor(format.Marks)
	return marks.get(format.AppendLogMarkKey(make([]byte, 0, 32), typ, ns, inc)) != nil
}

// marks reads every mark.
func (c *checker) marks() error {
	return c.walk(format.Marks, func(k, v []byte) error {
		typ, ns, rest, ok := format.ParseMark(k)
		where := fmt.Sprintf("mark %q %x in namespace %d", typ, rest, ns)
		if !ok {
			return c.find(where, "has no valid key")
		}
		var err error
		switch typ {
		case format.DeadLog:
			_, err = format.ReadDead(k, v)
		case format.StagedLog:
			_, err = format.ReadStaged(k, v)
		case format.ErasedNamespace, format.ErasedUser:
			return c.erasureMark(where, ns, k, v)
		case format.Hole, format.TrimmedFeed:
			err = format.ReadBare(k, v)
		default:
			return c.find(where, "is of an unknown type")
		}
		return c.report(where, err)
	})
}

// erasureMark checks that the erasure was counted in its namespace: what is
// written later is told from what is erased by that.
func (c *checker) erasureMark(where string, ns uint64, k, v []byte) error {
	e, err := format.ReadErasure(k, v)
	if err != nil {
		return c.report(where, err)
	}
	n, err := c.counters(ns)
	if err == nil && n.Epoch < e.Epoch {
		return c.find(where, "is of epoch %d, its namespace is at %d", e.Epoch, n.Epoch)
	}
	return nil // damaged counters were found with the records
}
