package boltdriver

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

// furnished is a closed store with something in every bucket.
func furnished(t *testing.T) (path string) {
	t.Helper()
	d := openCore(t, Options{})
	erasable(t, d, 1)
	r := session(2, "a", "mia")
	r.Due, r.Expires = 100, 50
	c := withLog(r, 100)
	c.Entries = []driver.Entry{
		{EntryKey: driver.EntryKey{Namespace: 2, Kind: driver.KindSession | 1, Name: "s"}, Value: []byte("v")},
	}
	c.Events = make([]driver.Event, 100)
	do(t, d, opOf(r.Key, c))
	kept := *r
	kept.Messages, kept.Bytes = 0, 4
	do(t, d, opOf(r.Key, driver.Change{Put: &kept, Drop: []driver.Span{{From: 1, To: 1000}}, TrimFeed: 90}))
	long := session(2, "b", "mia")
	do(t, d, opOf(long.Key, withLog(long, 100)))
	do(t, d, opOf(long.Key, driver.Change{Remove: true}))
	k := driver.Key{Namespace: 2}
	do(t, d, opOf(k, driver.Change{Stage: driver.Incarnation{7}, Append: []driver.Message{{Seq: 1, ID: "x"}}}))
	do(t, d, opOf(k, driver.Change{Erase: &driver.Erasure{Namespace: 2, UserID: "bob"}}))
	do(t, d, opOf(driver.Key{Namespace: 3}, driver.Change{Erase: &driver.Erasure{Namespace: 3}}))
	sound(t, d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return d.file.Path
}

// tamper changes a closed file with the engine alone.
func tamper(t *testing.T, path string, fn func(b *bolt.Bucket) error, in format.Bucket) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(func(tx *bolt.Tx) error { return fn(tx.Bucket(format.BucketNames[in])) }); err != nil {
		t.Fatal(err)
	}
}

// findings opens the file and returns what Check finds.
func findings(t *testing.T, path string, limit int) []driver.Finding {
	t.Helper()
	d := opened(t, path, Options{SkipVerify: true})
	defer d.Close()
	c, err := d.Check(background, limit, driver.Visitor{})
	if err != nil {
		t.Fatal(err)
	}
	return c.Findings
}

// Whatever key of whatever bucket is lost, added or changed, Check finds it.
func TestCheckFindsEveryKindOfDamage(t *testing.T) {
	for in := range format.Bucket(format.BucketCount) {
		name := string(format.BucketNames[in])
		if in == format.Meta || in == format.IDs {
			continue // losing these is not an inconsistency; see below
		}
		t.Run("lost/"+name, func(t *testing.T) {
			if in == format.Entries {
				t.Skip("nothing says which entries there are")
			}
			path := furnished(t)
			tamper(t, path, func(b *bolt.Bucket) error {
				k, _ := b.Cursor().First()
				return b.Delete(bytes.Clone(k))
			}, in)
			if len(findings(t, path, 10)) == 0 {
				t.Error("not found")
			}
		})
		t.Run("added/"+name, func(t *testing.T) {
			path := furnished(t)
			tamper(t, path, func(b *bolt.Bucket) error { return b.Put([]byte("zz"), []byte("?")) }, in)
			if len(findings(t, path, 10)) == 0 {
				t.Error("not found")
			}
		})
	}
}

// A value whose checksum does not hold is a finding in every bucket that has
// values.
func TestCheckFindsFlippedValues(t *testing.T) {
	for _, in := range []format.Bucket{
		format.Records, format.Log, format.IDs, format.Entries, format.Feed, format.Counts, format.Marks, format.Meta,
	} {
		path := furnished(t)
		tamper(t, path, func(b *bolt.Bucket) error {
			k, v := b.Cursor().Last()
			v = bytes.Clone(v)
			v[format.BareSize-1] ^= 1
			return b.Put(bytes.Clone(k), v)
		}, in)
		d, err := Open(path, Options{})
		if err != nil {
			if !errors.Is(err, driver.ErrCorrupt) {
				t.Errorf("%s: %v", format.BucketNames[in], err)
			}
			continue
		}
		c, err := d.Check(background, 10, driver.Visitor{})
		if len(c.Findings) == 0 || err != nil {
			t.Errorf("%s: not found, %v", format.BucketNames[in], err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A record that says the wrong number of messages is a finding, and so are
// counters that then disagree.
func TestCheckRecounts(t *testing.T) {
	d := openCore(t, Options{})
	r := session(1, "a", "")
	do(t, d, opOf(r.Key, withLog(r, 3)))
	r.Messages++
	do(t, d, opOf(r.Key, driver.Change{Put: r}))
	c, err := d.Check(background, 10, driver.Visitor{})
	if err != nil || len(c.Findings) != 1 {
		t.Errorf("%+v, %v", c.Findings, err)
	}
}

// Check hands everything that is not erased to the visitor, whose errors are
// findings, and stops at the limit.
func TestCheckVisits(t *testing.T) {
	path := furnished(t)
	d := opened(t, path, Options{})
	var records, messages, entries int
	c, err := d.Check(background, 1000, driver.Visitor{
		Record:  func(*driver.Record) error { records++; return nil },
		Message: func(driver.Key, *driver.Message) error { messages++; return errors.New("bad") },
		Entry:   func(*driver.Entry) error { entries++; return nil },
	})
	if err != nil || records != 61 || entries != 121 || messages != len(c.Findings) || messages != 58*2+2*100 {
		t.Errorf(
			"%d records, %d messages, %d entries, %d findings, %v", records, messages, entries, len(c.Findings), err,
		)
	}
	if c.Records != 61 || c.Entries != 121 || c.Events != 70 || c.IndexEntries == 0 {
		t.Errorf("%+v", c)
	}
	few, err := d.Check(background, 3, driver.Visitor{Record: func(r *driver.Record) error {
		return fmt.Errorf("no %s", r.ID)
	}})
	if err != nil || len(few.Findings) != 3 {
		t.Errorf("%d findings, want 3, %v", len(few.Findings), err)
	}
}
