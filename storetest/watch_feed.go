package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/seshatdb/seshat"
)

// isLaggedError fails the test unless err is a LaggedError. It returns the
// oldest position that a watch can start after.
func (e *env) isLaggedError(err error, since uint64) uint64 {
	e.Helper()
	var l *seshat.LaggedError
	if !errors.As(err, &l) || !errors.Is(err, seshat.ErrLagged) || l.Since != since || l.Oldest <= since {
		e.Fatalf("got error %v, want a LaggedError since %d", err, since)
	}
	return l.Oldest
}

// oldestPosition returns the oldest position that a watch can start after.
func (e *env) oldestPosition(t *seshat.Tenant) uint64 {
	e.Helper()
	_, _, err := t.Events(e.ctx, 0, 1)
	if err == nil {
		return 0
	}
	return e.isLaggedError(err, 0)
}

func watchLagged(e *env) {
	t := e.tenant("a")
	e.makeChanges(t, 16)
	equal(e, "oldest", e.oldestPosition(t), 0)
	e.makeChanges(t, 10)
	head := e.feedHead(t)
	oldest := e.oldestPosition(t)
	equal(e, "events that are kept", head-oldest, 16)
	for _, err := range t.Watch(e.ctx, oldest-1) {
		equal(e, "oldest", e.isLaggedError(err, oldest-1), oldest)
	}
	equal(e, "events from the oldest on", len(e.events(t, oldest)), 16)
	for _, err := range t.Watch(e.ctx, oldest) { // the watch falls behind
		if err != nil {
			e.isLaggedError(err, oldest+16)
			return
		}
		e.makeChanges(t, 2)
	}
	e.Fatal("a watch that fell behind was not told")
}

func watchAge(e *env) {
	t := e.tenant("a")
	e.makeChanges(t, 700) // more than one step of the sweeper
	e.clock.Advance(minute)
	young := e.feedHead(t)
	e.makeChanges(t, 3)
	e.clock.Advance(hour - minute - ms)
	equal(e, "trimmed", e.sweep().Trimmed, 0)
	equal(e, "oldest", e.oldestPosition(t), 0)
	e.clock.Advance(ms)
	equal(e, "trimmed", e.sweep().Trimmed, int(young))
	equal(e, "oldest", e.oldestPosition(t), young)
	equal(e, "events left", uint64(len(e.events(t, young))), e.feedHead(t)-young)
	e.clock.Advance(hour)
	head := e.feedHead(t)
	equal(e, "trimmed", e.sweep().Trimmed, int(head-young))
	equal(e, "trimmed again", e.sweep().Trimmed, 0)
	equal(e, "head", e.feedHead(t), head)
	e.must(e.say(t, "some", 0))
	equal(e, "events after the trimmed", len(e.events(t, head)), 1)
}

func watchAgeNever(e *env) {
	t := e.tenant("a")
	e.makeChanges(t, 3)
	e.clock.Advance(1000 * day)
	e.sweep()
	equal(e, "oldest", e.oldestPosition(t), 0)
}

// watchAgeTurns creates more feeds than one sweep visits.
func watchAgeTurns(e *env) {
	var tenants []*seshat.Tenant
	for i := range 150 {
		tenants = append(tenants, e.tenant(fmt.Sprint(i)))
		e.create(tenants[i], seshat.NewSession{})
	}
	e.clock.Advance(hour)
	trimmed := 0
	sweeps := 0
	for trimmed < len(tenants) {
		trimmed += e.sweep().Trimmed
		if sweeps++; sweeps > 4 {
			e.Fatalf("%d sweeps trimmed %d of %d feeds", sweeps, trimmed, len(tenants))
		}
	}
	for _, t := range tenants {
		equal(e, "oldest", e.oldestPosition(t), 1)
	}
}

func watchEnds(e *env) {
	t := e.tenant("a")
	e.makeChanges(t, 3)
	at := e.feedHead(t)
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	e.expectWatchError(ctx, t, at, context.Canceled)
	ctx, cancel = context.WithTimeout(e.ctx, ms)
	defer cancel()
	e.expectWatchError(ctx, t, at, context.DeadlineExceeded) // ends while it waits
	e.must(second(t.DeleteNamespace(e.ctx)))
	e.expectWatchError(e.ctx, t, at, seshat.ErrNotFound)
	e.expectWatchError(e.ctx, t, 0, seshat.ErrNotFound)
	e.isError(second(t.FeedHead(e.ctx)), seshat.ErrNotFound)

	again := e.tenant("a")
	equal(e, "head of another namespace of that name", e.feedHead(again), 0)
	e.must(e.Close())
	e.expectWatchError(e.ctx, again, 0, seshat.ErrClosed)
	_, _, err := again.Events(e.ctx, 0, 1)
	e.isError(err, seshat.ErrClosed)
}

func watchArguments(e *env) {
	t := e.tenant("a")
	e.makeChanges(t, 3)
	head := e.feedHead(t)
	for _, since := range []uint64{head + 1, math.MaxUint64} {
		e.expectWatchError(e.ctx, t, since, seshat.ErrInvalid)
		_, _, err := t.Events(e.ctx, since, 1)
		e.isInvalid(err, "since")
	}
	for _, limit := range []int{0, -1, seshat.MaxEvents + 1} {
		_, _, err := t.Events(e.ctx, 0, limit)
		e.isInvalid(err, "limit")
	}
	events, h, err := t.Events(e.ctx, head, seshat.MaxEvents)
	e.must(err)
	equal(e, "events at the head", len(events), 0)
	equal(e, "head", h, head)
}
