package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/postgres"
)

// TestExpiryWaitsForOtherProcesses proves that a reader who finds a session
// expired waits for a change under way elsewhere that read the clock before:
// what was found gone does not come back.
func TestExpiryWaitsForOtherProcesses(t *testing.T) {
	for name, kept := range map[string]bool{"the change goes through": true, "the change fails": false} {
		t.Run(name, func(t *testing.T) { expiresElsewhere(t, kept) })
	}
}

func expiresElsewhere(t *testing.T, kept bool) {
	dsn := database(t)
	o := postgres.Options{Schema: schemas.Get(t, dsn, 0)}
	d, other := open(t, dsn, o), open(t, dsn, o)
	op := creates(1)[0]
	c, _ := op.Plan(driver.View{})
	c.Put.Due, c.Put.Expires = 1500, 1500
	if err := d.Mutate(t.Context(), op); err != nil {
		t.Fatal(err)
	}
	longer := *c.Put
	longer.Due, longer.Expires = 9000, 9000
	entered, pass, done := make(chan bool), make(chan bool), make(chan error, 1)
	failed := errors.New("failed")
	go func() {
		done <- other.Mutate(context.Background(), &driver.Op{
			Target: op.Target,
			Clock:  func() int64 { return 1000 },
			Plan: func(v driver.View) (driver.Change, error) {
				close(entered)
				if <-pass; !kept {
					return driver.Change{}, failed
				}
				return driver.Change{Put: &longer}, nil
			},
		})
	}()
	<-entered
	if err := d.Get(t.Context(), op.Target.Key, 1499, new(driver.Record)); err != nil {
		t.Errorf("before the end: %v", err)
	}
	found := make(chan error, 1)
	go func() { found <- d.Get(t.Context(), op.Target.Key, 1500, new(driver.Record)) }()
	if early := awaitLock(t, dsn, found); early {
		t.Error("the reader did not wait")
	}
	close(pass)
	if err := <-done; err != nil && (kept || !errors.Is(err, failed)) {
		t.Fatal(err)
	}
	if err := <-found; kept && err != nil || !kept && !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("at the end: %v", err)
	}
}

// awaitLock returns when a reader waits for the lock of a row, or is early.
func awaitLock(t *testing.T, dsn string, found chan error) (early bool) {
	t.Helper()
	for n := 0; n == 0; {
		const sql = `select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%for share%'`
		if err := schemas.Admin(t, dsn).QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Error(err)
			return true
		}
		select {
		case err := <-found:
			found <- err
			return true
		default:
		}
	}
	return false
}
