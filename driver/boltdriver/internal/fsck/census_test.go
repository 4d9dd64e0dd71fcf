package fsck

import (
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// A key or a value of any form is counted or left out.
func TestCensusOfJunk(t *testing.T) {
	c := newCensus()
	for _, k := range [][]byte{nil, {1}, make([]byte, 9), make([]byte, 8+driver.MaxNameBytes), make([]byte, MaxKey)} {
		for _, v := range [][]byte{nil, {1}, make([]byte, format.IndexedLen)} {
			for _, in := range format.BucketNames {
				c.addKey(string(in), k, v)
			}
		}
	}
	if n := len(c.differing()); n != len(format.IndexBuckets) {
		t.Errorf("%d indexes differ, want all", n)
	}
}
