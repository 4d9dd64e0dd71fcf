package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/postgres"
)

// blocked locks the row of the clock until release is called. A change that
// must write that row does everything else and then waits, before its commit.
func blocked(t *testing.T, dsn, schema string) (release func()) {
	t.Helper()
	tx, err := schemas.Admin(t, dsn).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sql := "select 1 from " + schema + ".entries where namespace = 0 and kind = $1 for update"
	if tag, err := tx.Exec(t.Context(), sql, int16(driver.KindClock)); err != nil || tag.RowsAffected() != 1 {
		t.Fatalf("%d clocks, error %v", tag.RowsAffected(), err)
	}
	return func() {
		if err := tx.Rollback(context.Background()); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
			t.Error(err)
		}
	}
}

// untilBlocked returns once a statement of the schema waits for a lock.
func untilBlocked(t *testing.T, dsn, schema string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for waiting := false; !waiting; {
		err := schemas.Admin(t, dsn).QueryRow(ctx, `select exists (select 1 from pg_stat_activity
			where wait_event_type = 'Lock' and strpos(query, $1) > 0)`, schema).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// making returns an op that creates a session, with an event.
func making(id string, now int64, usage bool) *driver.Op {
	r := &driver.Record{
		Key: driver.Key{Namespace: 1, ID: id}, NextSeq: 1, Version: 1, Due: driver.Never, Expires: driver.Never,
		Body: []byte("content"), Bytes: 7,
	}
	copy(r.Incarnation[:], "incarnation "+id)
	return &driver.Op{
		Target: driver.Target{Key: r.Key, Usage: usage},
		Clock:  func() int64 { return now },
		Plan: func(driver.View) (driver.Change, error) {
			return driver.Change{Put: r, Events: []driver.Event{{ID: id}}}, nil
		},
	}
}

// feedIs checks that the feed of namespace 1 has one event for each of these
// sessions, in this order, and no others.
func feedIs(t *testing.T, d driver.Driver, ids ...string) {
	t.Helper()
	f, err := d.Feed(t.Context(), driver.FeedQuery{Namespace: 1, Limit: 100})
	if err != nil || len(f.Events) != len(ids) || f.Head != uint64(len(ids)) {
		t.Fatalf("%d events up to %d, want %v, error %v", len(f.Events), f.Head, ids, err)
	}
	for i, e := range f.Events {
		if e.ID != ids[i] || e.Position != uint64(i+1) {
			t.Errorf("event %d is %+v, want one of %s", i+1, e, ids[i])
		}
	}
}

// TestWritersDoNotWait proves that a blocked change delays no other change of
// its namespace, even if the other reads the counters, and delays no reader of
// the feed. A later commit gets a later number, which no reader has seen yet.
func TestWritersDoNotWait(t *testing.T) {
	dsn := database(t)
	name := schemas.Get(t, dsn, 0)
	d := open(t, dsn, postgres.Options{Schema: name})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := d.Mutate(ctx, making("first", 1, false)); err != nil {
		t.Fatal(err)
	}
	release := blocked(t, dsn, name)
	defer release()
	slow := make(chan error, 1)
	go func() { slow <- d.Mutate(ctx, making("slow", 10_000, false)) }()
	untilBlocked(t, dsn, name)
	for _, op := range []*driver.Op{making("quick", 1, false), making("limited", 1, true)} {
		if err := d.Mutate(ctx, op); err != nil {
			t.Fatal(err)
		}
	}
	feedIs(t, d, "first", "quick", "limited")
	if u, err := d.Count(ctx, driver.Query{Namespace: 1, Now: 1}); err != nil || u.Sessions[0] != 3 || u.Bytes != 21 {
		t.Errorf("counted %+v, error %v", u, err)
	}
	release()
	if err := <-slow; err != nil {
		t.Fatal(err)
	}
	feedIs(t, d, "first", "quick", "limited", "slow")
	if u, err := d.Count(ctx, driver.Query{Namespace: 1, Now: 1}); err != nil || u.Sessions[0] != 4 || u.Bytes != 28 {
		t.Errorf("counted %+v, error %v", u, err)
	}
	audit(t, d)
}

// TestPendingIsBounded proves that writers number most events even if nobody
// reads the feed. A read-only store sees these events with their final numbers.
func TestPendingIsBounded(t *testing.T) {
	dsn := database(t)
	o := postgres.Options{Schema: schemas.Get(t, dsn, 0)}
	d := open(t, dsn, o)
	const events, bound = 300, 100
	for i := range events {
		if err := d.Mutate(t.Context(), making(fmt.Sprint(i), 1, i%2 == 0)); err != nil {
			t.Fatal(err)
		}
	}
	o.ReadOnly = true
	seen, err := open(t, dsn, o).Feed(t.Context(), driver.FeedQuery{Namespace: 1, Limit: events})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen.Events) < events-bound || seen.Head != uint64(len(seen.Events)) {
		t.Errorf("%d of %d events have a number, the newest is %d", len(seen.Events), events, seen.Head)
	}
	all, err := d.Feed(t.Context(), driver.FeedQuery{Namespace: 1, Limit: events})
	if err != nil || len(all.Events) != events {
		t.Fatalf("%d events, error %v", len(all.Events), err)
	}
	for i, e := range all.Events {
		if e.ID != fmt.Sprint(i) || i < len(seen.Events) && seen.Events[i] != e {
			t.Errorf("event %d is %+v", i, e)
		}
	}
}

// TestFeedOrderUnread lets two drivers create and remove the same sessions, and
// reads the feed only afterwards. The events of each session must be in the
// order in which they happened, although they get their numbers in batches.
func TestFeedOrderUnread(t *testing.T) {
	dsn := database(t)
	o := postgres.Options{Schema: schemas.Get(t, dsn, 0)}
	drivers := []*postgres.Driver{open(t, dsn, o), open(t, dsn, o)}
	const created, removed = 1, 6
	var done sync.WaitGroup
	for i := range 8 {
		done.Add(1)
		go func() {
			defer done.Done()
			for n := range 25 {
				op := making(fmt.Sprint(i/4), int64(10-i), false)
				create := op.Plan
				op.Plan = func(v driver.View) (c driver.Change, err error) {
					if v.Record != nil {
						return driver.Change{Remove: true, Events: []driver.Event{{ID: v.Record.ID, Kind: removed}}},
							nil
					}
					c, err = create(v)
					c.Events[0].Kind, c.Put.Incarnation[15] = created, byte(i*25+n)
					return c, err
				}
				if err := drivers[i%2].Mutate(t.Context(), op); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	done.Wait()
	f, err := drivers[0].Feed(t.Context(), driver.FeedQuery{Namespace: 1, Limit: 1000})
	if err != nil || len(f.Events) != 200 {
		t.Fatalf("%d events, error %v", len(f.Events), err)
	}
	last := map[string]driver.EventKind{"0": removed, "1": removed}
	for _, e := range f.Events {
		if last[e.ID] == e.Kind {
			t.Errorf("event %d of session %s is of kind %d, as the one before", e.Position, e.ID, e.Kind)
		}
		last[e.ID] = e.Kind
	}
	audit(t, drivers[0])
}

// TestQuotaOfTwoStores proves that a quota holds for several processes at once.
func TestQuotaOfTwoStores(t *testing.T) {
	dsn := database(t)
	o := postgres.Options{Schema: schemas.Get(t, dsn, 0)}
	const limit = 20
	var made, refused [8]int
	var done sync.WaitGroup
	stores := []*seshat.Store{storeOn(t, dsn, o), storeOn(t, dsn, o)}
	for i := range made {
		n := seshat.Namespace{Name: "t", Quotas: seshat.NamespaceQuotas{MaxSessions: limit}}
		tenant, err := stores[i%2].EnsureTenant(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		done.Add(1)
		go func() {
			defer done.Done()
			for range limit / 4 {
				_, err := tenant.Create(t.Context(), seshat.NewSession{})
				switch {
				case err == nil:
					made[i]++
				case errors.Is(err, seshat.ErrQuota):
					refused[i]++
				default:
					t.Error(err)
				}
			}
		}()
	}
	done.Wait()
	sum, not := 0, 0
	for i := range made {
		sum, not = sum+made[i], not+refused[i]
	}
	if sum != limit || not != limit {
		t.Errorf("%d sessions were made and %d refused, want %d of each", sum, not, limit)
	}
}

// TestTotalsAreOfWhoErased proves that only the process that erased reports the
// totals, even if another process reclaims before it.
func TestTotalsAreOfWhoErased(t *testing.T) {
	dsn := database(t)
	o := postgres.Options{Schema: schemas.Get(t, dsn, 0)}
	here, other := open(t, dsn, o), open(t, dsn, o)
	if err := here.Mutate(t.Context(), making("a", 1, false), making("b", 1, false)); err != nil {
		t.Fatal(err)
	}
	all := driver.Erasure{Namespace: 1}
	erase := making("", 1, false)
	erase.Target, erase.Plan = driver.Target{}, func(driver.View) (driver.Change, error) {
		return driver.Change{Erase: &all}, nil
	}
	if err := here.Mutate(t.Context(), erase); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if r, err := other.Reclaim(t.Context(), 1, 100); err != nil || len(r.Erased) != 0 {
			t.Errorf("the other reported %+v, error %v", r.Erased, err)
		}
	}
	want := driver.Erased{Erasure: all, Sessions: 2, Bytes: 14}
	if r, err := here.Reclaim(t.Context(), 1, 100); err != nil || len(r.Erased) != 1 || r.Erased[0] != want {
		t.Errorf("reported %+v, error %v, want %+v", r.Erased, err, want)
	}
	if r, err := here.Reclaim(t.Context(), 1, 100); err != nil || len(r.Erased) != 0 {
		t.Errorf("reported again %+v, error %v", r.Erased, err)
	}
}

// TestDumpOfPending proves that a dump includes events that have no number yet,
// and gives them the same numbers as the feed.
func TestDumpOfPending(t *testing.T) {
	dsn := database(t)
	d := open(t, dsn, postgres.Options{Schema: schemas.Get(t, dsn, 0)})
	const events, trimmed = 150, 145
	for i := range events {
		op := making(fmt.Sprint(i), 1, false)
		plan := op.Plan
		op.Plan = func(v driver.View) (driver.Change, error) {
			c, err := plan(v)
			if i == events-1 {
				c.TrimFeed = trimmed
			}
			return c, err
		}
		if err := d.Mutate(t.Context(), op); err != nil {
			t.Fatal(err)
		}
	}
	var head, tail uint64
	var dumped []driver.Event
	err := d.Dump(t.Context(), nil, func(p *driver.Part) error {
		switch p.Kind {
		case driver.PartFeed:
			head, tail = p.Head, p.Tail
		case driver.PartEvent:
			dumped = append(dumped, p.Clone().Event)
		}
		return nil
	})
	if err != nil || head != events || tail != trimmed {
		t.Errorf("a feed of %d..%d, error %v", tail, head, err)
	}
	f, err := d.Feed(t.Context(), driver.FeedQuery{Namespace: 1, After: trimmed, Limit: events})
	if err != nil || f.Head != head || f.Tail != tail || !slices.Equal(f.Events, dumped) ||
		len(dumped) != events-trimmed {
		t.Errorf("the feed is %+v, error %v, dumped was %+v", f, err, dumped)
	}
}
