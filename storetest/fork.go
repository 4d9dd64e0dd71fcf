package storetest

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var forks = []promise{
	{name: "the prefix is the parent's", test: forkPrefix},
	{name: "what is copied and what is not", test: forkFields},
	{name: "both are independent ever after", test: forkIndependent},
	{name: "the state is that of the number", test: forkState},
	{name: "at every number of a log with gaps", test: forkEverywhere},
	{name: "a log of many steps", test: forkLarge},
	{name: "in any status", test: forkStatus},
	{name: "a fork of a fork", test: forkTwice},
	{name: "copying is not talking", test: forkRate},
	{name: "what cannot be forked", test: forkRefused},
	{name: "an id whose session expired is free", test: forkOverExpired},
	{name: "a copy of a parent that is edited is whole", test: forkWhileEdited},
	{name: "a parent that is deleted meanwhile", test: forkWhileDeleted},
}

func (e *env) fork(t *seshat.Tenant, id string, f seshat.ForkOptions) *seshat.Session {
	e.Helper()
	s, err := t.Fork(e.ctx, id, f)
	e.must(err)
	return s
}

// sameLogs fails the test unless the messages are equal.
func sameLogs(e *env, got, want []seshat.Message) {
	e.Helper()
	if fmt.Sprint(numbers(got)) != fmt.Sprint(numbers(want)) {
		e.Fatalf("got messages %v, want %v", numbers(got), numbers(want))
	}
	for i := range got {
		same(e, got[i], want[i])
	}
}

func forkPrefix(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	all := newMessages(5)
	all[1].ID = "mine"
	all[2].Latency = 10 * ms
	all[2].Tokens = 3
	all[3].Role = seshat.RoleAssistant
	all[3].ContentType = seshat.ContentToolCall
	e.append(t, "s", all...)
	e.clock.Advance(minute)
	child := e.fork(t, "s", seshat.ForkOptions{ID: "f", Seq: 3})
	e.same("fork", e.get(t, "f"), child)
	log := e.log(t, "s")
	sameLogs(e, e.log(t, "f"), log[:3])
	equal(e, "parent", child.Parent, seshat.Parent{SessionID: "s", Seq: 3})
	equal(e, "counts", [2]uint64{child.MessageCount, child.LastSeq}, [2]uint64{3, 3})
	equal(e, "stats", child.Stats, seshat.SessionStats{
		TotalMessages: 3, TotalTokens: 3, AvgLatencyMS: 10,
		LatencyCount: 1,
	})
	all[1].ID = "mine"
	e.expectRepeat(t, "f", 2, 2, all[1])
	equal(e, "next number", e.append(t, "f", newMessages(1)...).LastSeq, 4)
	whole := e.fork(t, "s", seshat.ForkOptions{})
	sameLogs(e, e.log(t, whole.ID), log)
	equal(e, "parent of the whole", whole.Parent.Seq, 5)
	equal(e, "tool calls of the whole", whole.Stats.TotalToolCalls, 1)
}

func forkFields(e *env) {
	t := e.tenant("t")
	n := fullSession()
	n.Quotas.MaxMessages = 10
	e.create(t, n)
	e.append(t, "s", newMessages(1)...)
	e.move(t, "s", seshat.StatusIdle)
	e.clock.Advance(minute)
	parent := e.get(t, "s")
	child := e.fork(t, "s", seshat.ForkOptions{ID: "f"})
	now := seshattest.Start.Add(minute)
	want := *parent
	want.ID = "f"
	want.Version = 1
	want.Parent = seshat.Parent{SessionID: "s", Seq: 1}
	want.Status = seshat.StatusActive
	want.LastTransition = seshat.Transition{}
	want.CreatedAt, want.UpdatedAt, want.LastActivityAt, want.ExpiresAt = now, now, now, now.Add(3*hour)
	e.same("fork", child, &want)
	equal(e, "found by user and label", e.count(t, seshat.Query{
		UserID: "mia",
		Labels: map[string]string{"lang": "de"},
	}), 2)
	e.same("parent", e.get(t, "s"), parent)
}

func forkIndependent(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Labels: map[string]string{"k": "v"}})
	e.append(t, "s", newMessages(4)...)
	e.fork(t, "s", seshat.ForkOptions{ID: "f"})
	for _, pair := range [][2]string{{"s", "f"}, {"f", "s"}} {
		check := e.unchangedSince(t, pair[1])
		id := pair[0]
		e.append(t, id, newMessages(2)...)
		e.must(second(t.EditMessage(e.ctx, id, 1, exclaim)))
		e.must(second(t.DeleteMessage(e.ctx, id, 2)))
		e.must(second(t.Truncate(e.ctx, id, 3)))
		e.must(t.MergeState(e.ctx, seshat.SessionScope(id), map[string]any{"k": id}))
		e.update(t, id, func(s *seshat.Session) { s.Labels["k"], s.Name = id, id })
		e.move(t, id, seshat.StatusTerminated)
		check()
		e.must(second(t.Delete(e.ctx, id)))
		check()
		if id == "s" {
			e.create(t, seshat.NewSession{ID: "s"})
			e.append(t, "s", newMessages(1)...)
		}
	}
}

func forkState(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", State: map[string]any{"a": "initial"}})
	e.turn(t, "s", seshat.Turn{Messages: newMessages(1), State: map[string]any{"a": "one", "b": "one"}})
	e.turn(t, "s", seshat.Turn{Messages: newMessages(1), State: map[string]any{"a": nil}})
	e.fork(t, "s", seshat.ForkOptions{ID: "one", Seq: 1})
	e.expectState(t, seshat.SessionScope("one"), map[string]any{"a": "one", "b": "one"})
	e.expectStateAt(t, "one", 0, map[string]any{"a": "one", "b": "one"}) // its initial state
	e.fork(t, "s", seshat.ForkOptions{ID: "all"})
	e.expectState(t, seshat.SessionScope("all"), map[string]any{"b": "one"})
	e.merge(t, seshat.SessionScope("s"), map[string]any{"b": "parent"})
	e.merge(t, seshat.SessionScope("one"), map[string]any{"b": "child"})
	e.expectState(t, seshat.SessionScope("all"), map[string]any{"b": "one"})
	e.expectState(t, seshat.SessionScope("s"), map[string]any{"b": "parent"})
	e.fork(t, "s", seshat.ForkOptions{ID: "later"})
	e.expectState(t, seshat.SessionScope("later"), map[string]any{"b": "parent"})
}

func forkEverywhere(e *env) {
	t := e.tenant("t")
	log, _ := e.appendWithGaps(t, "s", rand.New(rand.NewPCG(29, 31)), 8)
	last := e.get(t, "s").LastSeq
	for seq := uint64(1); seq <= last; seq++ {
		child := e.fork(t, "s", seshat.ForkOptions{ID: fmt.Sprint(seq), Seq: seq})
		want, _ := selected(log, &seshat.HistoryQuery{ToSeq: seq, Limit: len(log)})
		sameLogs(e, e.log(t, child.ID), want)
		equal(e, "next number", e.append(t, child.ID, newMessages(1)...).LastSeq, seq+1)
	}
}

func forkLarge(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	for range 3 {
		e.append(t, "s", newMessages(200)...)
	}
	e.append(t, "s", seshat.Message{Role: seshat.RoleUser, Payload: make([]byte, seshat.MaxPayloadBytes)})
	e.append(t, "s", newMessages(256)...) // Fork copies them in two steps of 128
	for _, seq := range []uint64{128, 129, 256, 601, 857} {
		child := e.fork(t, "s", seshat.ForkOptions{Seq: seq})
		equal(e, "counts", [2]uint64{child.MessageCount, child.LastSeq}, [2]uint64{seq, seq})
		n := uint64(0)
		for m, err := range t.Messages(e.ctx, child.ID, seshat.HistoryQuery{}) {
			e.must(err)
			n++
			equal(e, "number", m.Seq, n)
		}
		equal(e, "messages", n, seq)
	}
}

func forkStatus(e *env) {
	t := e.tenant("t")
	for _, status := range []seshat.Status{
		seshat.StatusActive, seshat.StatusIdle, seshat.StatusArchived,
		seshat.StatusTerminated,
	} {
		id := status.String()
		e.create(t, seshat.NewSession{ID: id})
		e.append(t, id, newMessages(1)...)
		e.move(t, id, status)
		child := e.fork(t, id, seshat.ForkOptions{ID: "of " + id})
		equal(e, "status", child.Status, seshat.StatusActive)
		equal(e, "termination", child.TerminatedAt.IsZero(), true)
		equal(e, "messages", e.append(t, child.ID, newMessages(1)...).MessageCount, 2)
		equal(e, "status of the parent", e.get(t, id).Status, status)
	}
}

func forkTwice(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "a"})
	e.fork(t, "a", seshat.ForkOptions{ID: "empty"})
	e.expectNumbers(t, "empty")
	e.append(t, "a", newMessages(2)...)
	e.fork(t, "a", seshat.ForkOptions{ID: "b"})
	e.append(t, "b", newMessages(1)...)
	c := e.fork(t, "b", seshat.ForkOptions{ID: "c"})
	equal(e, "parent", c.Parent, seshat.Parent{SessionID: "b", Seq: 3})
	e.must(second(t.Delete(e.ctx, "b")))
	e.expectNumbers(t, "c", 1, 2, 3)
}

func forkRate(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Quotas: seshat.Quotas{RateLimitMessagesPerMinute: 2}})
	e.append(t, "s", newMessages(2)...)
	e.fork(t, "s", seshat.ForkOptions{ID: "f"})
	_, err := t.Append(e.ctx, "s", newMessages(1)...)
	e.isQuotaSpent(err, rateQuota, 2, 2)
	e.append(t, "f", newMessages(2)...)
}

func forkRefused(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: hour}})
	e.append(t, "s", newMessages(2)...)
	e.create(t, seshat.NewSession{ID: "taken", Name: "kept"})
	check := e.unchangedSince(t, "taken")
	_, err := t.Fork(e.ctx, "s", seshat.ForkOptions{ID: "f", Seq: 3})
	e.isInvalid(err, "seq")
	_, err = t.Fork(e.ctx, "s", seshat.ForkOptions{ID: "\x00"})
	e.isInvalid(err, "session_id")
	for _, id := range []string{"taken", "s"} {
		_, err = t.Fork(e.ctx, "s", seshat.ForkOptions{ID: id})
		e.isError(err, seshat.ErrExists)
	}
	_, err = t.Fork(e.ctx, "absent", seshat.ForkOptions{ID: "f"})
	e.isError(err, seshat.ErrNotFound)
	_, err = e.tenant("other").Fork(e.ctx, "s", seshat.ForkOptions{ID: "f"})
	e.isError(err, seshat.ErrNotFound)
	check()
	e.clock.Advance(hour)
	_, err = t.Fork(e.ctx, "s", seshat.ForkOptions{ID: "f"})
	e.isError(err, seshat.ErrNotFound)
	e.isGone(t, "f")
}

func forkOverExpired(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(1)...)
	e.create(t, seshat.NewSession{ID: "old", UserID: "mia", Lifecycle: seshat.Lifecycle{TTL: hour}})
	e.append(t, "old", newMessages(3)...)
	e.clock.Advance(hour)
	e.fork(t, "s", seshat.ForkOptions{ID: "old"})
	e.expectNumbers(t, "old", 1)
	equal(e, "found by the old user", e.count(t, seshat.Query{UserID: "mia"}), 0)
}

// forkWhileEdited edits the last message of the parent, then the first, each
// round with the number of the round. Fork copies the log in the other
// direction. A fork shows one moment if its last message is from the same round
// as its first or from the next one.
func forkWhileEdited(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	for range 3 {
		e.append(t, "s", newMessages(100)...)
	}
	for base := range uint64(6) {
		var wg sync.WaitGroup
		wg.Go(func() {
			for round := range uint64(10) {
				e.editTokens(t, "s", 300, base*10+round+1)
				e.editTokens(t, "s", 1, base*10+round+1)
			}
		})
		child := e.fork(t, "s", seshat.ForkOptions{})
		wg.Wait()
		log := e.log(t, child.ID)
		equal(e, "messages", len(log), 300)
		if first, last := log[0].Tokens, log[299].Tokens; last != first && last != first+1 {
			e.Fatalf("a fork has the first message of round %d and the last of round %d", first, last)
		}
	}
}

// editTokens edits the tokens of a message. It may run in any goroutine.
func (e *env) editTokens(t *seshat.Tenant, id string, seq, n uint64) {
	_, err := t.EditMessage(e.ctx, id, seq, func(m *seshat.Message) error {
		m.Tokens = n
		return nil
	})
	if err != nil {
		e.Error(err)
	}
}

// forkWhileDeleted deletes the parent at a random moment of a fork. The child
// is complete or absent, and its staged log is reclaimed.
func forkWhileDeleted(e *env) {
	t := e.tenant("t")
	for i := range 8 {
		id := fmt.Sprint(i)
		e.create(t, seshat.NewSession{ID: id, UserID: "mia"})
		for range 3 {
			e.append(t, id, newMessages(200)...)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := t.DeleteUser(e.ctx, "mia"); err != nil {
				e.Error(err)
			}
		})
		_, err := t.Fork(e.ctx, id, seshat.ForkOptions{ID: "f"})
		wg.Wait()
		if err != nil {
			e.isError(err, seshat.ErrNotFound)
		}
		e.isGone(t, "f")
	}
	e.clock.Advance(hour)
	e.sweep()
	u, err := t.Usage(e.ctx)
	e.must(err)
	equal(e, "usage", u, seshat.Usage{})
	r, err := e.Check(e.ctx)
	e.must(err)
	equal(e, "messages that are stored", r.Messages, 0)
}
