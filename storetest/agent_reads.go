package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/seshatdb/seshat"
)

var agentReads = []promise{
	{name: "a page costs what it shows", test: pagedList},
	{name: "no page is lost or shown twice", test: noLostPages},
	{name: "lists have a limit, an order and a total", test: limitOrderTotal},
	{name: "a list shows titles and metadata", test: listedTitle},
	{name: "cursors cannot be made up", test: opaqueCursors},
	{name: "a list shows no other user", test: ownSessions},
	{name: "sessions of a user can be found, counted and erased", test: sessionsOfUser},
	{name: "the newest of many messages are read alone", test: newestOfMany},
	{name: "a summary rewrites only what it replaces", test: summaryRewritesLittle},
	{name: "state changes without a message", test: stateAlone},
	{name: "writers of different keys lose nothing", test: stateByKey},
	{name: "state of a user needs no session", test: userStateAlone},
	{name: "a key of state can be deleted", test: deletedKey},
	{name: "shared state is shared by choice", test: sharedState},
	{name: "absence is not taken for another error", test: absenceIsCertain},
	{name: "every field comes back", test: allFieldsBack},
}

// Listing ten thousand sessions took 74 seconds, because lists had no pages
// (also 4871). [ADKPython4621].
func pagedList(e *env) {
	tn := e.tenant("acme")
	const n = 120
	for i := range n {
		e.create(tn, seshat.NewSession{ID: fmt.Sprint(i)})
		e.clock.Advance(time.Second)
	}
	p, err := tn.List(e.ctx, seshat.Query{Limit: 10})
	e.must(err)
	e.equalText(len(p.Sessions), 10)
	e.equalText(p.Scanned <= 11, true)
	e.equalText(p.Sessions[0].ID, n-1)
	e.equalText(p.NextCursor != "", true)
}

// Lists lost or repeated pages while sessions came and went (also 2860).
// [ADKPython4302].
func noLostPages(e *env) {
	tn := e.tenant("acme")
	for i := range 40 {
		e.create(tn, seshat.NewSession{ID: fmt.Sprintf("%02d", i)})
	}
	seen := map[string]int{}
	for s, err := range tn.Sessions(e.ctx, seshat.Query{Limit: 7}) {
		e.must(err)
		seen[s.ID]++
		if s.ID[1] == '5' {
			e.create(tn, seshat.NewSession{ID: "new " + s.ID})
			e.sayAll(tn, "00", "active meanwhile")
		}
	}
	for i := range 40 {
		e.equalText(seen[fmt.Sprintf("%02d", i)], 1)
	}
}

// Lists had no limit, order or total. [ADKJSPR331].
func limitOrderTotal(e *env) {
	tn := e.tenant("acme")
	for i := range 5 {
		e.create(tn, seshat.NewSession{ID: fmt.Sprint(i), UserID: "mia"})
		e.clock.Advance(time.Minute)
	}
	e.sayAll(tn, "1", "newest activity")
	p, err := tn.List(e.ctx, seshat.Query{UserID: "mia", Order: seshat.OrderByActivity, Limit: 2})
	e.must(err)
	e.equalText([2]string{p.Sessions[0].ID, p.Sessions[1].ID}, [2]string{"1", "4"})
	n, err := tn.Count(e.ctx, seshat.Query{UserID: "mia"})
	e.must(err)
	e.equalText(n, 5)
}

// Lists showed neither title nor metadata (also ADK Python PR 1825,
// claude-agent-sdk-typescript 165). [ADKPython781].
func listedTitle(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s", Metadata: map[string]any{"topic": "flights"}})
	e.sayAll(tn, "s", "Book me a flight", "please")
	p, err := tn.List(e.ctx, seshat.Query{})
	e.must(err)
	s := p.Sessions[0]
	e.equalText([3]any{s.Name, s.Metadata.Map()["topic"], s.MessageCount}, [3]any{"Book me a flight", "flights", 2})
}

// A cursor that is an offset, or that callers can build, breaks and leaks.
// [GajaeCode3955].
func opaqueCursors(e *env) {
	tn := e.tenant("acme")
	for i := range 3 {
		e.create(tn, seshat.NewSession{ID: fmt.Sprint(i), UserID: "mia"})
	}
	p, err := tn.List(e.ctx, seshat.Query{Limit: 1})
	e.must(err)
	for _, q := range []seshat.Query{
		{Cursor: "1"},
		{Cursor: p.NextCursor + "A"},
		{Cursor: p.NextCursor, UserID: "mia"},
		{Cursor: p.NextCursor, OldestFirst: true},
	} {
		_, err := tn.List(e.ctx, q)
		e.isError(err, seshat.ErrInvalid)
	}
	_, err = e.tenant("other").List(e.ctx, seshat.Query{Cursor: p.NextCursor})
	e.isError(err, seshat.ErrInvalid)
}

// A list of sessions showed those of other users. [Idun670].
func ownSessions(e *env) {
	tn := e.tenant("acme")
	for _, user := range []string{"a", "ab", "a%", "b"} {
		e.create(tn, seshat.NewSession{ID: "of " + user, UserID: user})
	}
	for s, err := range tn.Sessions(e.ctx, seshat.Query{UserID: "a"}) {
		e.must(err)
		e.equalText(s.ID, "of a")
	}
}

// Sessions could not be found, counted or deleted by user. [OpenAIAgents2808].
func sessionsOfUser(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "1", UserID: "mia"})
	e.create(tn, seshat.NewSession{ID: "2", UserID: "mia"})
	e.create(tn, seshat.NewSession{ID: "3", UserID: "tom"})
	n, err := tn.Count(e.ctx, seshat.Query{UserID: "mia"})
	e.must(err)
	e.equalText(n, 2)
	erased, err := tn.DeleteUser(e.ctx, "mia")
	e.must(err)
	e.equalText(erased.Sessions, 2)
	e.get(tn, "3")
}

// Reading the newest of 50,000 events read all others too (also 4673: 70
// seconds for a runner that loads them all). [ADKPython2854].
func newestOfMany(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	for range 8 {
		_, err := tn.Append(e.ctx, "s", fiftyMessages()...)
		e.must(err)
	}
	page, err := tn.History(e.ctx, "s", seshat.HistoryQuery{Last: 20})
	e.must(err)
	last := page.Messages
	e.equalText([3]uint64{uint64(len(last)), last[0].Seq, last[19].Seq}, [3]uint64{20, 381, 400})
	newest, err := tn.History(e.ctx, "s", seshat.HistoryQuery{NewestFirst: true, Limit: 1})
	e.must(err)
	e.equalText(newest.Messages[0].Seq, 400)
}

// Compaction rewrote every event of the session. [SpringAISession28].
func summaryRewritesLittle(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	_, err := tn.Append(e.ctx, "s", fiftyMessages()...)
	e.must(err)
	before, err := tn.History(e.ctx, "s", seshat.HistoryQuery{FromSeq: 41})
	e.must(err)
	short := seshat.Message{Role: seshat.RoleSystem, Content: "short"}
	_, err = tn.Summarize(e.ctx, "s", seshat.Range{From: 1, To: 40}, short)
	e.must(err)
	after, err := tn.History(e.ctx, "s", seshat.HistoryQuery{})
	e.must(err)
	e.equalText(len(after.Messages), 11)
	e.equalText(after.Messages[0].Seq, 40)
	e.equalText(after.Messages[0].Summary, seshat.Range{From: 1, To: 40})
	e.equalText(reflect.DeepEqual(after.Messages[1:], before.Messages), true)
}

// State changed only by events, which the version check could refuse.
// [ADKPythonPR6236].
func stateAlone(e *env) {
	tn := e.tenant("acme")
	v := e.create(tn, seshat.NewSession{ID: "s"}).Version
	e.must(tn.MergeState(e.ctx, seshat.SessionScope("s"), map[string]any{"k": "v"}))
	s := e.get(tn, "s")
	e.equalText([2]uint64{s.Version, s.LastSeq}, [2]uint64{v, 0})
	state, err := tn.State(e.ctx, seshat.SessionScope("s"))
	e.must(err)
	e.equalText(state, map[string]any{"k": "v"})
}

// State was one blob, so a later writer undid another writer's key.
// [Omnigent3402].
func stateByKey(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			err := tn.MergeState(e.ctx, seshat.SessionScope("s"), map[string]any{fmt.Sprint(g): true})
			if err != nil {
				e.Error(err)
			}
		})
	}
	wg.Wait()
	state, err := tn.State(e.ctx, seshat.SessionScope("s"))
	e.must(err)
	e.equalText(len(state), 16)
}

// State of a user could not be read without a session. [ADKGo1158].
func userStateAlone(e *env) {
	tn := e.tenant("acme")
	e.must(tn.MergeState(e.ctx, seshat.UserScope("mia"), map[string]any{"seat": "aisle"}))
	state, err := tn.State(e.ctx, seshat.UserScope("mia"))
	e.must(err)
	e.equalText(state["seat"], "aisle")
}

// A key could not be deleted: setting it to nil stored a null (also ADK Python
// PR 6625). [ADKGo326].
func deletedKey(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s", State: map[string]any{"k": "v", "other": 1}})
	e.must(tn.MergeState(e.ctx, seshat.SessionScope("s"), map[string]any{"k": nil}))
	state, err := tn.State(e.ctx, seshat.SessionScope("s"))
	e.must(err)
	_, there := state["k"]
	e.equalText(there, false)
	e.equalText(state["other"], 1)
}

// Users asked for state that all sessions share explicitly. [ADKPython1793].
func sharedState(e *env) {
	tn := e.tenant("acme")
	e.must(tn.MergeState(e.ctx, seshat.NamespaceScope(), map[string]any{"motd": "hi"}))
	state, err := tn.State(e.ctx, seshat.NamespaceScope())
	e.must(err)
	e.equalText(state["motd"], "hi")
	state, err = e.tenant("other").State(e.ctx, seshat.NamespaceScope())
	e.must(err)
	e.equalText(len(state), 0)
}

// Only the text of an error said that a session is absent. A runner that
// creates missing sessions created one on any error, and the history was lost
// (also 85). [ADKGo751].
func absenceIsCertain(e *env) {
	tn := e.tenant("acme")
	_, err := tn.Get(e.ctx, "absent")
	e.isError(err, seshat.ErrNotFound)
	var failure *seshat.Error
	e.equalText(errors.As(err, &failure) && failure.ID == "absent", true)
	e.create(tn, seshat.NewSession{ID: "s"})
	e.sayAll(tn, "s", "history")
	s, created, err := tn.Ensure(e.ctx, seshat.NewSession{ID: "s"})
	e.must(err)
	e.equalText([2]any{created, s.MessageCount}, [2]any{false, 1})
	e.must(e.Close())
	_, _, err = tn.Ensure(e.ctx, seshat.NewSession{ID: "s"})
	e.isError(err, seshat.ErrClosed)
	e.equalText(errors.Is(err, seshat.ErrNotFound), false)
}

// The database lost fields of events. [ADKGoDatabase].
func allFieldsBack(e *env) {
	tn := e.tenant("acme")
	e.create(tn, seshat.NewSession{ID: "s"})
	payload := []byte(`{"finish_reason":"STOP","logprobs":{},"empty":null}` + "\x00\xff")
	m := seshat.Message{Role: seshat.RoleFramework, ContentType: seshat.ContentEvent, Payload: payload, Author: "root"}
	_, err := tn.Append(e.ctx, "s", m)
	e.must(err)
	page, err := tn.History(e.ctx, "s", seshat.HistoryQuery{})
	e.must(err)
	got := page.Messages[0]
	e.equalText([2]any{string(got.Payload), got.Author}, [2]any{string(payload), "root"})
}

// fiftyMessages returns fifty messages.
func fiftyMessages() []seshat.Message {
	all := make([]seshat.Message, 50)
	for i := range all {
		all[i] = seshat.Message{Role: seshat.RoleUser, Content: "message"}
	}
	return all
}
