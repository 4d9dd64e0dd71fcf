package storetest

import (
	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var clock = []promise{
	{name: "a store's time never runs backwards", test: backwards},
	{name: "nor across a reopen", test: backwardsReopened},
	{name: "what expired stays so when the clock is set back", test: staysExpired},
	{name: "a clock before the epoch is the epoch", test: beforeEpoch},
}

func backwards(e *env) {
	t := e.tenant("t")
	before := e.create(t, seshat.NewSession{ID: "s"})
	e.clock.Advance(-hour)
	s := e.update(t, "s", func(s *seshat.Session) { s.Name = "x" })
	equal(e, "updated", s.UpdatedAt, before.UpdatedAt)
	equal(e, "end", s.ExpiresAt, before.ExpiresAt)
	equal(e, "created meanwhile", e.create(t, seshat.NewSession{}).CreatedAt, before.CreatedAt)
	e.clock.Advance(hour + minute)
	s, err := t.Touch(e.ctx, "s")
	e.must(err)
	equal(e, "touched", s.UpdatedAt, seshattest.Start.Add(minute))
}

func backwardsReopened(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.create(t, seshat.NewSession{ID: "expired", Lifecycle: seshat.Lifecycle{TTL: 30 * minute}})
	last := e.clock.Advance(hour)
	e.must(second(t.Touch(e.ctx, "s")))
	e.clock.Advance(-2 * hour)
	e.reopen()
	t = e.tenant("t")
	e.isGone(t, "expired")
	equal(e, "count", e.count(t, seshat.Query{}), 1)
	equal(e, "created after the reopen", e.create(t, seshat.NewSession{}).CreatedAt, last)
}

func staysExpired(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: hour}})
	e.clock.Advance(hour)
	e.isGone(t, "s")
	e.clock.Advance(-30 * minute)
	e.isGone(t, "s")
	equal(e, "count", e.count(t, seshat.Query{}), 0)
	equal(e, "swept", e.sweep().Expired, 1)
}

func beforeEpoch(e *env) {
	e.clock.Advance(-100 * 365 * day)
	// The store has seen no other time yet, so it accepts this early one.
	// Nothing may break.
	t := e.tenant("t")
	s := e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: hour}})
	equal(e, "creation is not before 1970", s.ExpiresAt.Unix(), 3600)
	e.get(t, "s")
	e.clock.Set(seshattest.Start)
	e.isGone(t, "s")
}
