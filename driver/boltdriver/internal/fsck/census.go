package fsck

import (
	"hash/maphash"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// indexSums compares the indexes with the records while a walk passes by all of
// their keys, in whatever order: for each index it adds up hashes of the keys
// that the records should have there, and takes off those of the keys that are.
// A key that went bad where the order of keys stays as it is would else make
// lists short without a word.
type indexSums struct {
	seed   maphash.Seed
	sums   [len(format.IndexBuckets)]uint64
	places format.IndexKeys
	head   format.RecordHeader
}

func newCensus() *indexSums { return &indexSums{seed: maphash.MakeSeed()} }

// addKey notes a key of a bucket, whose value is v or begins with it.
func (c *indexSums) addKey(in string, k, v []byte) {
	if in == recordsName {
		c.record(k, v)
		return
	}
	for i, name := range indexNames {
		if in == name {
			c.sums[i] -= maphash.Bytes(c.seed, k)
			return
		}
	}
}

// record takes a record's places from a header that is not verified: what else
// is damaged there is for its readers to find.
func (c *indexSums) record(k, v []byte) {
	h := &c.head
	if len(k) < 9 || len(k) > 8+driver.MaxNameBytes || !format.ParseIndexed(v, h) {
		return
	}
	c.places.Build(k, h.Incarnation, format.UnsafeString(h.UserID), h.Created, h.ActiveMinute, h.Due, h.Expires)
	for i := range c.sums {
		if key := c.places.Key(i); len(key) > 0 {
			c.sums[i] += maphash.Bytes(c.seed, key)
		}
	}
}

// differing returns the indexes that are not as the records have it.
func (c *indexSums) differing() (names []string) {
	for i, sum := range c.sums {
		if sum != 0 {
			names = append(names, indexNames[i])
		}
	}
	return names
}

var (
	recordsName = string(format.BucketNames[format.Records])
	indexNames  = func() (names [len(format.IndexBuckets)]string) {
		for i, in := range format.IndexBuckets {
			names[i] = string(format.BucketNames[in])
		}
		return names
	}()
)
