package format

import (
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// IndexBuckets are the buckets whose keys follow from a record.
var IndexBuckets = [...]Bucket{Created, Users, Active, Due, Overdue, Owners}

// IndexKeys are the keys of one record in the indexes.
type IndexKeys struct {
	buf  [1200]byte
	ends [len(IndexBuckets)]int
}

// Key returns the key in one of the indexes, empty if the record is not there.
func (s *IndexKeys) Key(i int) []byte {
	from := 0
	if i > 0 {
		from = s.ends[i-1]
	}
	return s.buf[from:s.ends[i]]
}

// Build sets the keys of the record whose key in Records is key.
func (s *IndexKeys) Build(key []byte, inc driver.Incarnation, user string, created, minute, due, expires int64) {
	ns := NamespaceOf(key)
	id := key[8:]
	b := AppendTimedKey(s.buf[:0], ns, created, id)
	s.ends[0] = len(b)
	if user != "" {
		b = append(AppendTimeKey(AppendUserPrefix(b, ns, user), created), id...)
	}
	s.ends[1] = len(b)
	b = AppendTimedKey(b, ns, minute, id)
	s.ends[2] = len(b)
	if due != driver.Never {
		b = AppendDueKey(b, due, ns, id)
	}
	s.ends[3] = len(b)
	if expires < due {
		b = AppendDueKey(b, expires, ns, id)
	}
	s.ends[4] = len(b)
	s.ends[5] = len(AppendOwnerKey(b, inc, ns, id))
}

// DanglingIndex is the error of an index entry that names no record.
func DanglingIndex(in Bucket, key []byte) error {
	k, _ := ParseRecordKey(key)
	return fmt.Errorf("%w: index %s names record %q in namespace %d, which is not there",
		driver.ErrCorrupt, BucketNames[in], k.ID, k.Namespace)
}
