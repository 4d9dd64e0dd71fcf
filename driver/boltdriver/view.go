package boltdriver

import (
	"bytes"
	"sync/atomic"
	"unsafe"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

// view reads one transaction. What it returns shares memory with the file's
// map until the transaction ends.
type view struct {
	open   *lazyBuckets
	erased format.PendingErasures
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
	b  [format.BucketCount]atomic.Pointer[bolt.Bucket]
}

func (o *lazyBuckets) bucket(in format.Bucket) *bolt.Bucket {
	b := o.b[in].Load()
	if b == nil {
		b = o.tx.Bucket(format.BucketNames[in])
		b.FillPercent = format.FillPercent
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

func (v *view) cursor(in format.Bucket) cursor {
	return cursor{c: v.open.bucket(in).Cursor(), reads: v.reads}
}

// Seek moves to key, or the first one beyond it. If damage leads it to a key
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

// count counts a visited key, and its page if it differs from the one before.
func (c *cursor) count(k, v []byte) ([]byte, []byte) {
	if c.reads == nil || k == nil {
		return k, v
	}
	c.reads.keys.Add(1)
	if page := uintptr(unsafe.Pointer(unsafe.SliceData(k))) / format.PageSize; page != c.page {
		c.page = page
		c.reads.pages.Add(1)
	}
	return k, v
}

// counters reads the counters of a namespace.
func (v *view) counters(ns uint64) (format.Counters, error) {
	key := format.AppendU64Key(make([]byte, 0, 8), ns)
	c := v.cursor(format.Counts)
	return format.ReadCounters(key, c.get(key))
}

// header reads the verified header of the record at key.
func (c *cursor) header(key []byte, h *format.RecordHeader) (val []byte, err error) {
	val = c.get(key)
	if val == nil {
		return nil, nil
	}
	if !format.ReadHeader(key, val, h) {
		return nil, format.DamagedRecord(key)
	}
	return val, nil
}

// indexed is header for a record that an index entry names.
func (c *cursor) indexed(in format.Bucket, key []byte, h *format.RecordHeader) error {
	val, err := c.header(key, h)
	if val == nil && err == nil {
		err = format.DanglingIndex(in, key)
	}
	return err
}

// visible reports whether an incarnation belongs to a record that is there and
// not erased: only then are its log and its entries seen.
func (v *view) visible(ns uint64, inc driver.Incarnation) (bool, error) {
	key := v.owner(ns, inc)
	if key == nil || v.erased[ns] == nil {
		return key != nil, nil
	}
	var h format.RecordHeader
	c := v.cursor(format.Records)
	err := c.indexed(format.Owners, key, &h)
	return err == nil && !v.erased.CoversRecord(ns, &h), err
}

// owner returns the key of the record that owns an incarnation, or nil. It
// shares memory with the transaction.
func (v *view) owner(ns uint64, inc driver.Incarnation) []byte {
	prefix := format.AppendOwnerKey(make([]byte, 0, 24), inc, ns, nil)
	c := v.cursor(format.Owners)
	if k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix) {
		return k[16:]
	}
	return nil
}

// holes returns the spans of a log that were dropped and are still there. A
// log without any, which is the normal case, costs one move and no memory.
func (v *view) holes(ns uint64, inc driver.Incarnation) []driver.Span {
	c := v.cursor(format.Marks)
	prefix := format.AppendLogMarkKey(make([]byte, 0, 32), format.Hole, ns, inc)
	if k, _ := c.Seek(prefix); !bytes.HasPrefix(k, prefix) {
		return nil
	}
	found := c
	return format.Holes(&found, ns, inc)
}

// noteExpired notes that a reader met a session that expired.
func (v *view) noteExpired(expires int64) {
	if v.expired != nil {
		*v.expired = max(*v.expired, expires)
	}
}
