package postgres_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/postgres"
)

// reads are calls whose cost must not grow with the namespace.
var reads = map[string]func(t *testing.T, d *postgres.Driver) error{
	"get": func(t *testing.T, d *postgres.Driver) error {
		return d.Get(t.Context(), driver.Key{Namespace: 1, ID: crowdID(777)}, 1, new(driver.Record))
	},
	"a user":                     paged(driver.Query{UserID: "user 1"}),
	"a user, newest first":       paged(driver.Query{UserID: "user 1", Desc: true}),
	"a user, by activity":        paged(driver.Query{UserID: "user 1", Order: driver.ByActivity, Desc: true}),
	"the namespace":              paged(driver.Query{}),
	"the namespace, newest":      paged(driver.Query{Desc: true}),
	"the namespace, by activity": paged(driver.Query{Order: driver.ByActivity, Desc: true}),
	"count": func(t *testing.T, d *postgres.Driver) error {
		return second(d.Count(t.Context(), driver.Query{Namespace: 1, Now: 1}))
	},
}

func paged(q driver.Query) func(*testing.T, *postgres.Driver) error {
	q.Namespace, q.Now, q.Limit = 1, 1, 50
	return func(t *testing.T, d *postgres.Driver) error {
		p, err := d.List(t.Context(), q)
		if err == nil && len(p.Records) != q.Limit {
			err = fmt.Errorf("a page of %d", len(p.Records))
		}
		return err
	}
}

// TestReadsDoNotGrow proves that a read touches as many of the engine's pages
// in a large namespace as in a small one, but for a level more of an index.
func TestReadsDoNotGrow(t *testing.T) {
	small, large := crowd(t, 2000), crowd(t, scaled(20_000, 1_000_000))
	for name, read := range reads {
		a, b := small.pages(t, read), large.pages(t, read)
		t.Logf("%s: %d pages, in the large namespace %d", name, a, b)
		if a == 0 || b > a+4 {
			t.Errorf("%s: %d pages, in the large namespace %d", name, a, b)
		}
	}
}

// crowded is a driver with many sessions in a namespace, and what it says to
// the engine.
type crowded struct {
	*postgres.Driver
	dsn  string
	seen *recorder
}

func crowdID(i int) string { return fmt.Sprintf("session %010d", i) }

// crowd makes n sessions in namespace 1, of users with 100 each.
func crowd(t *testing.T, n int) crowded {
	t.Helper()
	dsn := database(t)
	r := &recorder{seen: map[string][]any{}}
	d := open(t, dsn, postgres.Options{Schema: schemas.Get(t, dsn, 0), Tracer: r})
	var was []byte
	for i := 0; i < n; {
		l := driver.Load{Was: was}
		for ; i < n && len(l.Parts) < 1000; i++ {
			l.Parts = append(l.Parts, driver.Part{Kind: driver.PartRecord, Namespace: 1, Record: driver.Record{
				Key:         driver.Key{Namespace: 1, ID: crowdID(i)},
				Incarnation: driver.Incarnation{1, byte(i), byte(i >> 8), byte(i >> 16)},
				Version:     1, NextSeq: 1, UserID: fmt.Sprint("user ", i%(n/100)), Created: int64(i + 1),
				ActiveMinute: int64(i),
				Due:          driver.Never, Expires: driver.Never, Body: make([]byte, 500), Bytes: 500,
			}})
		}
		if was = nil; i < n {
			was = fmt.Append(nil, i)
		}
		l.Note = was
		if err := d.Load(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	c := crowded{d, dsn, r}
	if _, err := schemas.Admin(t, dsn).Exec(t.Context(), "vacuum analyze"); err != nil {
		t.Fatal(err)
	}
	return c
}

// pages returns how many pages of the engine the call touches.
func (c crowded) pages(t *testing.T, read func(*testing.T, *postgres.Driver) error) (n int) {
	t.Helper()
	clear(c.seen.seen)
	if err := read(t, c.Driver); err != nil {
		t.Fatal(err)
	}
	for sql, args := range c.seen.seen {
		rows, err := schemas.Admin(t, c.dsn).Query(t.Context(), "explain (analyze, buffers, format json) "+sql, args...)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
		var top []struct {
			Plan struct {
				Hit  int `json:"Shared Hit Blocks"`
				Read int `json:"Shared Read Blocks"`
			}
		}
		if err := json.Unmarshal([]byte(plan), &top); err != nil {
			t.Fatal(err)
		}
		n += top[0].Plan.Hit + top[0].Plan.Read
	}
	return n
}
