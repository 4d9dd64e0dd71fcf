package boltdriver

import (
	"errors"
	"fmt"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// reclaimAll reclaims in small steps until nothing is left, checks the store
// between them, and returns the sum of all reports.
func reclaimAll(t *testing.T, d *Driver, now int64) (sum driver.Erased, values int) {
	t.Helper()
	for range 1000 {
		r, err := d.Reclaim(background, now, 20)
		if err != nil {
			t.Fatal(err)
		}
		values += r.Values
		if r.Values > 20+maxInline+8 {
			t.Errorf("%d values in one step", r.Values)
		}
		for _, e := range r.Erased {
			sum.Erasure = e.Erasure
			sum.Sessions += e.Sessions
			sum.Messages += e.Messages
			sum.Bytes += e.Bytes
			sum.Entries += e.Entries
		}
		sound(t, d)
		if !r.More {
			return sum, values
		}
	}
	t.Fatal("Reclaim comes to no end")
	return sum, values
}

// A log too long to be removed at once is invisible at once, in reads, to ops
// and in counts; Reclaim removes it, in steps.
func TestLongLogIsRemovedInSteps(t *testing.T) {
	d := openCore(t, Options{})
	r := session(1, "a", "mia")
	do(t, d, opOf(r.Key, withLog(r, 200)))
	entry := driver.Entry{
		EntryKey: driver.EntryKey{Namespace: 1, Kind: driver.KindSession | 1, Name: "s"}, Value: []byte("v"),
	}
	do(t, d, opOf(r.Key, driver.Change{Entries: []driver.Entry{entry}}))
	do(t, d, opOf(r.Key, driver.Change{Remove: true}))
	if ms := messages(t, d, r); len(ms) > 0 {
		t.Errorf("%d messages are still seen", len(ms))
	}
	es, err := d.Entries(background, driver.EntryQuery{
		Namespace: 1, Kind: driver.KindSession | 1, AllOwners: true, Limit: 9,
	})
	if err != nil || len(es) > 0 {
		t.Errorf("%d entries are still seen, %v", len(es), err)
	}
	if keysIn(t, d, format.Log) != 200 || keysIn(t, d, format.Marks) != 1 {
		t.Error("the log was not left to Reclaim")
	}
	sound(t, d)
	if _, values := reclaimAll(t, d, 0); values != 200+200+1+1 {
		t.Errorf("%d values were removed, want 402", values)
	}
	for _, in := range []format.Bucket{format.Log, format.IDs, format.Entries, format.Marks, format.Owners} {
		if n := keysIn(t, d, in); n != 0 {
			t.Errorf("bucket %s: %d keys are left", format.BucketNames[in], n)
		}
	}
}

// An incarnation that is put again before its old log was reclaimed starts
// empty.
func TestRebornBeforeReclaim(t *testing.T) {
	d := openCore(t, Options{})
	r := session(1, "a", "mia")
	c := withLog(r, 100)
	do(t, d, opOf(r.Key, c))
	do(t, d, opOf(r.Key, driver.Change{Remove: true}))
	again := *r
	again.NextSeq, again.Messages, again.Bytes = 1, 0, 4
	do(t, d, opOf(r.Key, withLog(&again, 2)))
	if ms := messages(t, d, &again); len(ms) != 2 {
		t.Errorf("%d messages, want 2", len(ms))
	}
	reclaimAll(t, d, 0)
	if ms := messages(t, d, &again); len(ms) != 2 {
		t.Errorf("%d messages after Reclaim, want 2", len(ms))
	}
}

// A dropped span is gone at once, however long: for reads in both directions,
// for ops, and for what is appended, replaced or dropped later.
func TestLongSpanIsDroppedInSteps(t *testing.T) {
	d := openCore(t, Options{})
	r := session(1, "a", "")
	do(t, d, opOf(r.Key, withLog(r, 300)))
	r.Messages, r.Bytes = 20, 4
	for seq := uint64(1); seq <= 300; seq++ {
		if seq <= 10 || seq > 290 {
			r.Bytes += uint64(len(fmt.Sprintf("message %d", seq)))
		}
	}
	do(t, d, opOf(r.Key, driver.Change{Put: r, Drop: []driver.Span{{From: 11, To: 290}}}))
	sound(t, d)
	checkHole(t, d, r)
	r2 := *r
	do(t, d, opOf(r.Key, withLog(&r2, 1)))
	if _, values := reclaimAll(t, d, 0); values != 280-maxInline+1 {
		t.Errorf("%d values were removed", values)
	}
	if n := len(messages(t, d, r)); n != 21 {
		t.Errorf("%d messages, want 21", n)
	}
}

func checkHole(t *testing.T, d *Driver, r *driver.Record) {
	t.Helper()
	up := messages(t, d, r)
	down, err := d.Messages(background, driver.LogQuery{
		Namespace: 1, Incarnation: r.Incarnation, Desc: true, Limit: 400,
	})
	if err != nil || len(up) != 20 || len(down) != 20 || up[9].Seq != 10 || up[10].Seq != 291 || down[9].Seq != 291 ||
		down[10].Seq != 10 {
		t.Errorf("%d messages up, %d down, %v", len(up), len(down), err)
	}
	var v driver.View
	target := driver.Target{
		Key: r.Key, Seqs: []uint64{10, 200, 291}, Span: driver.Span{From: 5, To: 295}, MessageIDs: []string{"m200"},
	}
	do(t, d, opPlan(target, func(seen driver.View) (driver.Change, error) {
		v = driver.View{
			Span: seen.Span, Messages: append(
				[]driver.Message(nil), seen.Messages...,
			), Refs: append([]driver.Ref(nil), seen.Refs...),
		}
		return driver.Change{}, nil
	}))
	if v.Span.Messages != 11 || v.Messages[0].Seq != 10 || v.Messages[1].Seq != 0 || v.Messages[2].Seq != 291 ||
		!v.Refs[0].Found {
		t.Errorf("an op sees %+v", v)
	}
	replace := opOf(r.Key, driver.Change{Replace: []driver.Message{{Seq: 200, Body: []byte("x")}}})
	if err := d.Mutate(background, replace); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("a dropped message was replaced: %v", err)
	}
}

// A feed is trimmed at once, however far.
func TestLongFeedIsTrimmedInSteps(t *testing.T) {
	d := openCore(t, Options{})
	var events []driver.Event
	for range 200 {
		events = append(events, driver.Event{Kind: 1})
	}
	k := driver.Key{Namespace: 1}
	do(t, d, opOf(k, driver.Change{Events: events}))
	do(t, d, opOf(k, driver.Change{TrimFeed: 150, Events: events[:1]}))
	f, err := d.Feed(background, driver.FeedQuery{Namespace: 1, After: 150, Limit: 100})
	if err != nil || len(f.Events) != 51 || f.Tail != 150 || f.Head != 201 || f.Events[0].Position != 151 {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := d.Feed(background, driver.FeedQuery{
		Namespace: 1, After: 149, Limit: 1,
	}); !errors.Is(err, driver.ErrLagged) {
		t.Errorf("%v, want ErrLagged", err)
	}
	sound(t, d)
	if _, values := reclaimAll(t, d, 0); values != 150-maxInline+1 || keysIn(t, d, format.Feed) != 51 {
		t.Errorf("%d values were removed, %d events are left", values, keysIn(t, d, format.Feed))
	}
}

// A staged log that no record takes is reclaimed once its time has come.
func TestStagedLogsEnd(t *testing.T) {
	d := openCore(t, Options{})
	k := driver.Key{Namespace: 1}
	for i := range 50 {
		inc := driver.Incarnation{1, byte(i)}
		do(t, d, opOf(k, driver.Change{Stage: inc, StageUntil: 100, Append: []driver.Message{{Seq: 1, ID: "x"}}}))
	}
	sound(t, d)
	if _, values := reclaimAll(t, d, 99); values != 0 {
		t.Errorf("%d values were removed before their time", values)
	}
	reclaimAll(t, d, 100)
	if n := keysIn(t, d, format.Log) + keysIn(t, d, format.IDs) + keysIn(t, d, format.Marks); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}
