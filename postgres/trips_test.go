package postgres_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

// proxied returns a proxy before the server that is started here.
func proxied(t *testing.T) *pgserver.Proxy {
	t.Helper()
	if os.Getenv("SESHAT_TEST_POSTGRES") != "" {
		t.Skip("SKIPPED: the proxy is for a server that is started here")
	}
	p, err := pgserver.NewProxy(quick(t).Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// TestRoundTrips proves what a call costs on a network, once a connection knows
// the statements: two round trips for a change, one for all else.
func TestRoundTrips(t *testing.T) {
	p := proxied(t)
	d := open(t, p.DSN(), postgres.Options{Schema: schemas.Get(t, database(t), 0), MaxConns: 1})
	s, err := seshat.OpenDriver(d, seshat.Options{SweepEvery: seshat.Never})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	tenant, err := s.EnsureTenant(ctx, seshat.Namespace{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	k := driver.Key{Namespace: 1, ID: "s"}
	calls := []struct {
		name  string
		trips int64
		do    func() error
	}{
		{"Create", 2, func() error { return second(tenant.Create(ctx, seshat.NewSession{UserID: "mia"})) }},
		{"Touch", 2, func() error { return second(tenant.Touch(ctx, "s")) }},
		{"Append", 2, func() error {
			return second(tenant.Append(ctx, "s",
				seshat.Message{ID: seshat.NewSessionID(), Role: seshat.RoleUser, Content: "x"}))
		}},
		{"Transition", 2, func() error {
			return second(tenant.Transition(ctx, "s", seshat.StatusActive, seshat.TransitionOptions{}))
		}},
		{"Get", 1, func() error { return d.Get(ctx, k, 0, &driver.Record{}) }},
		{"List", 1, func() error { return second(tenant.List(ctx, seshat.Query{UserID: "mia"})) }},
		{"Count", 1, func() error { return second(d.Count(ctx, driver.Query{Namespace: 1, Now: 1})) }},
		{"Messages", 1, func() error { return second(d.Messages(ctx, driver.LogQuery{Namespace: 1, Limit: 9})) }},
		{"Entries", 1, func() error { return second(d.Entries(ctx, driver.EntryQuery{Namespace: 1, Limit: 9})) }},
		{"Feed", 1, func() error { return second(d.Feed(ctx, driver.FeedQuery{Namespace: 1, Limit: 9})) }},
		{"Due", 1, func() error { return second(d.Due(ctx, driver.DueQuery{Now: 1, Limit: 9})) }},
		{"Reclaim", 1, func() error { return second(d.Reclaim(ctx, 1, 9)) }},
		{"Mutate of 100 ops", 2, func() error { return d.Mutate(ctx, creates(100)...) }},
	}
	if _, err := tenant.Create(ctx, seshat.NewSession{ID: "s"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		for range 2 { // the statements become known
			if err := c.do(); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		}
		before := p.Trips()
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := p.Trips() - before; got != c.trips {
			t.Errorf("%s took %d round trips, want %d", c.name, got, c.trips)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// creates returns ops that put n sessions of namespace 7.
func creates(n int) (ops []*driver.Op) {
	for i := range n {
		r := &driver.Record{
			Key: driver.Key{Namespace: 7, ID: string(rune('a' + i))}, Incarnation: driver.Incarnation{7, byte(i)},
			NextSeq: 1, Due: driver.Never, Expires: driver.Never,
		}
		ops = append(ops, &driver.Op{
			Target: driver.Target{Key: r.Key},
			Clock:  func() int64 { return 1 },
			Plan:   func(driver.View) (driver.Change, error) { return driver.Change{Put: r}, nil },
		})
	}
	return ops
}

// TestDeadline proves that a call whose deadline passes while it waits for a
// lock returns then, and changed nothing.
func TestDeadline(t *testing.T) {
	dsn := database(t)
	name := schemas.Get(t, dsn, 0)
	d := open(t, dsn, postgres.Options{Schema: name})
	op := creates(1)
	if err := d.Mutate(t.Context(), op...); err != nil {
		t.Fatal(err)
	}
	tx, err := schemas.Admin(t, dsn).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "select 1 from "+name+".sessions for update"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	ran := false
	plan := op[0].Plan
	op[0].Plan = func(v driver.View) (driver.Change, error) {
		ran = true
		return plan(v)
	}
	if err := d.Mutate(ctx, op...); err != context.DeadlineExceeded || ran {
		t.Errorf("Mutate returned %v, Plan ran: %t", err, ran)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Mutate(t.Context(), op...); err != nil || !ran {
		t.Errorf("Mutate afterwards returned %v, Plan ran: %t", err, ran)
	}
}
