package boltdriver

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

var _ driver.Checker = (*Driver)(nil)

// errEnough ends a check that has found as much as was asked for.
var errEnough = errors.New("enough findings")

// Check reads everything once, in one snapshot, beside other calls. It calls
// visit for all that is not erased. visit must not call the driver: the
// snapshot is held meanwhile. It runs alone among checks, backups, dumps and
// compactions, and waits for its turn. See driver.Checker.
func (d *Driver) Check(ctx context.Context, limit int, visit driver.Visitor) (_ driver.Checked, err error) {
	free, err := d.copyAlone(ctx)
	if err != nil {
		return driver.Checked{}, err
	}
	defer free()
	defer dbfile.Guard("check", debug.SetPanicOnFault(true), &err)
	s, err := d.reader(ctx)
	if err != nil {
		return driver.Checked{}, err
	}
	defer d.release(s)
	c := &checker{view: &s.view, ctx: ctx, limit: limit, visit: visit}
	for _, step := range []func() error{c.meta, c.records, c.indexEntries, c.orphans, c.entries, c.feeds, c.marks} {
		if err := step(); errors.Is(err, errEnough) {
			break
		} else if err != nil {
			return c.Checked, err
		}
	}
	return c.Checked, nil
}

// checker is one Check at work. Its steps walk the buckets in key order; each
// remembers no more than one record and one namespace.
type checker struct {
	*view
	driver.Checked
	ctx   context.Context
	limit int
	visit driver.Visitor
	seen  int
}

// find adds a finding.
func (c *checker) find(where, format string, args ...any) error {
	if len(c.Findings) >= c.limit {
		return errEnough
	}
	c.Findings = append(c.Findings, driver.Finding{Where: where, What: fmt.Sprintf(format, args...)})
	return nil
}

// report turns damage into a finding, and hands on all other errors.
func (c *checker) report(where string, err error) error {
	if errors.Is(err, driver.ErrCorrupt) {
		return c.find(where, "%v", err)
	}
	return err
}

// visited turns what a visitor returned into a finding.
func (c *checker) visited(where string, err error) error {
	if err != nil {
		return c.find(where, "%v", err)
	}
	return nil
}

// walk calls fn for every key of a bucket.
func (c *checker) walk(in format.Bucket, fn func(k, v []byte) error) error {
	cur := c.cursor(in)
	for k, v := cur.Seek([]byte{0}); k != nil; k, v = cur.Next() {
		if c.seen++; c.seen%scanChunk == 0 && c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		if err := fn(k, v); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) meta() error {
	return c.walk(format.Meta, func(k, v []byte) error {
		_, err := format.ReadNumber(k, v)
		return c.report("meta", err)
	})
}

// indexEntries looks up the record of every index entry. That every record has
// its entries is checked with the records.
func (c *checker) indexEntries() error {
	rec := c.cursor(format.Records)
	var h format.RecordHeader
	var want format.IndexKeys
	for i, in := range format.IndexBuckets {
		err := c.walk(in, func(k, _ []byte) error {
			c.IndexEntries++
			where := fmt.Sprintf("index %s, key %x", format.BucketNames[in], k)
			key, ok := recordKeyOf(in, k)
			if !ok {
				return c.find(where, "is no key of this index")
			}
			if err := rec.indexed(in, key, &h); err != nil {
				return c.report(where, err)
			}
			want.Build(key, h.Incarnation, format.UnsafeString(h.UserID), h.Created, h.ActiveMinute, h.Due, h.Expires)
			if string(want.Key(i)) != string(k) {
				return c.find(where, "is not where its record belongs")
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// recordKeyOf returns the key of the record that an index entry names.
func recordKeyOf(in format.Bucket, k []byte) (key []byte, ok bool) {
	var ns uint64
	var id []byte
	switch in {
	case format.Users:
		ns, _, _, id, ok = format.ParseUserKey(k)
	case format.Due, format.Overdue:
		_, ns, id, ok = format.ParseDueKey(k)
	case format.Owners:
		_, key, ok = format.ParseOwnerKey(k)
		return key, ok
	default:
		if len(k) > 8 {
			ns = format.NamespaceOf(k)
			_, id, ok = format.ParsePlace(k[8:])
		}
	}
	return format.AppendRecordKey(nil, ns, id), ok
}

func (c *checker) entries() error {
	return c.walk(format.Entries, func(k, v []byte) error {
		c.Entries++
		key, ok := format.ParseEntryKey(k)
		where := fmt.Sprintf("entry %q of %q, kind %d in namespace %d", key.Name, key.Owner, key.Kind, key.Namespace)
		if !ok {
			return c.find(where, "has no valid key")
		}
		e, err := format.ReadEntry(k, v)
		if err != nil {
			return c.report(where, err)
		}
		if c.orphan(&key) {
			return c.find(where, "belongs to no session")
		}
		gone, err := c.entryGone(&key, &e)
		if err != nil || gone {
			return c.report(where, err)
		}
		if c.visit.Entry != nil {
			return c.visited(where, c.visit.Entry(&driver.Entry{EntryKey: key, Value: append([]byte{}, e.Value...)}))
		}
		return nil
	})
}

// orphan reports whether an entry of a session has no session, and is not left
// of a dead one.
func (c *checker) orphan(k *driver.EntryKey) bool {
	if k.Kind&driver.KindSession == 0 {
		return false
	}
	var inc driver.Incarnation
	copy(inc[:], k.Owner)
	return c.owner(k.Namespace, inc) == nil && !c.marked(k.Namespace, inc)
}
