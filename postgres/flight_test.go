package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/postgres"
)

// TestExpiryWaitsForTheCommitThatExtends proves that a session which a reader
// found gone by time does not come back: the change that extends its life was
// decided before the deadline, and the reader waits until it is committed.
func TestExpiryWaitsForTheCommitThatExtends(t *testing.T) {
	found := func(n int, err error) bool {
		if err != nil {
			t.Error(err)
		}
		return n == 1
	}
	for name, read := range map[string]func(*postgres.Driver, driver.Key, int64) bool{
		"get": func(d *postgres.Driver, k driver.Key, now int64) bool {
			return d.Get(t.Context(), k, now, &driver.Record{}) == nil
		},
		"list": func(d *postgres.Driver, k driver.Key, now int64) bool {
			p, err := d.List(t.Context(), driver.Query{Namespace: k.Namespace, Now: now, Limit: 9})
			return found(len(p.Records), err)
		},
		"count": func(d *postgres.Driver, k driver.Key, now int64) bool {
			u, err := d.Count(t.Context(), driver.Query{Namespace: k.Namespace, Now: now})
			return found(int(u.Sessions[0]), err)
		},
		"count of a user": func(d *postgres.Driver, k driver.Key, now int64) bool {
			u, err := d.Count(t.Context(), driver.Query{Namespace: k.Namespace, Now: now, UserID: "mia"})
			return found(int(u.Sessions[0]), err)
		},
	} {
		t.Run(name, func(t *testing.T) { expiresMeanwhile(t, read) })
	}
}

func expiresMeanwhile(t *testing.T, read func(*postgres.Driver, driver.Key, int64) bool) {
	dsn := database(t)
	name := schemas.Get(t, dsn, 0)
	d := open(t, dsn, postgres.Options{Schema: name})
	put := func(now, expires int64) *driver.Op {
		op := making("a", now, false)
		create := op.Plan
		op.Plan = func(v driver.View) (driver.Change, error) {
			c, err := create(v)
			c.Put.Expires, c.Put.UserID = expires, "mia"
			return c, err
		}
		return op
	}
	if err := d.Mutate(t.Context(), put(1000, 5000)); err != nil {
		t.Fatal(err)
	}
	release := blocked(t, dsn, name)
	defer release()
	done := make(chan error, 1)
	go func() { done <- d.Mutate(t.Context(), put(4000, 9000)) }()
	untilBlocked(t, dsn, name)
	k := driver.Key{Namespace: 1, ID: "a"}
	if !read(d, k, 4999) {
		t.Error("before the deadline it is not there")
	}
	if d.Get(t.Context(), driver.Key{Namespace: 1, ID: "b"}, 5000, &driver.Record{}) == nil {
		t.Error("a session is there that is not")
	}
	answer := make(chan bool, 1)
	go func() { answer <- read(d, k, 5000) }()
	soon, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	select {
	case there := <-answer:
		t.Fatalf("the reader did not wait: found it: %t", there)
	case <-soon.Done():
	}
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !<-answer {
		t.Error("the reader found it gone, and now it is there")
	}
}
