package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var sweeps = []promise{
	{name: "a sweep does what is due, and says so", test: sweepReport},
	{name: "a sweep of nothing does nothing", test: sweepNothing},
	{name: "a dry run lists what the sweep then does", test: dryRun},
	{name: "a dry run changes nothing", test: dryRunChangesNothing},
	{name: "a limit ends a sweep", test: sweepLimit},
	{name: "a sweep of many needs many chunks", test: sweepMany},
	{name: "a cancelled sweep is resumed", test: sweepResumed},
	{name: "a deadline that moved is filed anew", test: refiled},
	{name: "a swept session leaves nothing", test: sweptLeavesNothing},
	{name: "a sweep beside writers", test: sweepBesideWriters},
	{name: "illegal sweeps are refused", test: illegalSweeps},
	{name: "the lag shows", test: sweepLag},
}

// createMixed creates one session in t for each outcome of a sweep one hour
// after Start. It returns their ids by outcome.
func (e *env) createMixed(t *seshat.Tenant) map[string]string {
	e.Helper()
	life := func(id string, l seshat.Lifecycle) {
		e.create(t, seshat.NewSession{ID: id, Lifecycle: l})
	}
	life("expires", seshat.Lifecycle{TTL: hour})
	life("idles", seshat.Lifecycle{IdleAfter: hour})
	life("idles and archives", seshat.Lifecycle{IdleAfter: 30 * minute, ArchiveAfter: 30 * minute})
	life("idles and expires", seshat.Lifecycle{TTL: hour, IdleAfter: 30 * minute})
	life("lives", seshat.Lifecycle{TTL: hour + ms, IdleAfter: hour + ms})
	e.createIn(t, seshat.StatusIdle, seshat.NewSession{ID: "archives", Lifecycle: seshat.Lifecycle{ArchiveAfter: hour}})
	e.createIn(t, seshat.StatusTerminated, seshat.NewSession{ID: "ends", Lifecycle: seshat.Lifecycle{Retention: hour}})
	life("extended", seshat.Lifecycle{TTL: hour})
	e.clock.Advance(30 * minute)
	e.must(second(t.Touch(e.ctx, "extended")))
	e.clock.Advance(30 * minute)
	return map[string]string{
		"expires": "expire", "idles": "idle", "idles and archives": "archive", "idles and expires": "expire",
		"archives": "archive", "ends": "expire",
	}
}

func sweepReport(e *env) {
	t := e.tenant("t")
	fates := e.createMixed(t)
	r := e.sweep()
	equal(e, "expired, idled, archived, refiled, failed",
		[5]int{r.Expired, r.Idled, r.Archived, r.Rescheduled, r.Failed}, [5]int{3, 1, 2, 1, 0})
	equal(e, "clock jump", r.ClockJump, 0)
	for id, fate := range fates {
		switch fate {
		case "expire":
			e.isGone(t, id)
		case "idle":
			equal(e, id, e.get(t, id).Status, seshat.StatusIdle)
		case "archive":
			equal(e, id, e.get(t, id).Status, seshat.StatusArchived)
		}
	}
	s := e.get(t, "idles and archives")
	equal(e, "archived at", s.LastTransition.At, seshattest.Start.Add(hour))
	equal(e, "version of one that was moved", s.Version, 2)
	equal(e, "status of one that lives", e.get(t, "lives").Status, seshat.StatusActive)
	equal(e, "version of one that was refiled", e.get(t, "extended").Version, 1)
	e.expectNothingDue()
}

// expectNothingDue fails the test if another sweep finds work.
func (e *env) expectNothingDue() {
	e.Helper()
	r := e.sweep()
	equal(e, "what a second sweep did", r.Expired+r.Idled+r.Archived+r.Rescheduled+r.Failed, 0)
}

func sweepNothing(e *env) {
	e.expectNothingDue()
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.expectNothingDue()
	r, err := e.Sweep(e.ctx, seshat.SweepOptions{DryRun: true})
	e.must(err)
	equal(e, "what a dry run foresees", len(r.Due), 0)
}

func dryRun(e *env) {
	t := e.tenant("t")
	fates := e.createMixed(t)
	dry, err := e.Sweep(e.ctx, seshat.SweepOptions{DryRun: true})
	e.must(err)
	got := map[string]string{}
	for _, d := range dry.Due {
		equal(e, "namespace", d.NamespaceID, t.ID())
		if d.Due.After(e.clock.Now()) {
			e.Fatalf("%q is due at %v, after now", d.SessionID, d.Due)
		}
		got[d.SessionID] = d.Action
	}
	equal(e, "foreseen", fmt.Sprint(got), fmt.Sprint(fates))
	if !slices.IsSortedFunc(dry.Due, func(a, b seshat.DueSession) int { return a.Due.Compare(b.Due) }) {
		e.Fatalf("not earliest first: %v", dry.Due)
	}
	r := e.sweep()
	equal(e, "expired, idled, archived, refiled", [4]int{r.Expired, r.Idled, r.Archived, r.Rescheduled},
		[4]int{dry.Expired, dry.Idled, dry.Archived, dry.Rescheduled})
}

func dryRunChangesNothing(e *env) {
	t := e.tenant("t")
	e.createMixed(t)
	before := e.state(t)
	for _, limit := range []int{0, 1, 1000} {
		r, err := e.Sweep(e.ctx, seshat.SweepOptions{DryRun: true, Limit: limit})
		e.must(err)
		equal(e, "foreseen", len(r.Due), min(6, cmp.Or(limit, 6)))
	}
	equal(e, "state", e.state(t), before)
	equal(e, "expired afterwards", e.sweep().Expired, 3)
}

// createExpired creates n sessions that have expired.
func (e *env) createExpired(t *seshat.Tenant, n int) {
	e.Helper()
	race(func(i int) {
		for k := i; k < n; k += racers {
			if _, err := t.Create(e.ctx, seshat.NewSession{
				ID: fmt.Sprintf("s%04d", k), UserID: "mia", Lifecycle: seshat.Lifecycle{TTL: hour},
			}); err != nil {
				e.Error(err)
			}
		}
	})
	e.clock.Advance(hour)
}

func sweepLimit(e *env) {
	t := e.tenant("t")
	e.createExpired(t, 20)
	for left := 20; left > 0; {
		r, err := e.Sweep(e.ctx, seshat.SweepOptions{Limit: 7})
		e.must(err)
		equal(e, "expired", r.Expired, min(7, left))
		left -= r.Expired
	}
	e.expectNothingDue()
}

func sweepMany(e *env) {
	t := e.tenant("t")
	e.createExpired(t, 300)
	live := e.create(t, seshat.NewSession{UserID: "mia"})
	r := e.sweep()
	equal(e, "expired", r.Expired, 300)
	if r.Chunks < 2 {
		e.Fatalf("%d sessions were swept in %d transaction", r.Expired, r.Chunks)
	}
	equal(e, "left", fmt.Sprint(e.ids(t, seshat.Query{UserID: "mia"})), fmt.Sprint([]string{live.ID}))
	e.expectNothingDue()
}

func sweepResumed(e *env) {
	t := e.tenant("t")
	e.createExpired(t, 300)
	done := 0
	cut := 0
	for looks := int64(1); done < 300; looks++ {
		r, err := e.Sweep(&countdown{Context: e.ctx, left: looks}, seshat.SweepOptions{})
		done += r.Expired
		if err != nil {
			cut++
			e.isError(err, errCountdown)
			e.isError(r.Err, errCountdown)
		}
		equal(e, "count after a sweep that was cut short", e.count(t, seshat.Query{}), 0)
	}
	equal(e, "expired in all", done, 300)
	if cut == 0 {
		e.Fatal("no sweep was cut short")
	}
	e.expectNothingDue()
}

func refiled(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: hour}})
	for range 3 {
		e.clock.Advance(50 * minute)
		e.must(second(t.Touch(e.ctx, "s")))
	}
	before := e.get(t, "s")
	r := e.sweep()
	equal(e, "refiled, expired", [2]int{r.Rescheduled, r.Expired}, [2]int{1, 0})
	after := e.get(t, "s")
	equal(e, "end", after.ExpiresAt, before.ExpiresAt)
	equal(e, "updated", after.UpdatedAt, before.UpdatedAt)
	e.expectNothingDue()
	e.clock.Advance(hour - ms)
	e.expectNothingDue()
	e.clock.Advance(ms)
	equal(e, "expired", e.sweep().Expired, 1)
}

func sweptLeavesNothing(e *env) {
	t := e.tenant("t")
	for i := range 5 {
		n := fullSession()
		n.ID = fmt.Sprint(i)
		n.Quotas = seshat.Quotas{}
		n.Lifecycle = seshat.Lifecycle{TTL: hour}
		e.create(t, n)
		e.must(second(t.Append(e.ctx, n.ID, seshat.Message{Role: seshat.RoleUser, Content: "hello"})))
	}
	e.clock.Advance(hour)
	e.sweep()
	r, err := e.Check(e.ctx)
	e.must(err)
	equal(e, "sessions, messages", [2]uint64{r.Sessions, r.Messages}, [2]uint64{})
	u, err := t.Usage(e.ctx)
	e.must(err)
	equal(e, "usage", u, seshat.Usage{})
}

// sweepBesideWriters: concurrent sweeps and writers agree in the end.
func sweepBesideWriters(e *env) {
	t := e.tenant("t")
	e.createExpired(t, 100)
	race(func(n int) {
		for i := range 20 {
			if n == 0 {
				e.clock.Advance(minute)
				if _, err := e.Sweep(e.ctx, seshat.SweepOptions{}); err != nil {
					e.Error(err)
				}
				continue
			}
			id := fmt.Sprintf("s%04d", n*10+i%10)
			s, _, err := t.Ensure(e.ctx, seshat.NewSession{ID: id, Lifecycle: seshat.Lifecycle{TTL: 3 * minute}})
			if err != nil {
				e.Error(err)
				continue
			}
			if _, err := t.Touch(e.ctx, s.ID); err != nil && !errors.Is(err, seshat.ErrNotFound) {
				e.Error(err)
			}
		}
	})
	e.clock.Advance(3 * minute)
	equal(e, "count", e.count(t, seshat.Query{}), 0)
	e.sweep()
	r, err := e.Check(e.ctx)
	e.must(err)
	equal(e, "sessions left", r.Sessions, 0)
}

func illegalSweeps(e *env) {
	_, err := e.Sweep(e.ctx, seshat.SweepOptions{Limit: -1})
	e.isInvalid(err, "limit")
	_, err = e.Sweep(e.ctx, seshat.SweepOptions{Limit: -1, DryRun: true})
	e.isInvalid(err, "limit")
}

func sweepLag(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: hour}})
	lag := func() time.Duration {
		st, err := e.Stats(e.ctx)
		e.must(err)
		return st.SweepLag
	}
	equal(e, "lag", lag(), 0)
	e.clock.Advance(hour + 5*minute)
	equal(e, "lag", lag(), 5*minute)
	e.sweep()
	equal(e, "lag", lag(), 0)
	st, err := e.Stats(e.ctx)
	e.must(err)
	equal(e, "sweeps", st.Sweeps, 1)
	if st.LastSweep.IsZero() || st.Driver == "" || st.SweepPaused {
		e.Fatalf("stats %+v", st)
	}
}
