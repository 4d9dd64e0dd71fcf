package boltdriver

import (
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// indexBuckets are the buckets whose keys follow from a record.
var indexBuckets = [...]bucket{bCreated, bUsers, bActive, bDue, bOverdue, bOwners}

// indexKeys are the keys of one record in the indexes.
type indexKeys struct {
	buf  [1200]byte
	ends [len(indexBuckets)]int
}

// key returns the key in one of the indexes, empty if the record is not there.
func (s *indexKeys) key(i int) []byte {
	from := 0
	if i > 0 {
		from = s.ends[i-1]
	}
	return s.buf[from:s.ends[i]]
}

func (s *indexKeys) build(key []byte, inc driver.Incarnation, user string, created, minute, due, expires int64) {
	ns, id := nsOf(key), key[8:]
	b := appendTimedKey(s.buf[:0], ns, created, id)
	s.ends[0] = len(b)
	if user != "" {
		b = append(appendTimeKey(appendUserPrefix(b, ns, user), created), id...)
	}
	s.ends[1] = len(b)
	b = appendTimedKey(b, ns, minute, id)
	s.ends[2] = len(b)
	if due != driver.Never {
		b = appendDueKey(b, due, ns, id)
	}
	s.ends[3] = len(b)
	if expires < due {
		b = appendDueKey(b, expires, ns, id)
	}
	s.ends[4] = len(b)
	s.ends[5] = len(appendOwnerKey(b, inc, ns, id))
}

// danglingIndex is the error of an index entry that names no record.
func danglingIndex(in bucket, key []byte) error {
	k, _ := parseRecordKey(key)
	return fmt.Errorf("%w: index %s names record %q in namespace %d, which is not there", driver.ErrCorrupt, bucketNames[in], k.ID, k.Namespace)
}
