package boltdriver

import (
	"bytes"
	"sync/atomic"
	"unsafe"

	"github.com/seshatdb/seshat/driver"
	bolt "go.etcd.io/bbolt"
)

// view reads one transaction. What it returns shares memory with the file's
// map until the transaction ends.
type view struct {
	open   *lazyBuckets
	erased pendingErasures
	reads  *readCount // nil: reads are not counted

	expired *int64 // of Driver.look; nil: nobody asks
}

func newView(tx *bolt.Tx, reads *readCount) view {
	return view{open: &lazyBuckets{tx: tx}, reads: reads}
}

// lazyBuckets holds the buckets of a transaction, each opened when it is first
// used: to open them all would cost a small commit more than its own work.
type lazyBuckets struct {
	tx *bolt.Tx
	b  [buckets]atomic.Pointer[bolt.Bucket]
}

func (o *lazyBuckets) bucket(in bucket) *bolt.Bucket {
	b := o.b[in].Load()
	if b == nil {
		b = o.tx.Bucket(bucketNames[in])
		b.FillPercent = fillPercent
		o.b[in].Store(b)
	}
	return b
}

// readCount counts what reads visit.
type readCount struct{ pages, keys atomic.Uint64 }

// cursor is a place in a bucket.
type cursor struct {
	c     *bolt.Cursor
	reads *readCount
	page  uintptr
}

func (v *view) cursor(in bucket) cursor { return cursor{c: v.open.bucket(in).Cursor(), reads: v.reads} }

// Seek moves to key, or the first one beyond it. Where damage leads it to a key
// before, it panics, as the engine does: who goes on from there may never end.
func (c *cursor) Seek(key []byte) (k, v []byte) {
	k, v = c.c.Seek(key)
	if k != nil && bytes.Compare(k, key) < 0 {
		panic("a key is out of order")
	}
	return c.count(k, v)
}

// Next moves to the next key.
func (c *cursor) Next() (k, v []byte) { return c.count(c.c.Next()) }

// prev moves to the key before.
func (c *cursor) prev() (k, v []byte) { return c.count(c.c.Prev()) }

// last moves to the last key.
func (c *cursor) last() (k, v []byte) { return c.count(c.c.Last()) }

// get returns the value at key, or nil.
func (c *cursor) get(key []byte) []byte {
	if k, v := c.count(c.c.Seek(key)); bytes.Equal(k, key) {
		return v
	}
	return nil
}

// count counts a visited key, and its page where it is another than before.
func (c *cursor) count(k, v []byte) ([]byte, []byte) {
	if c.reads == nil || k == nil {
		return k, v
	}
	c.reads.keys.Add(1)
	if page := uintptr(unsafe.Pointer(unsafe.SliceData(k))) / pageSize; page != c.page {
		c.page = page
		c.reads.pages.Add(1)
	}
	return k, v
}

// counters reads the counters of a namespace.
func (v *view) counters(ns uint64) (counters, error) {
	key := appendU64Key(make([]byte, 0, 8), ns)
	c := v.cursor(bCounters)
	return readCounters(key, c.get(key))
}

// header reads the verified header of the record at key.
func (c *cursor) header(key []byte, h *recordHeader) (val []byte, err error) {
	val = c.get(key)
	if val == nil {
		return nil, nil
	}
	if !readHead(key, val, h) {
		return nil, corruptRecord(key)
	}
	return val, nil
}

// indexed is header for a record that an index entry names.
func (c *cursor) indexed(in bucket, key []byte, h *recordHeader) ([]byte, error) {
	val, err := c.header(key, h)
	if val == nil && err == nil {
		err = danglingIndex(in, key)
	}
	return val, err
}

// visible reports whether an incarnation belongs to a record that is there and
// not erased: only then are its log and its entries seen.
func (v *view) visible(ns uint64, inc driver.Incarnation) (bool, error) {
	key := v.owner(ns, inc)
	if key == nil || v.erased[ns] == nil {
		return key != nil, nil
	}
	var h recordHeader
	c := v.cursor(bRecords)
	_, err := c.indexed(bOwners, key, &h)
	return err == nil && !v.erased.record(ns, &h), err
}

// owner returns the key of the record that owns an incarnation, or nil. It
// shares memory with the transaction.
func (v *view) owner(ns uint64, inc driver.Incarnation) []byte {
	prefix := appendOwnerKey(make([]byte, 0, 24), inc, ns, nil)
	c := v.cursor(bOwners)
	if k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix) {
		return k[16:]
	}
	return nil
}

// holes returns the spans of a log that were dropped and are still there. A
// log without any, which is the normal case, costs one move and no memory.
func (v *view) holes(ns uint64, inc driver.Incarnation) []driver.Span {
	c := v.cursor(bMarks)
	prefix := appendLogMarkKey(make([]byte, 0, 32), markHole, ns, inc)
	if k, _ := c.Seek(prefix); !bytes.HasPrefix(k, prefix) {
		return nil
	}
	found := c
	return readHoles(&found, ns, inc)
}
