package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seshatdb/seshat"
)

var agentLives = []promise{
	{name: "an id that is used again has no old messages", test: reusedIDLog},
	{name: "an id that is used again has no old state", test: reusedIDState},
	{name: "a store need not grow for ever", test: boundedStore},
	{name: "a deletion leaves no orphans", test: noOrphans},
	{name: "a session expires whole", test: wholeExpiry},
	{name: "an append revives nothing that expired", test: appendAfterExpiry},
	{name: "a sweep can say first what it would do", test: dryCleanup},
	{name: "a sweep removes all that is due", test: sweepsAll},
	{name: "what was said can be purged", test: purge},
	{name: "a deleted session leaves no copy with its user", test: noMemoryCopy},
	{name: "no prefix or wildcard crosses tenants", test: crossedPrefixes},
	{name: "a log can be forked and rewound", test: forkAndRewind},
	{name: "a rewind keeps the state that a session began with", test: rewoundState},
	{name: "concurrent writers lock nobody out", test: manyWriters},
	{name: "what was suspended or archived can be resumed", test: suspended},
	{name: "idle sessions are archived by themselves", test: autoArchive},
	{name: "no call revives a terminated session", test: statusEverywhere},
	{name: "a runner that crashed does not keep its session busy", test: staleRunner},
	{name: "a watcher that comes back misses no transition", test: noMissedMoves},
}

// A session that reused an id got the data of the deleted one back.
// [ADKGoDatabase].
func reusedIDLog(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s", State: map[string]any{"k": "old"}})
	e.sayAll(tn, "s", "old", "older")
	_, err := tn.Delete(e.ctx, "s")
	e.must(err)
	e.create(tn, seshat.NewSession{ID: "s"})
	e.equalText(e.contents(tn, "s"), []string{})
	e.sayAll(tn, "s", "new")
	e.equalText(e.contents(tn, "s"), []string{"new"})
}

// State survived a delete and came back when the id was reused. [Flowcraft421].
func reusedIDState(e *env) {
	tn := e.tenant("acme")
	for _, end := range []func(){
		func() { _, err := tn.Delete(e.ctx, "s"); e.must(err) },
		func() { e.clock.Advance(seshat.DefaultTTL + day) },
		func() { _, err := tn.DeleteUser(e.ctx, "mia"); e.must(err) },
	} {
		e.create(tn, seshat.NewSession{ID: "s", UserID: "mia", State: map[string]any{"k": "old"}})
		end()
		e.create(tn, seshat.NewSession{ID: "s", UserID: "mia"})
		state, err := tn.State(e.ctx, seshat.SessionScope("s"))
		e.must(err)
		e.equalText(len(state), 0)
		_, err = tn.Delete(e.ctx, "s")
		e.must(err)
	}
}

// Nothing kept the store from growing. [LangGraphJS1138].
func boundedStore(e *env) {
	tn := e.tenant("acme")
	for i := range 5 {
		e.create(tn, seshat.NewSession{ID: fmt.Sprint(i)})
		e.sayAll(tn, fmt.Sprint(i), "hello")
	}
	e.clock.Advance(seshat.DefaultTTL)
	r, err := e.Sweep(e.ctx, seshat.SweepOptions{})
	e.must(err)
	e.equalText(r.Expired, 5)
	check, err := e.Check(e.ctx)
	e.must(err)
	e.equalText([2]uint64{check.Sessions, check.Messages}, [2]uint64{0, 0})
}

// Deleting a thread left its checkpoints behind, and each checkpoint needed its
// own TTL (also PR 545). [Aegra288].
func noOrphans(e *env) {
	tn := e.tenant("acme")
	short := seshat.Lifecycle{TTL: time.Hour}
	e.create(tn, seshat.NewSession{ID: "short", State: map[string]any{"k": 1}, Lifecycle: short})
	e.create(tn, seshat.NewSession{ID: "long", Lifecycle: seshat.Lifecycle{TTL: seshat.Never}})
	e.sayAll(tn, "short", "hello")
	_, err := tn.Delete(e.ctx, "short")
	e.must(err)
	_, err = e.Sweep(e.ctx, seshat.SweepOptions{})
	e.must(err)
	check, err := e.Check(e.ctx)
	e.must(err)
	e.equalText([2]uint64{check.Sessions, check.Messages}, [2]uint64{1, 0})
	e.clock.Advance(100 * 24 * time.Hour)
	e.get(tn, "long")
}

// A TTL on messages deleted only part of a thread. [LangChainMongoDB151].
func wholeExpiry(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: time.Hour}})
	e.sayAll(tn, "s", "old")
	e.clock.Advance(time.Hour - time.Millisecond)
	e.sayAll(tn, "s", "new")
	e.clock.Advance(time.Hour - time.Millisecond)
	_, err := e.Sweep(e.ctx, seshat.SweepOptions{})
	e.must(err)
	e.equalText(e.contents(tn, "s"), []string{"old", "new"})
	e.clock.Advance(time.Millisecond)
	_, err = tn.History(e.ctx, "s", seshat.HistoryQuery{})
	e.isError(err, seshat.ErrNotFound)
}

// An append revived an expired session that had not been swept.
// [TRPCAgentGoSQLite].
func appendAfterExpiry(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: time.Hour}})
	e.clock.Advance(time.Hour)
	_, err := tn.Append(e.ctx, "s", seshat.Message{Role: seshat.RoleUser})
	e.isError(err, seshat.ErrNotFound)
	_, err = tn.Get(e.ctx, "s")
	e.isError(err, seshat.ErrNotFound)
}

// Users asked for a cleanup with a dry run and batches. [DeerFlowPR4148].
func dryCleanup(e *env) {
	tn := e.tenant("acme")
	for i := range 10 {
		e.create(tn, seshat.NewSession{ID: fmt.Sprint(i), Lifecycle: seshat.Lifecycle{TTL: time.Hour}})
	}
	e.clock.Advance(time.Hour)
	r, err := e.Sweep(e.ctx, seshat.SweepOptions{DryRun: true})
	e.must(err)
	check, err := e.Check(e.ctx)
	e.must(err)
	e.equalText([2]int{len(r.Due), int(check.Sessions)}, [2]int{10, 10})
	r, err = e.Sweep(e.ctx, seshat.SweepOptions{Limit: 4})
	e.must(err)
	e.equalText(r.Expired, 4)
}

// Each sweep deleted only one expired token. [SCSPR133].
func sweepsAll(e *env) {
	tn := e.tenant("acme")
	for i := range 100 {
		e.create(tn, seshat.NewSession{ID: fmt.Sprint(i), Lifecycle: seshat.Lifecycle{TTL: time.Hour}})
	}
	e.clock.Advance(time.Hour)
	r, err := e.Sweep(e.ctx, seshat.SweepOptions{})
	e.must(err)
	e.equalText(r.Expired, 100)
}

// Neither a message nor all data of a user could be purged (also parlant PR
// 135). [VercelEve2261].
func purge(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s", UserID: "mia", UserMemory: map[string]any{"name": "Mia"}})
	e.sayAll(tn, "s", "secret")
	e.must(tn.MergeState(e.ctx, seshat.UserScope("mia"), map[string]any{"address": "Main St."}))
	_, err := tn.Fork(e.ctx, "s", seshat.ForkOptions{})
	e.must(err)
	erased, err := tn.DeleteUser(e.ctx, "mia")
	e.must(err)
	e.equalText([2]uint64{erased.Sessions, erased.Messages}, [2]uint64{2, 2})
	state, err := tn.State(e.ctx, seshat.UserScope("mia"))
	e.must(err)
	e.equalText(len(state), 0)
	check, err := e.Check(e.ctx)
	e.must(err)
	e.equalText([2]uint64{check.Sessions, check.Messages}, [2]uint64{0, 0})
}

// Deleting a session left a copy of it in the user's memory. [ADKPython7109].
func noMemoryCopy(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s", UserID: "mia", UserMemory: map[string]any{"name": "Mia"}})
	_, err := tn.Delete(e.ctx, "s")
	e.must(err)
	e.equalText(e.create(tn, seshat.NewSession{ID: "s", UserID: "mia"}).UserMemory.IsZero(), true)
}

// The prefix of one tenant matched another tenant, and so did wildcards
// (CVE-2026-71433; also LangGraph 6890). [LangGraph8300].
func crossedPrefixes(e *env) {
	names := []string{"a", "ab", "a/b", "a%", "a_", "%", "a.b"}
	for _, name := range names {
		tn := e.tenant(name)
		_, err := tn.Create(e.ctx, seshat.NewSession{ID: "s", UserID: name, Name: name})
		e.must(err)
	}
	for _, name := range names {
		n := 0
		for s, err := range e.tenant(name).Sessions(e.ctx, seshat.Query{}) {
			e.must(err)
			e.equalText(s.Name, name)
			n++
		}
		e.equalText(n, 1)
	}
	_, err := e.tenant("a").DeleteNamespace(e.ctx)
	e.must(err)
	_, err = e.tenant("ab").Get(e.ctx, "s")
	e.must(err)
}

// Neither a fork at a message nor a rewind was possible (also ADKPython4010,
// c0wrk51). [ADKGo343].
func forkAndRewind(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	e.sayAll(tn, "s", "one", "two", "three")
	f, err := tn.Fork(e.ctx, "s", seshat.ForkOptions{Seq: 2})
	e.must(err)
	e.sayAll(tn, f.ID, "another way")
	_, err = tn.Truncate(e.ctx, "s", 1)
	e.must(err)
	e.equalText(e.contents(tn, "s"), []string{"one"})
	e.equalText(e.contents(tn, f.ID), []string{"one", "two", "another way"})
	e.equalText(f.Parent, seshat.Parent{SessionID: "s", Seq: 2})
}

// A rewind lost the initial state, which no event had set. [ADKPython4839].
func rewoundState(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s", State: map[string]any{"lang": "de"}})
	for i := range 3 {
		_, err := tn.AppendTurn(e.ctx, "s", seshat.Turn{
			Messages: []seshat.Message{{Role: seshat.RoleUser}}, State: map[string]any{"step": i},
		})
		e.must(err)
	}
	state, err := tn.StateAt(e.ctx, "s", 2)
	e.must(err)
	e.equalText(state, map[string]any{"lang": "de", "step": 1})
	f, err := tn.Fork(e.ctx, "s", seshat.ForkOptions{Seq: 2})
	e.must(err)
	state, err = tn.State(e.ctx, seshat.SessionScope(f.ID))
	e.must(err)
	e.equalText(state, map[string]any{"lang": "de", "step": 1})
}

// Concurrent writers got "database is locked" (also 2854, 4987, opencode
// 21215). [OpenAIAgentsPR2843].
func manyWriters(e *env) {
	tn := e.tenant("acme")
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			id := fmt.Sprint(g)
			_, err := tn.Create(e.ctx, seshat.NewSession{ID: id})
			_, err2 := tn.Append(e.ctx, id, seshat.Message{Role: seshat.RoleUser})
			_, err3 := tn.History(e.ctx, id, seshat.HistoryQuery{})
			if err := errors.Join(err, err2, err3); err != nil {
				e.Error(err)
			}
		})
	}
	wg.Wait()
}

// Suspending and archiving were the same, and an archived session could not be
// resumed (also 3786, xacpx PR 72). [Paseo2179].
func suspended(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	for _, to := range []seshat.Status{seshat.StatusIdle, seshat.StatusArchived, seshat.StatusActive} {
		s, err := tn.Transition(e.ctx, "s", to, seshat.TransitionOptions{Reason: "why", Actor: "who"})
		e.must(err)
		e.equalText([3]any{s.Status, s.LastTransition.Reason, s.LastTransition.Actor}, [3]any{to, "why", "who"})
	}
	e.sayAll(tn, "s", "resumed")
}

// Users asked for idle sessions to be archived automatically (also
// copilot-session-manager 16). [Hapi278].
func autoArchive(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{IdleAfter: time.Hour, ArchiveAfter: time.Hour}})
	for _, want := range []seshat.Status{seshat.StatusIdle, seshat.StatusArchived} {
		e.clock.Advance(time.Hour)
		_, err := e.Sweep(e.ctx, seshat.SweepOptions{})
		e.must(err)
		e.equalText(e.get(tn, "s").Status, want)
	}
}

// One code path resurrected sessions without checking their status.
// [AgentricPR826].
func statusEverywhere(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	e.sayAll(tn, "s", "last words")
	_, err := tn.Transition(e.ctx, "s", seshat.StatusTerminated, seshat.TransitionOptions{})
	e.must(err)
	for _, to := range []seshat.Status{seshat.StatusActive, seshat.StatusIdle, seshat.StatusArchived} {
		_, err := tn.Transition(e.ctx, "s", to, seshat.TransitionOptions{})
		e.isError(err, seshat.ErrTransition)
	}
	_, err = tn.Append(e.ctx, "s", seshat.Message{Role: seshat.RoleUser})
	e.isError(err, seshat.ErrReadOnly)
	_, err = tn.Touch(e.ctx, "s")
	e.isError(err, seshat.ErrReadOnly)
	_, _, err = tn.Ensure(e.ctx, seshat.NewSession{ID: "s"})
	e.must(err)
	e.equalText(e.get(tn, "s").Status, seshat.StatusTerminated)
}

// When a runner crashed, its session stayed running for ever. [AgentaPR5688].
func staleRunner(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{IdleAfter: time.Minute}})
	_, err := tn.AcquireLease(e.ctx, "s", "crashed", time.Minute)
	e.must(err)
	e.clock.Advance(time.Minute)
	_, err = e.Sweep(e.ctx, seshat.SweepOptions{})
	e.must(err)
	e.equalText(e.get(tn, "s").Status, seshat.StatusIdle)
	_, err = tn.AcquireLease(e.ctx, "s", "next", time.Minute)
	e.must(err)
}

// Polling missed transitions. A log that is written in the same transaction
// does not (also PostHog PR 61049; fak 4196: no gap after re-attaching).
// [ThurboxPR1059].
func noMissedMoves(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	moves := []seshat.Status{
		seshat.StatusIdle, seshat.StatusArchived, seshat.StatusActive, seshat.StatusTerminated,
	}
	for _, to := range moves {
		_, err := tn.Transition(e.ctx, "s", to, seshat.TransitionOptions{})
		e.must(err)
	}
	var seen []seshat.Status
	for at := uint64(0); ; { // reads one event, then attaches anew
		events, head, err := tn.Events(e.ctx, at, 1)
		e.must(err)
		if len(events) == 0 {
			e.equalText(at, head)
			break
		}
		e.equalText(events[0].Position, at+1)
		at = events[0].Position
		seen = append(seen, events[0].Status)
	}
	e.equalText(seen, append([]seshat.Status{seshat.StatusActive}, moves...))
}
