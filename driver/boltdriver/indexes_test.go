package boltdriver

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

// Open refuses a file in which an index does not agree with the records, though
// its structure is sound: its lists would be short without a word. The file
// stays as it is, and opens where nothing is checked.
func TestOpenComparesIndexesWithRecords(t *testing.T) {
	lose := func(b *bolt.Bucket, k, _ []byte) error { return b.Delete(k) }
	add := func(b *bolt.Bucket, k, v []byte) error { return b.Put(append(k, 1), v) }
	move := func(b *bolt.Bucket, k, v []byte) error { return errors.Join(lose(b, k, nil), add(b, k, v)) }
	for _, in := range append([]format.Bucket{format.Records}, format.IndexBuckets[:]...) {
		for name, change := range map[string]func(b *bolt.Bucket, k, v []byte) error{
			"lost": lose, "added": add, "moved": move,
		} {
			t.Run(string(format.BucketNames[in])+" "+name, func(t *testing.T) {
				path := furnished(t)
				tamper(t, path, func(b *bolt.Bucket) error {
					k, v := b.Cursor().First()
					return change(b, bytes.Clone(k), bytes.Clone(v))
				}, in)
				before, _ := os.ReadFile(path)
				if _, err := Open(path, Options{}); !errors.Is(err, driver.ErrCorrupt) {
					t.Errorf("%v, want ErrCorrupt", err)
				}
				if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
					t.Error("the file was changed")
				}
				opened(t, path, Options{SkipVerify: true})
			})
		}
	}
}

// What is damaged in a value is no reason to refuse the file: its readers find
// it.
func TestOpenLeavesDamagedValuesToTheirReaders(t *testing.T) {
	path, r := small(t)
	flip(t, path, format.Records)
	d := opened(t, path, Options{})
	var got driver.Record
	if err := d.Get(background, r.Key, sampleClock(), &got); !errors.Is(err, driver.ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
}
