package boltdriver

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck"
)

// commit1 commits one change to the session i, or to its namespace if there is
// none.
func commit1(t testing.TB, d *Driver, i int, plan func(driver.View) driver.Change) {
	t.Helper()
	op := &driver.Op{
		Target: driver.Target{Key: sampleKey(i)},
		Clock:  sampleClock,
		Plan: func(v driver.View) (driver.Change, error) {
			return plan(v), nil
		},
	}
	if err := d.Mutate(ctx, op); err != nil {
		t.Fatal(err)
	}
}

// grow appends n messages to session i.
func grow(t testing.TB, d *Driver, i, n int) {
	t.Helper()
	commit1(t, d, i, func(v driver.View) driver.Change {
		r := *v.Record
		var c driver.Change
		for range n {
			m := driver.Message{Seq: r.NextSeq, ID: fmt.Sprintf("g%d", r.NextSeq), Body: sampleBody(int(r.NextSeq))}
			c.Append = append(c.Append, m)
			r.NextSeq++
			r.Messages++
			r.Bytes += uint64(len(m.Body))
		}
		c.Put = &r
		return c
	})
}

// logged is how many messages session i's log shows.
func logged(t testing.TB, d *Driver, i int) int {
	t.Helper()
	r := sampleRecord(i)
	m, err := d.Messages(ctx, driver.LogQuery{Namespace: r.Namespace, Incarnation: r.Incarnation, Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return len(m)
}

// What waits for Reclaim is not carried over: dropped messages stay away, and a
// staged log stays staged.
func TestSalvageLogs(t *testing.T) {
	path := filled(t, 20)
	d, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	grow(t, d, 1, 500)
	commit1(t, d, 1, func(v driver.View) driver.Change {
		r := *v.Record
		r.Messages, r.Bytes = 3, r.Bytes-dropped(4, 503)
		return driver.Change{Put: &r, Drop: []driver.Span{{From: 4, To: 503}}}
	})
	staged := driver.Incarnation{9}
	op := &driver.Op{Target: driver.Target{
		Key: driver.Key{Namespace: 1},
	}, Clock: sampleClock, Plan: func(driver.View) (driver.Change, error) {
		return driver.Change{
			Stage: staged, StageUntil: 9_000_000, Append: []driver.Message{{Seq: 1, ID: "s", Body: []byte("b")}},
		}, nil
	}}
	if err := d.Mutate(ctx, op); err != nil {
		t.Fatal(err)
	}
	_ = d.Close()
	d, r := salvaged(t, path)
	if n := logged(t, d, 1); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
	if r.Messages.Lost != 0 {
		t.Errorf("%+v", r)
	}
	rec := sampleRecord(2)
	rec.ID, rec.Incarnation, rec.NextSeq, rec.Messages = "late", staged, 2, 1
	rec.Bytes = uint64(len(rec.Body)) + 1
	op = &driver.Op{
		Target: driver.Target{Key: rec.Key},
		Clock:  sampleClock,
		Plan: func(driver.View) (driver.Change, error) {
			return driver.Change{Put: rec}, nil
		},
	}
	if err := d.Mutate(ctx, op); err != nil {
		t.Fatal(err)
	}
	m, err := d.Messages(ctx, driver.LogQuery{Namespace: 1, Incarnation: staged, Limit: 10})
	if err != nil || len(m) != 1 {
		t.Errorf("the staged log: %d messages, %v", len(m), err)
	}
}

func dropped(from, to int) (n uint64) {
	for seq := from; seq <= to; seq++ {
		n += uint64(len(sampleBody(seq)))
	}
	return n
}

// Damaged messages and events are counted as lost; a feed tells its readers
// that they missed something.
func TestSalvageLosses(t *testing.T) {
	path := filled(t, 40)
	damage(t, path, func(b []byte) {
		flipIn(t, b, "l", 5)
		flipIn(t, b, "f", 5)
		flipIn(t, b, "e", 5)
	})
	d, r := salvaged(t, path)
	if r.Messages.Lost != 1 || r.Records.Lost != 0 || r.Events.Lost != 6 {
		t.Errorf("%+v", r)
	}
	f, err := d.Feed(ctx, driver.FeedQuery{Namespace: 1, After: 6, Limit: 100})
	if err != nil || f.Tail != 6 || f.Head != 20 || len(f.Events) != 14 {
		t.Errorf("feed %d to %d, %d events, %v", f.Tail, f.Head, len(f.Events), err)
	}
}

// flipIn damages the value of the n-th key that the tree leads to in a bucket.
func flipIn(t testing.TB, b []byte, bucket string, n int) (key string) {
	t.Helper()
	visit := func(v fsck.LeafValue) error {
		if v.Bucket != bucket {
			return nil
		}
		if n--; n == -1 {
			val, err := v.Read()
			if err != nil {
				return err
			}
			key = string(v.Key)
			at := bytes.Index(b, append(append([]byte{}, v.Key...), val...))
			b[at+len(v.Key)+len(val)-1] ^= 1
		}
		return nil
	}
	_, err := fsck.Walk(ctx, bytes.NewReader(b), int64(len(b)), fsck.Options{Visit: visit})
	if damaged := new(DamageError); err != nil && !errors.As(err, &damaged) || key == "" {
		t.Fatalf("bucket %q has no such key: %v", bucket, err)
	}
	return key
}

// Damage to the page of the records leaves their older versions, if any: they
// come back as uncertain, and only those that an index still knows.
func TestSalvageRecordPage(t *testing.T) {
	path := filled(t, 60)
	damage(t, path, func(b []byte) {
		page := uint64(0)
		visit := func(v fsck.LeafValue) error {
			if v.Bucket == "r" && page == 0 {
				page = v.Page
			}
			return nil
		}
		if _, err := fsck.Walk(ctx, bytes.NewReader(b), int64(len(b)), fsck.Options{Visit: visit}); err != nil {
			t.Fatal(err)
		}
		clear(b[page*format.PageSize : (page+1)*format.PageSize])
	})
	d, r := salvaged(t, path)
	if r.Records.Whole+r.Records.Uncertain+r.Records.Lost != 51 || r.Records.Whole == 51 {
		t.Errorf("%+v", r.Records)
	}
	if n := getAll(t, d, 60); uint64(n) != r.Records.Whole+r.Records.Uncertain {
		t.Errorf("%d records, report %+v", n, r.Records)
	}
}

// The words of a fate are for reports.
func TestFateString(t *testing.T) {
	if s := fmt.Sprint(Whole, Uncertain, Lost); s != "whole uncertain lost" {
		t.Error(s)
	}
	if s := fmt.Sprint(Problem{Page: 3, What: "x"}, Problem{
		Page: 3, Bucket: "r", What: "x",
	}); s != `page 3: x page 3, bucket "r": x` {
		t.Error(s)
	}
}

// Of several versions of a record on the pages, the newest one comes back, and
// a removed session's log does not.
func TestSalvageNewest(t *testing.T) {
	path := filled(t, 60)
	d, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		if i%7 != 0 {
			commit1(t, d, i, func(v driver.View) driver.Change {
				r := *v.Record
				r.Version += 1000
				return driver.Change{Put: &r}
			})
		}
	}
	grow(t, d, 1, 500)
	removeRecord(t, d, 1)
	_ = d.Close()
	for _, noMetas := range []bool{false, true} {
		if noMetas {
			damage(t, path, func(b []byte) { clear(b[:2*format.PageSize]) })
		}
		d, r := salvaged(t, path)
		for i := range 60 {
			var rec driver.Record
			err := d.Get(ctx, sampleKey(i), sampleClock(), &rec)
			if i%7 == 0 || i == 1 {
				if err == nil && !noMetas {
					t.Errorf("record %d is back", i)
				}
				continue
			}
			if err != nil || rec.Version != uint64(i+1001) {
				t.Errorf("record %d: version %d, %v", i, rec.Version, err)
			}
		}
		if !noMetas && r.Messages != (Salvaged{Whole: 150}) {
			t.Errorf("%+v", r)
		}
	}
}
