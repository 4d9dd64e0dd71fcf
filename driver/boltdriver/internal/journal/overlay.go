package journal

import (
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// Overlay is what the ops of a batch have changed and the transaction does not
// know yet. A key that many ops changed is written once. Keys and values lie in
// the batch's arena. The zero value is empty.
type Overlay struct {
	tables [format.BucketCount]map[string][]byte // nil value: deleted
	keys   []string                              // of the table that is being written
}

// Get returns the value at key, and whether the overlay knows it: nil and true
// mean that the key was deleted.
func (o *Overlay) Get(b format.Bucket, key []byte) ([]byte, bool) {
	v, ok := o.tables[b][string(key)]
	return v, ok
}

// Set puts a value, or deletes it if v is nil. It keeps both slices, which must
// not change before Reset.
func (o *Overlay) Set(b format.Bucket, key, v []byte) {
	if o.tables[b] == nil {
		o.tables[b] = make(map[string][]byte)
	}
	o.tables[b][format.UnsafeString(key)] = v
}

// Pending reports whether anything is pending in bucket b.
func (o *Overlay) Pending(b format.Bucket) bool { return len(o.tables[b]) > 0 }

// Write moves all that is pending in bucket b into to, in the order of the
// keys. On an error it is not known how much was moved: the transaction must
// end.
func (o *Overlay) Write(b format.Bucket, to *bolt.Bucket) error {
	table := o.tables[b]
	o.keys = o.keys[:0]
	for k := range table {
		o.keys = append(o.keys, k)
	}
	slices.SortFunc(o.keys, strings.Compare)
	for _, k := range o.keys {
		var err error
		if v := table[k]; v != nil {
			err = to.Put(format.UnsafeBytes(k), v)
		} else {
			err = to.Delete(format.UnsafeBytes(k))
		}
		if err != nil {
			return err
		}
	}
	o.clear(b)
	return nil
}

// clear forgets the table of b. A map that grew large is not kept: clearing it
// would cost its largest size each time.
func (o *Overlay) clear(b format.Bucket) {
	if len(o.tables[b]) > 4096 {
		o.tables[b] = nil
	}
	clear(o.tables[b])
}

// Reset forgets everything. It keeps what memory it can.
func (o *Overlay) Reset() {
	for b := range format.BucketCount {
		o.clear(b)
	}
	clear(o.keys)
}
