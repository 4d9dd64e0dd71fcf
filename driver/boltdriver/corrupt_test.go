package boltdriver

import (
	"bytes"
	"errors"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

// flip changes a bit in the last byte of every value of a bucket of a closed
// file.
func flip(t *testing.T, path string, in format.Bucket) {
	t.Helper()
	flipAt(t, path, in, -1)
}

// flipAt is flip of another byte; from the end if at is negative.
func flipAt(t *testing.T, path string, in format.Bucket, at int) {
	t.Helper()
	tamper(t, path, func(b *bolt.Bucket) error {
		var keys [][]byte
		if err := b.ForEach(func(k, _ []byte) error { keys = append(keys, bytes.Clone(k)); return nil }); err != nil {
			return err
		}
		for _, k := range keys {
			v := bytes.Clone(b.Get(k))
			v[(len(v)+at)%len(v)] ^= 4
			if err := b.Put(k, v); err != nil {
				return err
			}
		}
		return nil
	}, in)
}

// small is a closed store with one session of namespace 1 and what it owns.
func small(t *testing.T) (string, *driver.Record) {
	t.Helper()
	d := openCore(t, Options{})
	r := session(1, "a", "mia")
	r.Due, r.Expires = 10, 20
	c := withLog(r, 3)
	c.Events = []driver.Event{{Kind: 1}}
	c.Entries = []driver.Entry{
		{EntryKey: driver.EntryKey{Namespace: 1, Kind: driver.KindUser, Owner: "mia", Name: "n"}, Value: []byte("v")},
	}
	do(t, d, opOf(r.Key, c))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return d.file.Path, r
}

// Whatever value is damaged, every call that needs it says so, an op that meets
// it leaves no trace, and ops that do not meet it are done.
func TestDamagedValuesAreErrors(t *testing.T) {
	none := func(*Driver, *driver.Record) error { return driver.ErrCorrupt }
	get := func(d *Driver, r *driver.Record) error { return d.Get(background, r.Key, 0, new(driver.Record)) }
	list := func(d *Driver, r *driver.Record) error {
		_, err := d.List(background, driver.Query{Namespace: 1, Limit: 1})
		return err
	}
	logOf := func(d *Driver, r *driver.Record) error {
		_, err := d.Messages(background, driver.LogQuery{Namespace: 1, Incarnation: r.Incarnation, Limit: 1})
		return err
	}
	entries := func(d *Driver, r *driver.Record) error {
		_, err := d.Entries(background, driver.EntryQuery{Namespace: 1, Kind: driver.KindUser, Owner: "mia", Limit: 1})
		return err
	}
	feed := func(d *Driver, r *driver.Record) error {
		_, err := d.Feed(background, driver.FeedQuery{Namespace: 1, Limit: 1})
		return err
	}
	counted := func(d *Driver, r *driver.Record) error {
		_, err := d.Count(background, driver.Query{Namespace: 1})
		return err
	}
	owned := []driver.EntryKey{{Namespace: 1, Kind: driver.KindUser, Owner: "mia", Name: "n"}}
	for _, c := range []struct {
		in     format.Bucket
		reads  []func(*Driver, *driver.Record) error
		target driver.Target
	}{
		{format.Records, []func(*Driver, *driver.Record) error{get, list}, driver.Target{}},
		{format.Log, []func(*Driver, *driver.Record) error{logOf}, driver.Target{Seqs: []uint64{1}}},
		{format.Log, []func(*Driver, *driver.Record) error{none}, driver.Target{Span: driver.Span{From: 1, To: 9}}},
		{format.IDs, []func(*Driver, *driver.Record) error{none}, driver.Target{MessageIDs: []string{"m1"}}},
		{format.Entries, []func(*Driver, *driver.Record) error{entries}, driver.Target{Entries: owned}},
		{format.Feed, []func(*Driver, *driver.Record) error{feed}, driver.Target{}},
		{format.Counts, []func(*Driver, *driver.Record) error{feed, counted}, driver.Target{}},
	} {
		path, r := small(t)
		flip(t, path, c.in)
		d := opened(t, path, Options{})
		for i, read := range c.reads {
			if err := read(d, r); !errors.Is(err, driver.ErrCorrupt) {
				t.Errorf("bucket %s, read %d: %v, want ErrCorrupt", format.BucketNames[c.in], i, err)
			}
		}
		c.target.Key = r.Key
		op := opPlan(c.target, func(driver.View) (driver.Change, error) { return driver.Change{Remove: true}, nil })
		other := opOf(driver.Key{Namespace: 2, ID: "b"}, driver.Change{Put: session(2, "b", "")})
		_ = d.Mutate(background, op, other)
		if c.in != format.Feed && !errors.Is(op.Err, driver.ErrCorrupt) {
			t.Errorf("bucket %s: the op's outcome is %v", format.BucketNames[c.in], op.Err)
		}
		if other.Err != nil || !exists(t, d, other.Target.Key) {
			t.Errorf("bucket %s: another op failed: %v", format.BucketNames[c.in], other.Err)
		}
	}
}

// A list is ended by damage in the bodies of the records that it selects, and
// not of others. Which it selects it takes from no damaged header.
func TestListsPassOverDamagedBodies(t *testing.T) {
	path, r := small(t)
	flip(t, path, format.Records)
	d := opened(t, path, Options{})
	path, _ = small(t)
	const epochEnd = 114 // see format.AppendRecord
	flipAt(t, path, format.Records, epochEnd-1)
	header := opened(t, path, Options{})
	for name, c := range map[string]struct {
		q    driver.Query
		want error
	}{
		"live":         {driver.Query{}, driver.ErrCorrupt},
		"of its user":  {driver.Query{UserID: "mia"}, driver.ErrCorrupt},
		"by activity":  {driver.Query{Order: driver.ByActivity}, driver.ErrCorrupt},
		"expired":      {driver.Query{Now: r.Expires}, nil},
		"of a status":  {driver.Query{Statuses: 1 << (r.Status + 1)}, nil},
		"of a time":    {driver.Query{ActiveFrom: (r.ActiveMinute + 1) * minute}, nil},
		"with a label": {driver.Query{Labels: []driver.Label{{Name: "none", Value: "none"}}}, nil},
	} {
		c.q.Namespace, c.q.Limit = 1, 1
		if p, err := d.List(background, c.q); !errors.Is(err, c.want) || len(p.Records) != 0 {
			t.Errorf("%s: %d records, %v, want %v", name, len(p.Records), err, c.want)
		}
		if _, err := header.List(background, c.q); !errors.Is(err, driver.ErrCorrupt) {
			t.Errorf("%s, with a damaged header: %v", name, err)
		}
	}
}

// An index that names a record which is not there, or is elsewhere, is damage
// and not an empty answer.
func TestDanglingIndexIsAnError(t *testing.T) {
	for _, in := range []format.Bucket{format.Created, format.Users, format.Active, format.Due, format.Owners} {
		path, r := small(t)
		tamper(t, path, func(b *bolt.Bucket) error {
			return b.Delete(format.AppendRecordKey(nil, 1, r.ID))
		}, format.Records)
		d := opened(t, path, Options{SkipVerify: true})
		var err error
		switch in {
		case format.Created:
			_, err = d.List(background, driver.Query{Namespace: 1, Limit: 1})
		case format.Users:
			_, err = d.List(background, driver.Query{Namespace: 1, UserID: "mia", Order: driver.ByActivity, Limit: 1})
		case format.Active:
			_, err = d.List(background, driver.Query{Namespace: 1, Order: driver.ByActivity, Limit: 1})
		case format.Due:
			_, err = d.Count(background, driver.Query{Namespace: 1, Now: 15})
		case format.Owners:
			do(t, d, opOf(driver.Key{Namespace: 1}, driver.Change{Erase: &driver.Erasure{Namespace: 1, UserID: "mia"}}))
			_, err = d.Messages(background, driver.LogQuery{Namespace: 1, Incarnation: r.Incarnation, Limit: 1})
		}
		if !errors.Is(err, driver.ErrCorrupt) {
			t.Errorf("index %s: %v, want ErrCorrupt", format.BucketNames[in], err)
		}
	}
}

// A record that lies elsewhere than its index entry says is damage.
func TestMisfiledIndexIsAnError(t *testing.T) {
	path, r := small(t)
	tamper(t, path, func(b *bolt.Bucket) error {
		return b.Put(format.AppendTimedKey(nil, 1, 77, r.ID), nil)
	}, format.Created)
	d := opened(t, path, Options{SkipVerify: true})
	if _, err := d.List(background, driver.Query{Namespace: 1, Limit: 9}); !errors.Is(err, driver.ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
}

// Reclaim that meets damage changes nothing and says so.
func TestReclaimMeetsDamage(t *testing.T) {
	path, _ := small(t)
	d := opened(t, path, Options{})
	do(t, d, opOf(driver.Key{Namespace: 1}, driver.Change{Erase: &driver.Erasure{Namespace: 1, UserID: "mia"}}))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	tamper(t, path, func(b *bolt.Bucket) error {
		return b.Delete([]byte("\x00\x00\x00\x00\x00\x00\x00\x01a"))
	}, format.Records)
	d = opened(t, path, Options{SkipVerify: true})
	keys := keysIn(t, d, format.Users)
	if r, err := d.Reclaim(background, 0, 100); !errors.Is(err, driver.ErrCorrupt) || r.Values != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if keysIn(t, d, format.Users) != keys {
		t.Error("Reclaim left a trace")
	}
	do(t, d, opOf(driver.Key{Namespace: 2, ID: "b"}, driver.Change{Put: session(2, "b", "")}))
}

// A file of a newer format, or of another program, is refused.
func TestFormatIsChecked(t *testing.T) {
	newer, _ := small(t)
	tamper(t, newer, func(b *bolt.Bucket) error {
		return b.Put(format.FormatKey, format.AppendNumber(nil, format.FormatKey, format.Version+1))
	}, format.Meta)
	older, _ := small(t)
	tamper(t, older, func(b *bolt.Bucket) error { return b.Delete(format.FormatKey) }, format.Meta)
	for _, path := range []string{newer, older} {
		if d, err := Open(path, Options{}); !errors.Is(err, driver.ErrFormat) {
			t.Errorf("%v, want ErrFormat", err)
			_ = d.Close()
		}
	}
	lost, _ := small(t)
	db, err := bolt.Open(lost, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bolt.Tx) error {
		return tx.DeleteBucket(format.BucketNames[format.Feed])
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(lost, Options{}); !errors.Is(err, driver.ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
}

// A log in use cannot be staged, and a staged one only grows at its end.
func TestStageRefuses(t *testing.T) {
	d := openCore(t, Options{})
	r := session(1, "a", "")
	do(t, d, opOf(r.Key, driver.Change{Put: r}))
	k := driver.Key{Namespace: 1}
	msg := func(seq uint64) []driver.Message { return []driver.Message{{Seq: seq, ID: "x"}} }
	inUse := opOf(k, driver.Change{Stage: r.Incarnation, Append: msg(1)})
	if err := d.Mutate(background, inUse); !errors.Is(err, driver.ErrInvalid) {
		t.Errorf("%v, want ErrInvalid", err)
	}
	do(t, d, opOf(k, driver.Change{Stage: driver.Incarnation{9}, Append: msg(5)}))
	again := opOf(k, driver.Change{Stage: driver.Incarnation{9}, Append: msg(5)})
	if err := d.Mutate(background, again); !errors.Is(err, driver.ErrInvalid) {
		t.Errorf("%v, want ErrInvalid", err)
	}
	sound(t, d)
}

// A feed whose counters are gone, or one of its events, is damage, and not one
// in which less happened.
func TestFeedCutShortIsAnError(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, path string){
		"counters": func(t *testing.T, path string) { loseKey(t, path, format.Counts, format.AppendU64Key(nil, 1)) },
		"first event": func(t *testing.T, path string) {
			loseKey(t, path, format.Feed, format.AppendFeedKey(nil, 1, 1))
		},
		"an event": func(t *testing.T, path string) {
			loseKey(t, path, format.Feed, format.AppendFeedKey(nil, 1, 2))
		},
		"last event": func(t *testing.T, path string) {
			loseKey(t, path, format.Feed, format.AppendFeedKey(nil, 1, 3))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := openCore(t, Options{})
			r := session(1, "a", "mia")
			do(t, d, opOf(r.Key, driver.Change{Put: r, Events: []driver.Event{{Kind: 1}, {Kind: 2}, {Kind: 2}}}))
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			lose(t, d.file.Path)
			d = opened(t, d.file.Path, Options{})
			if f, err := d.Feed(
				background, driver.FeedQuery{Namespace: 1, Limit: 10},
			); !errors.Is(err, driver.ErrCorrupt) {
				t.Errorf("%+v, %v, want ErrCorrupt", f, err)
			}
			if f, err := d.Feed(background, driver.FeedQuery{Namespace: 2, Limit: 10}); err != nil || f.Head != 0 {
				t.Errorf("a namespace in which nothing happened: %+v, %v", f, err)
			}
		})
	}
}

func loseKey(t *testing.T, path string, in format.Bucket, key []byte) {
	t.Helper()
	tamper(t, path, func(b *bolt.Bucket) error {
		if b.Get(key) == nil {
			t.Error("the key is not there")
		}
		return b.Delete(key)
	}, in)
}
