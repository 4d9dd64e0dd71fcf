package salvage

import (
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// Of two uncertain values of one key the later one is kept: by incarnation,
// version and next number for records, by head or epoch for counters.
func TestIsNewer(t *testing.T) {
	key := format.AppendRecordKey(nil, 1, "a")
	record := func(inc byte, version, next uint64) []byte {
		r := driver.Record{Incarnation: driver.Incarnation{inc}, Version: version, NextSeq: next}
		return format.AppendRecord(nil, key, &r, 0)
	}
	ns := format.AppendU64Key(nil, 1)
	counters := func(head, epoch uint64) []byte {
		return format.AppendCounters(nil, ns, &format.Counters{Head: head, Epoch: epoch})
	}
	for name, c := range map[string]struct {
		in         format.Bucket
		key        []byte
		later, old []byte
	}{
		"a later incarnation": {format.Records, key, record(2, 1, 1), record(1, 9, 9)},
		"a later version":     {format.Records, key, record(1, 2, 1), record(1, 1, 9)},
		"a longer log":        {format.Records, key, record(1, 1, 2), record(1, 1, 1)},
		"a longer feed":       {format.Counts, ns, counters(2, 1), counters(1, 1)},
		"a later epoch":       {format.Counts, ns, counters(1, 2), counters(1, 1)},
	} {
		if !isNewer(c.in, c.key, c.later, c.old) {
			t.Errorf("%s is not newer", name)
		}
		if isNewer(c.in, c.key, c.old, c.later) || isNewer(c.in, c.key, c.old, c.old) {
			t.Errorf("%s: what is older, or the same, is newer", name)
		}
	}
}

// A value is taken for one of a bucket only if it is sound at its key there.
func TestPlausible(t *testing.T) {
	key := format.AppendRecordKey(nil, 1, "a")
	v := format.AppendRecord(nil, key, &driver.Record{}, 0)
	if !plausible(format.Records, key, v) {
		t.Error("a sound record is not taken for one")
	}
	for _, b := range []format.Bucket{
		format.Log, format.Entries, format.Feed, format.Counts, format.Meta, format.Marks,
	} {
		if plausible(b, key, v) {
			t.Errorf("a record is taken for a value of bucket %s", format.BucketNames[b])
		}
	}
	for i := range v {
		v[i] ^= 1
		if plausible(format.Records, key, v) {
			t.Errorf("a record with byte %d flipped is taken for one", i)
		}
		v[i] ^= 1
	}
}
