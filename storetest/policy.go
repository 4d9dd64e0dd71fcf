package storetest

import (
	"fmt"
	"sync"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var policies = []promise{
	{name: "sessions get what they would get now", test: policyApplied},
	{name: "a session's own choice stays", test: policyOwn},
	{name: "deadlines follow into the past", test: policyPast},
	{name: "what agrees is not written", test: policyAgain},
	{name: "terminated sessions take part", test: policyTerminated},
	{name: "a call that ends early can be repeated", test: policyResumed},
	{name: "others write meanwhile", test: policyWhileWriting},
	{name: "it is the tenant's alone", test: policyElsewhere},
}

func (e *env) apply(t *seshat.Tenant, sessions, changed int) {
	e.Helper()
	r, err := t.ApplyPolicy(e.ctx)
	e.must(err)
	equal(e, "report", r, seshat.PolicyReport{Sessions: sessions, Changed: changed})
}

func policyApplied(e *env) {
	t := e.tenant("t")
	before := e.create(t, seshat.NewSession{ID: "s"})
	e.clock.Advance(hour)
	e.must(t.SetLifecycle(e.ctx, seshat.Lifecycle{TTL: 3 * hour, IdleAfter: 2 * hour}))
	e.same("a session before ApplyPolicy", e.get(t, "s"), before)
	e.apply(t, 1, 1)
	s := e.get(t, "s")
	equal(e, "TTL", s.Lifecycle.TTL, 3*hour)
	equal(e, "end, of a TTL that is not extended", s.ExpiresAt, seshattest.Start.Add(3*hour))
	equal(e, "version", s.Version, before.Version+1)
	equal(e, "activity", s.LastActivityAt, before.LastActivityAt)
	e.clock.Advance(hour)
	equal(e, "idled", e.sweep().Idled, 1)
	e.clock.Advance(hour)
	e.isGone(t, "s")
}

func policyOwn(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "own", Lifecycle: seshat.Lifecycle{TTL: 9 * hour}})
	e.create(t, seshat.NewSession{ID: "edited"})
	e.update(t, "edited", func(s *seshat.Session) { s.Lifecycle.Retention = 8 * hour })
	e.create(t, seshat.NewSession{ID: "parent", Lifecycle: seshat.Lifecycle{TTL: 7 * hour}})
	e.fork(t, "parent", seshat.ForkOptions{ID: "fork"})
	e.must(t.SetLifecycle(e.ctx, seshat.Lifecycle{TTL: hour, Retention: 2 * hour, IdleAfter: hour / 2}))
	e.apply(t, 4, 4)
	for id, want := range map[string]seshat.Lifecycle{
		"own":    {TTL: 9 * hour, Retention: 2 * hour},
		"edited": {TTL: hour, Retention: 8 * hour},
		"fork":   {TTL: 7 * hour, Retention: 2 * hour},
	} {
		l := e.get(t, id).Lifecycle
		equal(e, id, [3]any{l.TTL, l.Retention, l.IdleAfter}, [3]any{want.TTL, want.Retention, hour / 2})
	}
}

func policyPast(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(2)...)
	e.clock.Advance(2 * hour)
	e.create(t, seshat.NewSession{ID: "young"})
	e.must(t.SetLifecycle(e.ctx, seshat.Lifecycle{TTL: hour}))
	e.apply(t, 2, 2)
	e.isGone(t, "s")
	e.get(t, "young")
	equal(e, "sessions", e.count(t, seshat.Query{}), 1)
	equal(e, "expired", e.sweep().Expired, 1)
}

func policyAgain(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.must(t.SetLifecycle(e.ctx, seshat.Lifecycle{TTL: seshat.Never}))
	e.apply(t, 1, 1)
	equal(e, "end", e.get(t, "s").ExpiresAt.IsZero(), true)
	check := e.unchangedSince(t, "s")
	e.apply(t, 1, 0)
	check()
}

func policyTerminated(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.move(t, "s", seshat.StatusTerminated)
	e.must(t.SetLifecycle(e.ctx, seshat.Lifecycle{Retention: hour}))
	e.apply(t, 1, 1)
	equal(e, "end", e.get(t, "s").ExpiresAt, seshattest.Start.Add(hour))
}

// policyResumed ends calls at successive places. No call repeats the work that
// an earlier call completed.
func policyResumed(e *env) {
	t := e.tenant("t")
	for i := range 5 {
		e.create(t, seshat.NewSession{ID: fmt.Sprint(i)})
	}
	e.must(t.SetLifecycle(e.ctx, seshat.Lifecycle{TTL: hour}))
	changed := 0
	for left := int64(1); ; left++ {
		r, err := t.ApplyPolicy(&countdown{Context: e.ctx, left: left})
		changed += r.Changed
		if err == nil {
			break
		}
		e.isError(err, errCountdown)
	}
	equal(e, "sessions changed by all calls", changed, 5)
	for i := range 5 {
		s := e.get(t, fmt.Sprint(i))
		equal(e, "TTL", s.Lifecycle.TTL, hour)
		equal(e, "version", s.Version, 2)
	}
}

func policyWhileWriting(e *env) {
	t := e.tenant("t")
	const n = 20
	for i := range n {
		e.create(t, seshat.NewSession{ID: fmt.Sprint(i)})
	}
	e.must(t.SetLifecycle(e.ctx, seshat.Lifecycle{TTL: hour}))
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for i := range n {
				if _, err := t.Append(e.ctx, fmt.Sprint((i+7*w)%n), newMessages(1)...); err != nil {
					e.Error(err)
				}
			}
		})
	}
	e.apply(t, n, n)
	wg.Wait()
	for i := range n {
		s := e.get(t, fmt.Sprint(i))
		equal(e, "TTL", s.Lifecycle.TTL, hour)
		equal(e, "messages", s.MessageCount, 3)
	}
}

func policyElsewhere(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.create(a, seshat.NewSession{ID: "s"})
	e.create(b, seshat.NewSession{ID: "s"})
	check := e.unchangedSince(b, "s")
	e.must(a.SetLifecycle(e.ctx, seshat.Lifecycle{TTL: hour}))
	e.apply(a, 1, 1)
	e.apply(b, 1, 0)
	check()
	e.must(second(a.DeleteNamespace(e.ctx)))
	_, err := a.ApplyPolicy(e.ctx)
	e.isError(err, seshat.ErrNotFound)
}
