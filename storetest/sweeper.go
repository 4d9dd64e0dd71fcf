package storetest

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// bubbles run the background sweeper on the fake time of a synctest bubble.
var bubbles = []struct {
	name string
	test func(*env)
	o    seshat.Options
}{
	{"it sweeps once a minute by default", sweeperRuns, seshat.Options{}},
	{"it sweeps as often as it is told", sweeperInterval, seshat.Options{SweepEvery: 10 * time.Second}},
	{"never means never", sweeperOff, seshat.Options{SweepEvery: seshat.Never}},
	{"it may call the store from OnSweep", sweeperCallsBack, seshat.Options{}},
	{"close ends it", sweeperEnds, seshat.Options{}},
	{"close ends it in the midst of its work", sweeperEndsWorking, seshat.Options{SweepEvery: time.Second}},
}

// sweptReports are the reports that OnSweep received.
type sweptReports struct{ all []seshat.SweepReport }

func runBubbles(t *testing.T, h Harness) {
	for _, b := range bubbles {
		t.Run(b.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &env{T: t, h: h, ctx: t.Context(), clock: seshattest.NewClock(), o: b.o}
				b.test(e)
			})
		})
	}
}

// openTenant opens the store of a bubble. If Now is nil, the store uses the
// bubble's time.
func (e *env) openTenant() *seshat.Tenant {
	e.Helper()
	e.Store = e.h.Open(e.T, e.o)
	e.Cleanup(func() { seshattest.CheckAndClose(e.T, e.Store) })
	return e.tenant("t")
}

// collectReports collects the reports that OnSweep receives.
func (e *env) collectReports() *sweptReports {
	r := &sweptReports{}
	e.o.OnSweep = func(s seshat.SweepReport) { r.all = append(r.all, s) }
	return r
}

// passTime lets time pass and waits for the sweeper to finish its work.
func (e *env) passTime(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func sweeperRuns(e *env) {
	r := e.collectReports()
	t := e.openTenant()
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: 90 * time.Second}})
	e.create(t, seshat.NewSession{ID: "i", Lifecycle: seshat.Lifecycle{IdleAfter: 30 * time.Second}})
	e.passTime(minute)
	equal(e, "reports after a minute", len(r.all), 1)
	equal(e, "idled", r.all[0].Idled, 1)
	equal(e, "status", e.get(t, "i").Status, seshat.StatusIdle)
	e.passTime(30*time.Second - 2*ms) // the interval runs from the end of a sweep to the start of the next
	e.get(t, "s")
	e.passTime(30*time.Second + 2*ms)
	equal(e, "reports after two minutes", len(r.all), 2)
	equal(e, "expired", r.all[1].Expired, 1)
	report, err := e.Check(e.ctx)
	e.must(err)
	equal(e, "sessions kept", report.Sessions, 1)
	e.passTime(hour)
	equal(e, "reports when there is nothing to do", len(r.all), 2)
	st, err := e.Stats(e.ctx)
	e.must(err)
	if st.Sweeps < 55 || st.Sweeps > 62 {
		e.Fatalf("%d sweeps in an hour", st.Sweeps)
	}
}

func sweeperInterval(e *env) {
	e.openTenant()
	e.passTime(95 * time.Second)
	st, err := e.Stats(e.ctx)
	e.must(err)
	equal(e, "sweeps", st.Sweeps, 9)
}

func sweeperOff(e *env) {
	t := e.openTenant()
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: minute}})
	e.passTime(day)
	st, err := e.Stats(e.ctx)
	e.must(err)
	equal(e, "sweeps", st.Sweeps, 0)
	e.isGone(t, "s")
	equal(e, "swept by hand", e.sweep().Expired, 1)
}

func sweeperCallsBack(e *env) {
	var t *seshat.Tenant
	var seen []string
	e.o.OnSweep = func(r seshat.SweepReport) {
		s, err := t.Create(e.ctx, seshat.NewSession{Lifecycle: seshat.Lifecycle{TTL: seshat.Never}})
		if err != nil {
			e.Error(err)
			return
		}
		seen = append(seen, s.ID)
		if _, err := e.Sweep(e.ctx, seshat.SweepOptions{}); err != nil {
			e.Error(err)
		}
	}
	t = e.openTenant()
	e.create(t, seshat.NewSession{Lifecycle: seshat.Lifecycle{TTL: minute}})
	e.passTime(2*minute + ms)
	equal(e, "sessions", fmt.Sprint(e.ids(t, seshat.Query{})), fmt.Sprint(seen))
	equal(e, "calls", len(seen), 1)
}

func sweeperEnds(e *env) {
	var log bytes.Buffer
	e.o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	r := e.collectReports()
	t := e.openTenant()
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: minute}})
	e.must(e.Close())
	e.passTime(day)
	equal(e, "reports after close", len(r.all), 0)
	equal(e, "log", log.String(), "")
}

func sweeperEndsWorking(e *env) {
	r := e.collectReports()
	t := e.openTenant()
	for range 50 {
		e.create(t, seshat.NewSession{Lifecycle: seshat.Lifecycle{TTL: 900 * ms}})
	}
	time.Sleep(time.Second) // and do not wait for the sweeper
	e.must(e.Close())
	if slices.ContainsFunc(r.all, func(r seshat.SweepReport) bool { return r.Err != nil || r.Failed > 0 }) {
		e.Fatalf("reports %+v", r.all)
	}
}
