package format

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/msgpack"
)

// Version is the version of the file's format. Files of an older one are
// upgraded when they are opened for writing (see Upgrade), those of a newer one
// refused.
const Version = 1

// Bucket is one of the file's buckets: see keys.go.
type Bucket uint8

const (
	// Records holds the records, by namespace and id.
	Records Bucket = iota
	// Created orders the records of a namespace by the time of creation.
	Created
	// Users orders the records of a user by the time of creation.
	Users
	// Active orders the records of a namespace by the minute of activity.
	Active
	// Due orders all records by their due entry.
	Due
	// Overdue orders records that expire before they are due by that time.
	Overdue
	// Owners leads from an incarnation to its record.
	Owners
	// Log holds the messages.
	Log
	// IDs leads from the id of a message to its number.
	IDs
	// Entries holds small values.
	Entries
	// Feed holds the events.
	Feed
	// Counts holds the counters of each namespace.
	Counts
	// Marks holds what is left to Reclaim, and staged logs: see mark.go.
	Marks
	// Meta holds the version of the format and the clock.
	Meta
	// BucketCount is how many buckets there are.
	BucketCount
)

// BucketNames are the names of the buckets in the file.
var BucketNames = [BucketCount][]byte{
	[]byte("r"), []byte("c"), []byte("u"), []byte("a"), []byte("x"), []byte("o"), []byte("s"),
	[]byte("l"), []byte("i"), []byte("e"), []byte("f"), []byte("n"), []byte("g"), []byte("m"),
}

// Bucket m is so small that the engine keeps it in the page that each commit
// writes anyway. Its values are [checksum, number].
var (
	// FormatKey is the key in Meta of the version of the format.
	FormatKey = []byte("format")
	// ClockKey is the key in Meta of the largest View.Now that was committed.
	ClockKey = []byte("clock")
)

const (
	numberElements = 2
	// NumberSize is the length of the value that AppendNumber appends.
	NumberSize = envelopeSize + 9
)

// AppendNumber appends a value of Meta at key.
func AppendNumber(b, key []byte, n uint64) []byte {
	start := len(b)
	b = msgpack.AppendUint64(appendEnvelope(b, numberElements), n)
	seal(key, b[start:])
	return b
}

// ReadNumber reads a value of m; an absent one is 0.
func ReadNumber(key, v []byte) (uint64, error) {
	if v == nil {
		return 0, nil
	}
	w := openSealed(key, v, numberElements-1)
	n := w.Uint64()
	if !w.Done() {
		return 0, fmt.Errorf("%w: meta value %q", driver.ErrCorrupt, key)
	}
	return n, nil
}

// InitSchema makes the buckets of an empty file.
func InitSchema(tx *bolt.Tx) error {
	for _, name := range BucketNames {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return tx.Bucket(BucketNames[Meta]).Put(FormatKey, AppendNumber(nil, FormatKey, Version))
}

// CheckSchema returns driver.ErrFormat if the file is not a store or has a
// newer version, and driver.ErrCorrupt if a bucket is missing. The caller must
// upgrade an older file first.
func CheckSchema(tx *bolt.Tx) error {
	if _, err := readVersion(tx, Version); err != nil {
		return err
	}
	for _, name := range BucketNames {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("%w: bucket %q is missing", driver.ErrCorrupt, name)
		}
	}
	return nil
}

// readVersion returns the version of a store, which may be at most known.
func readVersion(tx *bolt.Tx, known uint64) (uint64, error) {
	meta := tx.Bucket(BucketNames[Meta])
	if meta == nil {
		return 0, fmt.Errorf("%w: not a store", driver.ErrFormat)
	}
	version, err := ReadNumber(FormatKey, meta.Get(FormatKey))
	if err != nil {
		return 0, err
	}
	if version == 0 || version > known {
		return 0, fmt.Errorf("%w: version %d, this program knows %d", driver.ErrFormat, version, known)
	}
	return version, nil
}

// ClockEntry is the value of driver.KindClock.
func ClockEntry(clock int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(clock)) }

// minElements is the least number of elements of a value, for the buckets whose
// values all have one form.
var minElements = [BucketCount]int{
	Records: recordElements,
	Log:     messageElements,
	IDs:     refElements,
	Entries: entryElements,
	Feed:    eventElements,
	Counts:  counterElements,
}

// HasElements reports whether v may be a value of the bucket, by the number of
// its elements.
func HasElements(b Bucket, v []byte) bool {
	return len(v) >= envelopeSize && int(binary.BigEndian.Uint16(v[1:])) >= minElements[b]
}
