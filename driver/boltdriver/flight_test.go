package boltdriver

import (
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// A session that a reader found gone by time does not come back. The commit
// that is being made extends its life, decided before the deadline: the reader
// waits for it instead of answering from the state before.
func TestExpiryWaitsForTheCommitThatExtends(t *testing.T) {
	for name, read := range map[string]func(*testing.T, *Driver, driver.Key, int64) bool{
		"get": func(_ *testing.T, d *Driver, k driver.Key, now int64) bool {
			return d.Get(background, k, now, new(driver.Record)) == nil
		},
		"list": func(t *testing.T, d *Driver, k driver.Key, now int64) bool {
			p, err := d.List(background, driver.Query{Namespace: k.Namespace, Now: now, Limit: 9})
			if err != nil {
				t.Error(err)
			}
			return len(p.Records) == 1
		},
		"list of a user": func(t *testing.T, d *Driver, k driver.Key, now int64) bool {
			p, err := d.List(background, driver.Query{
				Namespace: k.Namespace, Now: now, Limit: 9, Order: driver.ByActivity, UserID: "mia",
			})
			if err != nil {
				t.Error(err)
			}
			return len(p.Records) == 1
		},
		"count": func(t *testing.T, d *Driver, k driver.Key, now int64) bool {
			u, err := d.Count(background, driver.Query{Namespace: k.Namespace, Now: now})
			if err != nil {
				t.Error(err)
			}
			return u.Sessions[0] == 1
		},
		"count of a user": func(t *testing.T, d *Driver, k driver.Key, now int64) bool {
			u, err := d.Count(background, driver.Query{Namespace: k.Namespace, Now: now, UserID: "mia"})
			if err != nil {
				t.Error(err)
			}
			return u.Sessions[0] == 1
		},
	} {
		t.Run(name, func(t *testing.T) { expiresMeanwhile(t, read) })
	}
}

func expiresMeanwhile(t *testing.T, read func(*testing.T, *Driver, driver.Key, int64) bool) {
	d, g := gated(t)
	r := session(1, "a", "mia")
	r.Status, r.Due, r.Expires = 0, 1500, 1500
	do(t, d, opOf(r.Key, driver.Change{Put: r}))
	longer := *r
	longer.Due, longer.Expires = 1500, 9000
	g.shut.Store(true)
	done := make(chan error, 1)
	go func() { done <- d.Mutate(background, opOf(r.Key, driver.Change{Put: &longer})) }() // at 1000
	<-g.entered
	if !read(t, d, r.Key, 1499) {
		t.Error("before the deadline it is not there")
	}
	found := make(chan bool, 1)
	go func() { found <- read(t, d, r.Key, 1500) }()
	for range 100 {
		yield()
	}
	if len(found) > 0 {
		t.Error("the reader did not wait")
	}
	g.pass <- nil
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !<-found {
		t.Error("the reader found it gone, and now it is there")
	}
	g.shut.Store(false)
}
