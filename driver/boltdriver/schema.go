package boltdriver

import (
	"encoding/binary"
	"fmt"

	"github.com/seshatdb/seshat/driver"
	bolt "go.etcd.io/bbolt"
)

// formatVersion is the version of the file's format. Files of an older one are
// opened, those of a newer one refused.
const formatVersion = 1

// bucket is one of the file's buckets: see keys.go.
type bucket uint8

const (
	bRecords bucket = iota
	bCreated
	bUsers
	bActive
	bDue
	bOverdue
	bOwners
	bLog
	bIDs
	bEntries
	bFeed
	bCounters
	bMarks
	bMeta
	buckets
)

var bucketNames = [buckets][]byte{
	[]byte("r"), []byte("c"), []byte("u"), []byte("a"), []byte("x"), []byte("o"), []byte("s"),
	[]byte("l"), []byte("i"), []byte("e"), []byte("f"), []byte("n"), []byte("g"), []byte("m"),
}

// Bucket m is so small that the engine keeps it in the page that each commit
// writes anyway. Its values are [checksum, number].
var (
	metaFormat = []byte("format")
	metaClock  = []byte("clock") // the largest View.Now committed
)

const (
	numberElements = 2
	numberSize     = sumEnd + 9
)

func appendNumber(b, key []byte, n uint64) []byte {
	start := len(b)
	b = appendU64(appendEnvelope(b, numberElements), n)
	seal(key, b[start:])
	return b
}

// readNumber reads a value of m; an absent one is 0.
func readNumber(key, v []byte) (uint64, error) {
	if v == nil {
		return 0, nil
	}
	w := openSealed(key, v, numberElements-1)
	n := w.u64()
	if !w.done() {
		return 0, fmt.Errorf("%w: meta value %q", driver.ErrCorrupt, key)
	}
	return n, nil
}

// initSchema makes the buckets of an empty file.
func initSchema(tx *bolt.Tx) error {
	for _, name := range bucketNames {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketNames[bMeta]).Put(metaFormat, appendNumber(nil, metaFormat, formatVersion))
}

// checkSchema returns ErrFormat if the file is not one that this version knows.
func checkSchema(tx *bolt.Tx) error {
	meta := tx.Bucket(bucketNames[bMeta])
	if meta == nil {
		return fmt.Errorf("%w: not a store", driver.ErrFormat)
	}
	version, err := readNumber(metaFormat, meta.Get(metaFormat))
	if err != nil {
		return err
	}
	if version == 0 || version > formatVersion {
		return fmt.Errorf("%w: version %d, this program knows %d", driver.ErrFormat, version, formatVersion)
	}
	for _, name := range bucketNames {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("%w: bucket %q is missing", driver.ErrCorrupt, name)
		}
	}
	return nil
}

// clockEntry is the value of driver.KindClock.
func clockEntry(clock int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(clock)) }

// minElements is the least number of elements of a value, for the buckets whose
// values all have one form.
var minElements = [buckets]int{
	bRecords:  recordElements,
	bLog:      messageElements,
	bIDs:      refElements,
	bEntries:  entryElements,
	bFeed:     eventElements,
	bCounters: counterElements,
}

// hasElements reports whether v may be a value of the bucket, by the number of
// its elements.
func hasElements(b bucket, v []byte) bool {
	return len(v) >= sumEnd && int(binary.BigEndian.Uint16(v[1:])) >= minElements[b]
}
