package boltdriver

import (
	"fmt"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// erasable fills a namespace with sessions of mia and bob, one of mia's with a
// long log, and entries.
func erasable(t *testing.T, d *Driver, ns uint64) (mia []*driver.Record) {
	t.Helper()
	var ops []*driver.Op
	for i := range 30 {
		for _, user := range []string{"mia", "bob"} {
			r := session(ns, fmt.Sprint(user, i), user)
			n := 2
			if i == 7 {
				n = 100
			}
			c := withLog(r, n)
			c.Entries = []driver.Entry{
				{EntryKey: driver.EntryKey{Namespace: ns, Kind: driver.KindSession | 1, Name: "s"}, Value: []byte("v")},
				{
					EntryKey: driver.EntryKey{
						Namespace: ns, Kind: driver.KindUser | 1, Owner: user, Name: fmt.Sprint(i),
					}, Value: []byte("v"),
				},
			}
			c.Events = []driver.Event{{ID: r.ID, Kind: 1}}
			ops = append(ops, opOf(r.Key, c))
			if user == "mia" {
				mia = append(mia, r)
			}
		}
	}
	do(t, d, ops...)
	return mia
}

func count(t testing.TB, d *Driver, q driver.Query) (sessions uint64) {
	t.Helper()
	u, err := d.Count(background, q)
	if err != nil {
		t.Fatal(err)
	}
	return u.Total()
}

// An erased user is gone at once, and exactly that user; counts stay exact
// while Reclaim goes on, in small steps and over a reopening.
func TestEraseUser(t *testing.T) {
	d := openCore(t, Options{})
	mia := erasable(t, d, 1)
	do(t, d, opOf(driver.Key{Namespace: 1}, driver.Change{Erase: &driver.Erasure{Namespace: 1, UserID: "mia"}}))
	back := session(1, "mia3", "mia")
	do(t, d, opOf(back.Key, withLog(back, 1)))
	check := func() {
		t.Helper()
		if n := count(t, d, driver.Query{Namespace: 1}); n != 31 {
			t.Errorf("%d sessions are counted, want 31", n)
		}
		if n := count(t, d, driver.Query{Namespace: 1, UserID: "mia"}); n != 1 {
			t.Errorf("%d sessions of mia, want 1", n)
		}
		if len(messages(t, d, mia[7])) > 0 || len(messages(t, d, back)) != 1 || exists(t, d, mia[0].Key) {
			t.Error("what is erased is seen, or what is not is not")
		}
	}
	check()
	sound(t, d)
	first, err := d.Reclaim(background, 0, 30)
	if err != nil || !first.More {
		t.Fatalf("%+v, %v", first, err)
	}
	check()
	path := d.file.Path
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = opened(t, path, Options{})
	check()
	sum, _ := reclaimAll(t, d, 0)
	check()
	for _, e := range first.Erased {
		sum.Sessions += e.Sessions
		sum.Messages += e.Messages
		sum.Entries += e.Entries
	}
	if sum.UserID != "mia" || sum.Sessions != 30 || sum.Messages != 29*2+100 || sum.Entries != 60 {
		t.Errorf("reported: %+v", sum)
	}
	if n := keysIn(t, d, format.Marks); n != 0 {
		t.Errorf("%d marks are left", n)
	}
}

// An erased namespace starts anew at once, feed and all.
func TestEraseNamespace(t *testing.T) {
	d := openCore(t, Options{})
	erasable(t, d, 1)
	erasable(t, d, 2)
	k := driver.Key{Namespace: 1}
	do(t, d, opOf(k, driver.Change{Erase: &driver.Erasure{Namespace: 1, UserID: "bob"}}))
	staged := driver.Incarnation{0xff}
	stage := driver.Change{
		Stage: staged, StageUntil: 1 << 40, Append: []driver.Message{{Seq: 1, ID: "x", Body: []byte("old")}},
	}
	do(t, d, opOf(k, stage))
	do(t, d, opOf(k, driver.Change{Erase: &driver.Erasure{Namespace: 1}}))
	back := session(1, "mia3", "mia")
	back.Incarnation = staged
	c := withLog(back, 1)
	c.Events = []driver.Event{{ID: "mia3", Kind: 9}}
	do(t, d, opOf(back.Key, c))
	check := func() {
		t.Helper()
		f, err := d.Feed(background, driver.FeedQuery{Namespace: 1, Limit: 9})
		if err != nil || len(f.Events) != 1 || f.Events[0].Kind != 9 || f.Head != 1 {
			t.Errorf("feed %+v, %v", f, err)
		}
		if a, b := count(t, d, driver.Query{Namespace: 1}), count(t, d, driver.Query{Namespace: 2}); a != 1 || b != 60 {
			t.Errorf("%d and %d sessions, want 1 and 60", a, b)
		}
		if ms := messages(t, d, back); len(ms) != 1 || string(ms[0].Body) == "old" {
			t.Errorf("log %+v", ms)
		}
	}
	check()
	sound(t, d)
	sum, _ := reclaimAll(t, d, 0)
	check()
	if sum.UserID != "" || sum.Sessions != 60 || sum.Entries != 120 {
		t.Errorf("reported: %+v", sum)
	}
	if n := keysIn(t, d, format.Feed); n != 1+60 {
		t.Errorf("%d events are left, want 61", n)
	}
}
