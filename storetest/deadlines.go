package storetest

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/seshattest"
)

// Either the sweep or the next write applies an overdue deadline. Both must
// have the same result.
var overdueDeadlines = []promise{
	{name: "a sweep and a write apply a deadline alike", test: applyAlike},
	{name: "what time brings never sets the last change back", test: updatedNeverGoesBack},
}

// overdueSession creates a session and lets its deadlines pass.
type overdueSession struct {
	name string
	make func(e *env, t *seshat.Tenant)
	pass time.Duration
	want seshat.Status
}

var overdueSessions = []overdueSession{
	{"idle", withLife(seshat.Lifecycle{IdleAfter: hour}), hour, seshat.StatusIdle},
	{"idle for long", withLife(seshat.Lifecycle{IdleAfter: hour}), 3 * hour, seshat.StatusIdle},
	{"archived", func(e *env, t *seshat.Tenant) {
		e.createIn(t, seshat.StatusIdle, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{ArchiveAfter: hour}})
	}, 2 * hour, seshat.StatusArchived},
	{
		"idle and archived at once", withLife(seshat.Lifecycle{IdleAfter: hour, ArchiveAfter: hour}), 5 * hour,
		seshat.StatusArchived,
	},
	{"with a log, labels and a lease", func(e *env, t *seshat.Tenant) {
		n := fullSession()
		n.ID = "s"
		n.Quotas = seshat.Quotas{}
		n.Lifecycle = seshat.Lifecycle{IdleAfter: hour}
		e.create(t, n)
		e.append(t, "s", newMessages(2)...)
		e.must(second(t.AcquireLease(e.ctx, "s", "runner", minute)))
	}, 2 * hour, seshat.StatusIdle},
	{"restored from a clock ahead, idle", fromAhead(seshat.Lifecycle{IdleAfter: hour}), 2 * hour, seshat.StatusIdle},
	{
		"restored from a clock ahead, archived", fromAhead(seshat.Lifecycle{IdleAfter: hour, ArchiveAfter: hour}),
		3 * hour, seshat.StatusArchived,
	},
}

func withLife(l seshat.Lifecycle) func(*env, *seshat.Tenant) {
	return func(e *env, t *seshat.Tenant) { e.create(t, seshat.NewSession{ID: "s", Lifecycle: l}) }
}

// fromAhead restores a session whose last change is one day in the future.
func fromAhead(l seshat.Lifecycle) func(*env, *seshat.Tenant) {
	return func(e *env, t *seshat.Tenant) {
		s := *e.create(t, seshat.NewSession{ID: "origin", Lifecycle: l})
		e.must(second(t.Delete(e.ctx, "origin")))
		s.ID = "s"
		s.Lifecycle = l // only chosen values, so that a policy decides the others
		s.UpdatedAt = s.UpdatedAt.Add(day)
		s.ExpiresAt = time.Time{}
		e.must(second(t.Restore(e.ctx, seshat.Snapshot{Session: &s})))
	}
}

// openTwin opens another store on e's clock.
func (e *env) openTwin() *env {
	e.Helper()
	other := *e
	other.Store = e.h.Open(e.T, e.o)
	e.Cleanup(func() { seshattest.CheckAndClose(e.T, other.Store) })
	return &other
}

// stored returns the records of a store's only namespace, without their random
// incarnations, and the feed.
func (e *env) stored() ([]driver.Record, []driver.Event) {
	e.Helper()
	page, err := e.Driver().List(e.ctx, driver.Query{Namespace: 1, Limit: 100})
	e.must(err)
	for i := range page.Records {
		page.Records[i].Incarnation = driver.Incarnation{}
	}
	feed, err := e.Driver().Feed(e.ctx, driver.FeedQuery{Namespace: 1, Limit: math.MaxInt32})
	e.must(err)
	return page.Records, feed.Events
}

func applyAlike(e *env) {
	for _, c := range overdueSessions {
		swept := e.openTwin()
		written := e.openTwin()
		a := swept.tenant("t")
		b := written.tenant("t")
		c.make(swept, a)
		c.make(written, b)
		e.clock.Advance(c.pass)
		r := swept.sweep()
		equal(e, c.name+": moved by the sweep", r.Idled+r.Archived, 1)
		s := written.move(b, "s", c.want)
		equal(e, c.name+": status", s.Status, c.want)

		records, events := swept.stored()
		due := records[0].Due
		got, gotEvents := written.stored()
		records[0].Due = 0
		got[0].Due = 0 // a write lets the sweep refile the session
		sameStored(e, c.name+": records", got, records)
		sameStored(e, c.name+": events", gotEvents, events)

		written.sweep()
		got, gotEvents = written.stored()
		records[0].Due = due
		sameStored(e, c.name+": records after a sweep", got, records)
		sameStored(e, c.name+": events after a sweep", gotEvents, events)
	}
}

func sameStored(e *env, what string, got, want any) {
	e.Helper()
	if !reflect.DeepEqual(got, want) {
		e.Fatalf("%s differ: the write left\n%s\nand the sweep\n%s", what, fmt.Sprintf("%+v", got),
			fmt.Sprintf("%+v", want))
	}
}

func updatedNeverGoesBack(e *env) {
	t := e.tenant("t")
	fromAhead(seshat.Lifecycle{IdleAfter: hour})(e, t)
	before := e.get(t, "s").UpdatedAt
	equal(e, "last change", before, seshattest.Start.Add(day))
	e.clock.Advance(hour)
	equal(e, "idled", e.sweep().Idled, 1)
	equal(e, "last change after a sweep", e.get(t, "s").UpdatedAt, before)
	e.must(t.SetLifecycle(e.ctx, seshat.Lifecycle{TTL: 3 * day}))
	e.apply(t, 1, 1)
	equal(e, "last change after a policy", e.get(t, "s").UpdatedAt, before)
	e.clock.Advance(day)
	e.must(second(t.Touch(e.ctx, "s")))
	equal(e, "last change when the clock has caught up", e.get(t, "s").UpdatedAt, seshattest.Start.Add(hour+day))
}
