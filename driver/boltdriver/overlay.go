package boltdriver

import (
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// overlay is what the ops of a batch have changed and the transaction does not
// know yet. A key that many ops changed is written once. Keys and values lie in
// the batch's arena.
type overlay struct {
	tables [format.BucketCount]map[string][]byte // nil value: deleted
	keys   []string                              // of the table that is being written
}

// get returns the value at key, and whether the overlay knows it.
func (o *overlay) get(b format.Bucket, key []byte) ([]byte, bool) {
	v, ok := o.tables[b][string(key)]
	return v, ok
}

// set puts a value, or deletes it if v is nil. It keeps both slices.
func (o *overlay) set(b format.Bucket, key, v []byte) {
	if o.tables[b] == nil {
		o.tables[b] = make(map[string][]byte)
	}
	o.tables[b][format.UnsafeString(key)] = v
}

// pending reports whether the table of b holds anything.
func (o *overlay) pending(b format.Bucket) bool { return len(o.tables[b]) > 0 }

// write moves the table of b into the transaction, in the order of its keys.
func (o *overlay) write(b format.Bucket, to *bolt.Bucket) error {
	table := o.tables[b]
	o.keys = o.keys[:0]
	for k := range table {
		o.keys = append(o.keys, k)
	}
	slices.SortFunc(o.keys, strings.Compare)
	for _, k := range o.keys {
		if err := apply(to, format.UnsafeBytes(k), table[k]); err != nil {
			return err
		}
	}
	o.clear(b)
	return nil
}

func apply(to *bolt.Bucket, key, v []byte) error {
	if v == nil {
		return to.Delete(key)
	}
	return to.Put(key, v)
}

// clear forgets the table of b. A map that grew large is not kept: clearing it
// would cost its largest size each time.
func (o *overlay) clear(b format.Bucket) {
	if len(o.tables[b]) > 4096 {
		o.tables[b] = nil
	}
	clear(o.tables[b])
}

func (o *overlay) reset() {
	for b := range format.BucketCount {
		o.clear(b)
	}
	clear(o.keys)
}
