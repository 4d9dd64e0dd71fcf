package storetest

import (
	"fmt"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var expiry = []promise{
	{name: "each deadline is met to the millisecond", test: deadlines},
	{name: "an expired session is invisible to every call", test: invisible},
	{name: "an expired session is not revived", test: notRevived},
	{name: "an id is free once its session has expired", test: freeID},
	{name: "reads extend nothing", test: readsExtendNothing},
	{name: "never means never", test: never},
	{name: "a deadline comes from session, namespace, options, default", test: inheritance},
	{name: "counts are exact before any sweep", test: exactCounts},
	{name: "a shortened life ends at once", test: shortened},
	{name: "durations are rounded up to the millisecond", test: rounding},
}

// deadlines creates one session for each way to end, and what happens to it
// before.
func deadlines(e *env) {
	touched := func(t *seshat.Tenant) {
		e.clock.Advance(30 * minute)
		e.must(second(t.Touch(e.ctx, "s")))
	}
	moved := func(to seshat.Status) func(*seshat.Tenant) {
		return func(t *seshat.Tenant) {
			e.clock.Advance(30 * minute)
			e.move(t, "s", to)
		}
	}
	for i, tt := range []struct {
		name  string
		life  seshat.Lifecycle
		quota uint64
		do    func(*seshat.Tenant)
		end   time.Duration // since creation
	}{
		{name: "absolute", life: seshat.Lifecycle{TTL: hour, Expiry: seshat.ExpiryAbsolute}, end: hour},
		{
			name: "absolute, used", life: seshat.Lifecycle{TTL: hour, Expiry: seshat.ExpiryAbsolute}, do: touched,
			end: hour,
		},
		{name: "sliding", life: seshat.Lifecycle{TTL: hour}, end: hour},
		{name: "sliding, used", life: seshat.Lifecycle{TTL: hour}, do: touched, end: 90 * minute},
		{name: "sliding, moved", life: seshat.Lifecycle{TTL: hour}, do: moved(seshat.StatusArchived), end: 90 * minute},
		{name: "capped", life: seshat.Lifecycle{TTL: hour, MaxLifetime: 80 * minute}, do: touched, end: 80 * minute},
		{name: "cap alone", life: seshat.Lifecycle{TTL: seshat.Never, MaxLifetime: 2 * hour}, end: 2 * hour},
		{name: "quota", life: seshat.Lifecycle{TTL: seshat.Never}, quota: 90, end: 90 * minute},
		{
			name: "quota under cap", life: seshat.Lifecycle{MaxLifetime: 2 * hour}, quota: 90, do: touched,
			end: 90 * minute,
		},
		{
			name: "retention", life: seshat.Lifecycle{TTL: hour, Retention: 2 * hour},
			do: moved(seshat.StatusTerminated), end: 150 * minute,
		},
		{name: "default", end: 7 * day},
		{
			name: "idling does not extend", life: seshat.Lifecycle{TTL: hour, IdleAfter: minute},
			do: func(*seshat.Tenant) {
				e.clock.Advance(30 * minute)
				e.sweep()
			}, end: hour,
		},
	} {
		t := e.tenant(fmt.Sprint(i))
		n := seshat.NewSession{ID: "s", Lifecycle: tt.life}
		n.Quotas.MaxSessionDurationMinutes = tt.quota
		made := e.create(t, n)
		if tt.do != nil {
			tt.do(t)
		}
		e.expectEnd(tt.name, t, made.CreatedAt.Add(tt.end))
	}
}

// expectEnd checks that session s exists until its end, to the millisecond.
func (e *env) expectEnd(name string, t *seshat.Tenant, end time.Time) {
	equal(e, name+": end", e.get(t, "s").ExpiresAt, end)
	e.clock.Set(end.Add(-ms))
	e.get(t, "s")
	equal(e, name+": count before the end", e.count(t, seshat.Query{}), 1)
	e.clock.Set(end)
	e.isGone(t, "s")
	equal(e, name+": count at the end", e.count(t, seshat.Query{}), 0)
}

// invisible: a session that has expired cannot be found, even if nothing swept
// it.
func invisible(e *env) {
	t := e.tenant("t")
	n := fullSession()
	n.Lifecycle = seshat.Lifecycle{TTL: hour}
	n.Quotas = seshat.Quotas{}
	e.create(t, n)
	e.create(t, seshat.NewSession{ID: "other", UserID: "mia", Labels: n.Labels})
	e.clock.Advance(hour)
	e.isGone(t, "s")
	for _, q := range []seshat.Query{
		{},
		{UserID: "mia"},
		{Order: seshat.OrderByActivity},
		{OldestFirst: true},
		{Statuses: []seshat.Status{seshat.StatusActive}},
		{Labels: n.Labels},
		{CreatedFrom: seshattest.Start},
		{ActiveFrom: seshattest.Start},
	} {
		equal(e, fmt.Sprintf("listed by %+v", q), fmt.Sprint(e.ids(t, q)), "[other]")
		equal(e, fmt.Sprintf("counted by %+v", q), e.count(t, q), 1)
	}
	u, err := t.Usage(e.ctx)
	e.must(err)
	equal(e, "usage", u.Sessions(), 1)
	_, created, err := t.Ensure(e.ctx, seshat.NewSession{ID: "s"})
	e.must(err)
	equal(e, "ensure made it anew", created, true)
}

// notRevived makes every write at the very moment of the end.
func notRevived(e *env) {
	t := e.tenant("t")
	for name, call := range onSession {
		made := e.create(t, seshat.NewSession{ID: name, Lifecycle: seshat.Lifecycle{TTL: hour}})
		e.clock.Advance(hour)
		e.isError(call(e.ctx, t, name), seshat.ErrNotFound)
		e.isGone(t, name)
		e.create(t, seshat.NewSession{ID: "between", Lifecycle: seshat.Lifecycle{TTL: hour}})
		e.clock.Advance(hour)
		equal(e, "swept", e.sweep().Expired, 2)
		e.isGone(t, made.ID)
	}
}

// An update that begins while the session lives, and ends after it, finds no
// session.
func freeID(e *env) {
	t := e.tenant("t")
	n := fullSession()
	n.Lifecycle = seshat.Lifecycle{TTL: hour}
	n.Quotas = seshat.Quotas{}
	e.create(t, n)
	e.must(second(t.Append(e.ctx, "s", seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "old"})))
	_, err := t.Update(e.ctx, "s", func(s *seshat.Session) error {
		s.Name = "late"
		e.clock.Advance(hour)
		return nil
	}, seshat.UpdateOptions{})
	e.isError(err, seshat.ErrNotFound)
	s := e.create(t, seshat.NewSession{ID: "s", UserID: "noa"})
	equal(e, "version, numbers", [3]uint64{s.Version, s.LastSeq, s.MessageCount}, [3]uint64{1, 0, 0})
	equal(e, "name", s.Name, "")
	equal(e, "memory", s.UserMemory.IsZero() && s.Metadata.IsZero() && s.Labels == nil, true)
	equal(e, "found by the old user", e.count(t, seshat.Query{UserID: "mia"}), 0)
	s, err = t.Append(e.ctx, "s", seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "new"})
	e.must(err)
	equal(e, "number", s.LastSeq, 1)
	equal(e, "swept of the new one", e.sweep().Expired, 0)
	e.get(t, "s")
}

func readsExtendNothing(e *env) {
	t := e.tenant("t")
	end := e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: hour, IdleAfter: hour}}).ExpiresAt
	for range 59 {
		e.clock.Advance(minute)
		e.get(t, "s")
		e.ids(t, seshat.Query{})
		_, _, err := t.Ensure(e.ctx, seshat.NewSession{ID: "s"})
		e.must(err)
		equal(e, "end", e.get(t, "s").ExpiresAt, end)
	}
	e.clock.Advance(minute)
	e.isGone(t, "s")
}

func never(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: seshat.Never}})
	for range 10 {
		e.clock.Advance(3 * 365 * day)
		r := e.sweep()
		equal(e, "expired", r.Expired+r.Rescheduled, 0)
		s := e.get(t, "s")
		equal(e, "end", s.ExpiresAt, time.Time{})
		equal(e, "status", s.Status, seshat.StatusActive)
	}
}

func inheritance(e *env) {
	e.o.Lifecycle = seshat.Lifecycle{TTL: 4 * hour, IdleAfter: 4 * hour}
	e.Store = e.h.Open(e.T, e.o)
	e.Cleanup(func() { seshattest.CheckAndClose(e.T, e.Store) })
	t, err := e.CreateTenant(e.ctx, seshat.Namespace{Name: "t", Lifecycle: seshat.Lifecycle{TTL: 2 * hour}})
	e.must(err)
	own := e.create(t, seshat.NewSession{Lifecycle: seshat.Lifecycle{TTL: hour, Expiry: seshat.ExpiryAbsolute}})
	inherited := e.create(t, seshat.NewSession{})
	equal(e, "own", own.Lifecycle, seshat.Lifecycle{
		TTL: hour, Expiry: seshat.ExpiryAbsolute, MaxLifetime: seshat.Never,
		IdleAfter: 4 * hour, ArchiveAfter: seshat.Never, Retention: 7 * day,
	})
	equal(e, "inherited", inherited.Lifecycle, seshat.Lifecycle{
		TTL: 2 * hour, Expiry: seshat.ExpirySliding, MaxLifetime: seshat.Never,
		IdleAfter: 4 * hour, ArchiveAfter: seshat.Never, Retention: 7 * day,
	})
	// A change of policy affects new sessions. Stored sessions keep the
	// lifecycle that was resolved for them.
	e.must(t.SetLifecycle(e.ctx, seshat.Lifecycle{TTL: seshat.Never}))
	e.must(second(t.Touch(e.ctx, inherited.ID)))
	equal(e, "old session", e.get(t, inherited.ID).Lifecycle, inherited.Lifecycle)
	equal(e, "new session", e.create(t, seshat.NewSession{}).Lifecycle.TTL, seshat.Never)
}

// exactCounts lets sessions end one by one, and counts the rest after each.
func exactCounts(e *env) {
	t := e.tenant("t")
	const n = 20
	for i := range n {
		e.createIn(t, allStatuses[i%4], seshat.NewSession{
			UserID: fmt.Sprint("user ", i%2), Lifecycle: seshat.Lifecycle{
				TTL: time.Duration(i+1) * minute, Retention: time.Duration(i+1) * minute,
			},
		})
	}
	for left := n; left >= 0; left-- {
		equal(e, "all", e.count(t, seshat.Query{}), uint64(left))
		equal(e, "of a user", e.count(t, seshat.Query{UserID: "user 1"}), uint64((left+1)/2))
		sum := uint64(0)
		for _, status := range allStatuses {
			sum += e.count(t, seshat.Query{Statuses: []seshat.Status{status}})
		}
		equal(e, "by status", sum, uint64(left))
		u, err := t.Usage(e.ctx)
		e.must(err)
		equal(e, "usage", u.Sessions(), uint64(left))
		if left == n/2 {
			equal(e, "swept", e.sweep().Expired, n/2)
		}
		e.clock.Advance(minute)
	}
	u, err := t.Usage(e.ctx)
	e.must(err)
	equal(e, "usage at the end", u, seshat.Usage{})
}

func shortened(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.clock.Advance(hour)
	e.update(t, "s", func(s *seshat.Session) { s.Lifecycle.MaxLifetime = minute })
	e.isGone(t, "s")
	equal(e, "count", e.count(t, seshat.Query{}), 0)
	equal(e, "swept", e.sweep().Expired, 1)
}

func rounding(e *env) {
	t := e.tenant("t")
	for d, want := range map[time.Duration]time.Duration{
		1: ms, ms: ms, ms + 1: 2 * ms, 2*ms - 1: 2 * ms, 1<<63 - 1: 1<<63 - 1,
	} {
		s := e.create(t, seshat.NewSession{Lifecycle: seshat.Lifecycle{TTL: d}})
		want = (want + ms - 1) / ms * ms
		if want < 0 { // the longest duration, which cannot be rounded up
			continue
		}
		equal(e, "end", s.ExpiresAt, s.CreatedAt.Add(want))
		equal(e, "TTL", s.Lifecycle.TTL, want)
	}
}
