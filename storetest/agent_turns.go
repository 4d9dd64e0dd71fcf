package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seshatdb/seshat"
)

// The promises of the concern agent answer the complaints that users of other
// session stores make most. The comment of each tells the complaint and ends
// with the project and number of its thread: ADKPython and ADKGo are
// google/adk-python and google/adk-go, and PR is a pull request.

var agentTurns = []promise{
	{name: "a second writer does not lose its turn", test: secondWriter},
	{name: "a user may write again before the answer", test: doubleTexting},
	{name: "versions tell edits of one millisecond apart", test: equalInstants},
	{name: "turns of many writers do not interleave", test: interleavedTurns},
	{name: "an answer that took a day is not stale", test: humanInTheLoop},
	{name: "appends need no retries", test: noRetries},
	{name: "a back-dated message does not hide a change", test: backdatedWriter},
	{name: "a rejected turn leaves nothing with the caller", test: rejectedTurn},
	{name: "callers share no maps", test: sharedMaps},
	{name: "a runner that hung is fenced", test: fencedRunners},
	{name: "a turn that is repeated is kept once, with its state", test: repeatedTurn},
	{name: "a message id given again is a no-op", test: repeatedID},
	{name: "a call and its result are kept together or not at all", test: toolPair},
	{name: "no prompt begins with half a call", test: halfTurn},
	{name: "messages of one timestamp keep their order", test: equalTimestamps},
}

// Every handle was an implicit write lease, so the turn of a legitimate second
// writer was refused as stale and lost. [ADKGo1229].
func secondWriter(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	old := e.get(tn, "s")
	e.sayAll(tn, "s", "first writer")
	e.sayAll(tn, old.ID, "second writer")
	e.equalText(e.contents(tn, "s"), []string{"first writer", "second writer"})
}

// A user who wrote again before the agent answered got a stale session error
// (also 537, 917, 1733). [ADKPython1049].
func doubleTexting(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	e.sayAll(tn, "s", "question")
	agent := e.get(tn, "s") // reads, then thinks
	e.sayAll(tn, "s", "one more thing")
	e.sayAll(tn, agent.ID, "answer")
	e.equalText(e.get(tn, "s").LastSeq, 3)
}

// Staleness was decided by comparing float timestamps, which failed for equal
// ones. Users asked for an integer. [ADKPython3717].
func equalInstants(e *env) {
	tn := e.tenant("acme")
	s := e.create(tn, seshat.NewSession{ID: "s"})
	for i := range 5 { // all in the same millisecond
		var err error
		s, err = tn.Update(e.ctx, "s", func(s *seshat.Session) error {
			s.Name = fmt.Sprint(i)
			return nil
		}, seshat.UpdateOptions{IfVersion: s.Version})
		e.must(err)
	}
	_, err := tn.Update(e.ctx, "s", func(*seshat.Session) error { return nil },
		seshat.UpdateOptions{IfVersion: s.Version - 1})
	e.isError(err, seshat.ErrConflict)
}

// A stale handle was reloaded silently, so two turns were interleaved and the
// history was corrupt for ever. [ADKPython4751].
func interleavedTurns(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			id := fmt.Sprint(g)
			if _, err := tn.Append(e.ctx, "s", namedCall(id), namedResult(id)); err != nil {
				e.Error(err)
			}
		})
	}
	wg.Wait()
	page, err := tn.History(e.ctx, "s", seshat.HistoryQuery{})
	e.must(err)
	log := page.Messages
	for i := 0; i < len(log); i += 2 {
		e.equalText(log[i].ID, log[i].ToolCallID+".call")
		e.equalText(log[i+1].ID, log[i].ToolCallID+".result")
	}
	// A caller that must not answer unseen messages says which number it knows.
	known := uint64(0)
	_, err = tn.AppendTurn(e.ctx, "s", seshat.Turn{Messages: []seshat.Message{namedCall("late")}, IfLastSeq: &known})
	e.isError(err, seshat.ErrConflict)
	e.equalText(e.get(tn, "s").LastSeq, 16)
}

// While a human thought about a question, the session changed, and the version
// check ended the turn. [AGUI957].
func humanInTheLoop(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	_, err := tn.Append(e.ctx, "s", namedCall("approve"))
	e.must(err)
	e.clock.Advance(24 * time.Hour)
	_, err = tn.Update(e.ctx, "s", func(s *seshat.Session) error {
		s.Name = "changed by a dashboard"
		return nil
	}, seshat.UpdateOptions{})
	e.must(err)
	_, err = tn.Append(e.ctx, "s", namedResult("approve"))
	e.must(err)
	e.equalText(e.get(tn, "s").MessageCount, 2)
}

// Every caller wrapped the append in retries (also Solace Agent Mesh PR 937,
// ADK Go PR 1256). [ADKPythonPR3586].
func noRetries(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 5 {
				if _, err := tn.Append(e.ctx, "s", seshat.Message{Role: seshat.RoleUser}); err != nil {
					e.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s := e.get(tn, "s")
	e.equalText([2]uint64{s.MessageCount, s.LastSeq}, [2]uint64{80, 80})
}

// An event with a back-dated timestamp bypassed the version check.
// [ADKGoDatabase].
func backdatedWriter(e *env) {
	tn := e.tenant("acme")
	v := e.create(tn, seshat.NewSession{ID: "s"}).Version
	for range 2 {
		_, err := tn.Append(e.ctx, "s", seshat.Message{Role: seshat.RoleUser, Timestamp: time.Unix(1, 0)})
		e.must(err)
	}
	rename := func(s *seshat.Session) error {
		s.Name = "x"
		return nil
	}
	_, err := tn.Update(e.ctx, "s", rename, seshat.UpdateOptions{IfVersion: v})
	e.must(err)
	_, err = tn.Update(e.ctx, "s", rename, seshat.UpdateOptions{IfVersion: v})
	e.isError(err, seshat.ErrConflict)
}

// A rejected append left its event in the caller's handle as if it were stored.
// [ADKGoDatabase].
func rejectedTurn(e *env) {
	tn := e.tenant("acme")
	s := e.create(tn, seshat.NewSession{ID: "s", Quotas: seshat.Quotas{MaxMessages: 1}})
	turn := []seshat.Message{{Role: seshat.RoleUser}, {Role: seshat.RoleAssistant}}
	after, err := tn.Append(e.ctx, "s", turn...)
	e.isError(err, seshat.ErrQuota)
	if after != nil || s.MessageCount != 0 || turn[0].ID != "" || turn[0].Seq != 0 {
		e.Fatalf("a rejected append left %v, %v, %+v", after, s, turn)
	}
	e.equalText(e.contents(tn, "s"), []string{})
}

// Callers and store shared events and state: a concurrent map write ended the
// process (also trpc-agent-go 2516). [ADKGo1560].
func sharedMaps(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s", Labels: map[string]string{"k": "v"}, Metadata: map[string]any{"k": "v"}})
	e.sayAll(tn, "s", "hello")
	shared := e.get(tn, "s")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := tn.Get(e.ctx, "s")
			if err != nil {
				e.Error(err)
				return
			}
			s.Labels["k"], s.Metadata.Map()["k"] = "mine", "mine"
			_ = shared.Metadata.Map()["k"]
			_ = shared.Labels["k"]
			if _, err := tn.Append(e.ctx, "s", seshat.Message{Role: seshat.RoleUser}); err != nil {
				e.Error(err)
			}
		})
	}
	wg.Wait()
	s := e.get(tn, "s")
	e.equalText(s.Labels["k"], "v")
	e.equalText(s.Metadata.Map()["k"], "v")
}

// With two runners of one session, nothing fenced the one that hung (also
// stacklok/mecatl 60). [QwenLMPR7237].
func fencedRunners(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	hung, err := tn.AcquireLease(e.ctx, "s", "one", time.Minute)
	e.must(err)
	_, err = tn.AcquireLease(e.ctx, "s", "two", time.Minute)
	e.isError(err, seshat.ErrLease)
	e.clock.Advance(time.Minute)
	next, err := tn.AcquireLease(e.ctx, "s", "two", time.Minute)
	e.must(err)
	turn := seshat.Turn{Messages: []seshat.Message{{Role: seshat.RoleAssistant}}, Lease: hung.Token}
	_, err = tn.AppendTurn(e.ctx, "s", turn)
	e.isError(err, seshat.ErrLease)
	turn.Lease = next.Token
	_, err = tn.AppendTurn(e.ctx, "s", turn)
	e.must(err)
	e.equalText(e.get(tn, "s").MessageCount, 1)
}

// A retry stored its event twice and applied its state twice (also 5723).
// [ADKPython4506].
func repeatedTurn(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	turn := seshat.Turn{Messages: []seshat.Message{namedCall("a"), namedResult("a")}, State: map[string]any{"n": 1}}
	first, err := tn.AppendTurn(e.ctx, "s", turn)
	e.must(err)
	e.must(tn.MergeState(e.ctx, seshat.SessionScope("s"), map[string]any{"n": 2}))
	again, err := tn.AppendTurn(e.ctx, "s", turn)
	e.must(err)
	e.equalText([3]any{again.Repeated, again.First, again.Last}, [3]any{true, first.First, first.Last})
	state, err := tn.State(e.ctx, seshat.SessionScope("s"))
	e.must(err)
	e.equalText(state["n"], 2)
	e.equalText(e.get(tn, "s").MessageCount, 2)
}

// Storing an event id twice should be a no-op, but it failed or stored the
// event twice. [SpringAISessionPR40].
func repeatedID(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	for range 3 {
		_, err := tn.Append(e.ctx, "s", namedCall("a"))
		e.must(err)
	}
	e.equalText(e.get(tn, "s").MessageCount, 1)
	other := namedCall("a")
	other.Content = "other"
	_, err := tn.Append(e.ctx, "s", other)
	var used *seshat.MessageIDError
	if !errors.As(err, &used) || used.MessageID != "a.call" || used.Seq != 1 {
		e.Fatalf("got error %v", err)
	}
}

// A tool ran, but the write of its result failed, so the call stayed an orphan.
// Here, a caller can write both in one turn and repeat it. [OpenAIAgents4615].
func toolPair(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	canceled, cancel := context.WithCancel(e.ctx)
	cancel()
	_, err := tn.Append(canceled, "s", namedCall("a"), namedResult("a"))
	e.isError(err, context.Canceled)
	e.equalText(e.get(tn, "s").MessageCount, 0)
	_, err = tn.Append(e.ctx, "s", namedCall("a"), namedResult("a"))
	e.must(err)
	e.equalText(e.get(tn, "s").MessageCount, 2)
}

// A half-written pair of call and result made a session unusable for ever (also
// 19048, strands PR 1123, pi 4189). [OpenClaw4728].
func halfTurn(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	bad := namedResult("a")
	bad.ToolOutputs = []byte("{not json")
	_, err := tn.Append(e.ctx, "s", namedCall("a"), bad)
	e.isError(err, seshat.ErrInvalid)
	e.equalText(e.get(tn, "s").LastSeq, 0)
	_, err = tn.Append(e.ctx, "s", seshat.Message{Role: seshat.RoleUser, Tokens: 1}, namedCall("a"), namedResult("a"))
	e.must(err)
	for budget := uint64(1); budget <= 3; budget++ {
		page, err := tn.History(e.ctx, "s", seshat.HistoryQuery{TokenBudget: budget})
		e.must(err)
		e.equalText(len(page.Messages) > 0 && page.Messages[0].ContentType == seshat.ContentToolResult, false)
	}
}

// Messages with equal timestamps came back in any order: c, a, b, z, d as d, z,
// b, a, c. [ADKGoDatabase].
func equalTimestamps(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	at := time.Unix(1_700_000_000, 0)
	for _, text := range []string{"c", "a", "b", "z", "d"} {
		_, err := tn.Append(e.ctx, "s", seshat.Message{ID: text, Role: seshat.RoleUser, Content: text, Timestamp: at})
		e.must(err)
	}
	e.equalText(e.contents(tn, "s"), []string{"c", "a", "b", "z", "d"})
}

// sayAll appends one user message per text, as one turn.
func (e *env) sayAll(t *seshat.Tenant, id string, texts ...string) *seshat.Session {
	e.Helper()
	var all []seshat.Message
	for _, text := range texts {
		all = append(all, seshat.Message{Role: seshat.RoleUser, Content: text})
	}
	return e.append(t, id, all...)
}

// contents returns the contents of the log, in order.
func (e *env) contents(t *seshat.Tenant, id string) []string {
	e.Helper()
	out := []string{}
	for m, err := range t.Messages(e.ctx, id, seshat.HistoryQuery{}) {
		e.must(err)
		out = append(out, m.Content)
	}
	return out
}

// equalText fails unless two values print alike.
func (e *env) equalText(got, want any) {
	e.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		e.Fatalf("got %v, want %v", got, want)
	}
}

func namedCall(id string) seshat.Message {
	return seshat.Message{
		ID: id + ".call", Role: seshat.RoleAssistant, ContentType: seshat.ContentToolCall, ToolCallID: id, Tokens: 1,
	}
}

func namedResult(id string) seshat.Message {
	return seshat.Message{
		ID: id + ".result", Role: seshat.RoleTool, ContentType: seshat.ContentToolResult, ToolCallID: id, Tokens: 1,
	}
}
