package boltdriver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// populate stores n sessions of 3 users with all kinds of times, and removes
// some of them again.
func populate(t testing.TB, d *Driver, n int) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	var ops []*driver.Op
	for i := range n {
		r := session(1, fmt.Sprintf("%03d", i), fmt.Sprint("user", i%3))
		r.Created, r.ActiveMinute = rnd.Int64N(20), rnd.Int64N(20)
		r.Status, r.Labels = uint8(i%5), []driver.Label{{Name: "n", Value: fmt.Sprint(i % 4)}}
		r.Expires = 50 + rnd.Int64N(100)
		r.Due = []int64{driver.Never, r.Expires, 10, r.Expires + 20}[i%4]
		ops = append(ops, opOf(r.Key, driver.Change{Put: r}))
		if i%7 == 0 {
			ops = append(ops, opOf(r.Key, driver.Change{Remove: true}))
		}
	}
	for part := range slices.Chunk(ops, driver.MaxOps) {
		do(t, d, part...)
	}
}

// queries are combinations of filters and orders.
func queries() (qs []driver.Query) {
	for i := range 64 {
		q := driver.Query{Namespace: 1, Now: 90, Limit: 7, Desc: i&1 != 0}
		if i&2 != 0 {
			q.Order = driver.ByActivity
		}
		if i&4 != 0 {
			q.UserID = "user1"
		}
		if i&8 != 0 {
			q.CreatedFrom, q.CreatedTo = 3, 15
		}
		if i&16 != 0 {
			q.ActiveFrom, q.ActiveTo = 4*minute+1, 16*minute
		}
		if i&32 != 0 {
			q.Statuses, q.Labels = 0b0110, []driver.Label{{Name: "n", Value: "1"}}
		}
		qs = append(qs, q)
	}
	return qs
}

// pages lists a query to its end.
func pages(t testing.TB, d *Driver, q driver.Query) (all []driver.Record) {
	t.Helper()
	for range 10_000 {
		p, err := d.List(background, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Records) > q.Limit || q.Scan > 0 && p.Scanned > q.Scan {
			t.Fatalf("%d records, %d scanned for %+v", len(p.Records), p.Scanned, q)
		}
		all = append(all, p.Records...)
		if p.Next == nil {
			return all
		}
		q.After = p.Next
	}
	t.Fatal("the list has no end")
	return nil
}

// Whatever plan answers a query, the pages hold each matching session once, in
// order, and Count counts them.
func TestListPlansAgree(t *testing.T) {
	d := openCore(t, Options{})
	populate(t, d, 200)
	everything := pages(t, d, driver.Query{Namespace: 1, Limit: 1000})
	for _, q := range queries() {
		want := matching(everything, &q)
		for _, scan := range []int{0, 3, 50} {
			q.Scan = scan
			if got := ids(pages(t, d, q)); !slices.Equal(got, want) {
				t.Errorf("%+v:\n got %v\nwant %v", q, got, want)
			}
		}
		if n := count(t, d, q); int(n) != len(want) {
			t.Errorf("%+v: counted %d, want %d", q, n, len(want))
		}
	}
}

func ids(rs []driver.Record) []string {
	names := make([]string, 0, len(rs))
	for _, r := range rs {
		names = append(names, r.ID)
	}
	return names
}

// matching is List as the documentation has it.
func matching(all []driver.Record, q *driver.Query) []string {
	place := func(r driver.Record) driver.Position {
		if q.Order == driver.ByActivity {
			return driver.Position{At: r.ActiveMinute, ID: r.ID}
		}
		return driver.Position{At: r.Created, ID: r.ID}
	}
	rs := slices.DeleteFunc(slices.Clone(all), func(r driver.Record) bool {
		return r.Expires <= q.Now || q.UserID != "" && r.UserID != q.UserID ||
			q.Statuses != 0 && q.Statuses&(1<<r.Status) == 0 ||
			len(q.Labels) > 0 && r.Labels[0] != q.Labels[0] ||
			q.CreatedFrom != 0 && (r.Created < q.CreatedFrom || r.Created >= q.CreatedTo) ||
			q.ActiveFrom != 0 && (r.ActiveMinute < q.ActiveFrom/minute || r.ActiveMinute >= q.ActiveTo/minute)
	})
	slices.SortFunc(rs, func(a, b driver.Record) int { return comparePlaces(place(a), place(b), q.Desc) })
	return ids(rs)
}

// A page costs what it holds, whatever the size of the namespace, and a count
// without filters reads no session that is not due.
func TestReadsCostWhatTheyReturn(t *testing.T) {
	d := openCore(t, Options{CountReads: true})
	var ops []*driver.Op
	for i := range 500 {
		r := session(1, fmt.Sprintf("%03d", i), "mia")
		r.Created = int64(i)
		ops = append(ops, opOf(r.Key, driver.Change{Put: r}))
	}
	do(t, d, ops...)
	cost := func(read func()) uint64 {
		before := d.Stats()
		read()
		after := d.Stats()
		if after.PagesRead == before.PagesRead {
			t.Error("no page was counted")
		}
		return after.KeysRead - before.KeysRead
	}
	for _, q := range []driver.Query{{}, {Desc: true}, {UserID: "mia"}, {Order: driver.ByActivity, Desc: true}} {
		q.Namespace, q.Limit = 1, 10
		if n := cost(func() { _, _ = d.List(background, q) }); n > 25 {
			t.Errorf("%+v visits %d keys for 10 records", q, n)
		}
	}
	if n := cost(func() { _, _ = d.Count(background, driver.Query{Namespace: 1, Now: 5}) }); n > 5 {
		t.Errorf("a count visits %d keys", n)
	}
}

// A long read looks at its context.
func TestLongReadsEndWithTheirContext(t *testing.T) {
	d := openCore(t, Options{})
	var ops []*driver.Op
	r := session(1, "long", "mia")
	for i := range 400 {
		s := session(1, fmt.Sprint(i), "mia")
		s.Due = 5
		ops = append(ops, opOf(s.Key, driver.Change{Put: s}))
	}
	do(t, d, ops...)
	do(t, d, opOf(r.Key, withLog(r, 400)))
	for name, read := range map[string]func(context.Context) error{
		"list": func(ctx context.Context) error {
			_, err := d.List(ctx, driver.Query{Namespace: 1, Labels: []driver.Label{{Name: "x"}}, Limit: 1})
			return err
		},
		"activity": func(ctx context.Context) error {
			_, err := d.List(ctx, driver.Query{Namespace: 1, UserID: "mia", Order: driver.ByActivity, Limit: 1})
			return err
		},
		"count": func(ctx context.Context) error {
			_, err := d.Count(ctx, driver.Query{Namespace: 1, UserID: "mia"})
			return err
		},
		"messages": func(ctx context.Context) error {
			_, err := d.Messages(ctx, driver.LogQuery{Namespace: 1, Incarnation: r.Incarnation, Limit: 1000})
			return err
		},
		"due": func(ctx context.Context) error {
			_, err := d.Due(ctx, driver.DueQuery{Now: 10, Limit: 1000})
			return err
		},
		"check": func(ctx context.Context) error {
			_, err := d.Check(ctx, 1, driver.Visitor{})
			return err
		},
	} {
		if err := read(&lateContext{Context: background}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
		if err := read(background); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// lateContext ends after the call has begun.
type lateContext struct {
	context.Context
	asked int
}

func (c *lateContext) Err() error {
	if c.asked++; c.asked > 1 {
		return context.Canceled
	}
	return nil
}
