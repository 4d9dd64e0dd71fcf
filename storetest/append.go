package storetest

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var appends = []promise{
	{name: "stats count what was appended", test: logStats},
	{name: "the first user message names the session", test: logNames},
	{name: "an update does not take the name away", test: logNamedMeanwhile},
	{name: "a message wakes an idle session", test: logWakes},
	{name: "a message wakes what idles unswept", test: logWakesOverdue},
	{name: "an append slides the deadline", test: logSlides},
	{name: "an absolute deadline stays", test: logAbsolute},
	{name: "what is read-only takes no message", test: logReadOnly},
	{name: "messages are the caller's own", test: logOwnership},
	{name: "the time of appending never falls", test: logTimes},
}

func logStats(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	call := seshat.Message{
		Role: seshat.RoleAssistant, ContentType: seshat.ContentToolCall, Tokens: 5,
		Latency: 100 * ms,
	}
	e.append(t, "s", seshat.Message{Role: seshat.RoleUser, Tokens: 10}, call)
	call.ToolCalls = 3
	call.Latency = 201 * ms
	s := e.append(t, "s", call)
	want := seshat.SessionStats{
		TotalMessages: 3, TotalTokens: 20, TotalToolCalls: 4, AvgLatencyMS: 150.5,
		LatencyCount: 2,
	}
	equal(e, "stats", s.Stats, want)
	_, err := t.Truncate(e.ctx, "s", 0)
	e.must(err)
	s = e.get(t, "s")
	equal(e, "stats after a truncation", s.Stats, want)
	equal(e, "messages after a truncation", s.MessageCount, 0)
	call.Latency = 399 * time.Microsecond // rounds to zero
	s = e.append(t, "s", call)
	equal(e, "latencies", s.Stats.LatencyCount, 2)
}

func logNames(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	s := e.append(t, "s", seshat.Message{Role: seshat.RoleSystem, Content: "Be brief."},
		seshat.Message{Role: seshat.RoleUser, Content: " \n"})
	equal(e, "name without words of a user", s.Name, "")
	v := s.Version
	s = e.append(t, "s",
		seshat.Message{Role: seshat.RoleAssistant, Content: "Hello."},
		seshat.Message{Role: seshat.RoleUser, Content: "\n  Book me\ta flight \nto Seattle."},
		seshat.Message{Role: seshat.RoleUser, Content: "Please."})
	equal(e, "name", s.Name, "Book me a flight")
	equal(e, "version", s.Version, v)
	s = e.append(t, "s", seshat.Message{Role: seshat.RoleUser, Content: "Another."})
	equal(e, "name after another message", s.Name, "Book me a flight")
	e.create(t, seshat.NewSession{ID: "named", Name: "mine"})
	equal(e, "given name", e.append(t, "named", newMessages(1)...).Name, "mine")
	e.create(t, seshat.NewSession{ID: "long"})
	s = e.append(t, "long", seshat.Message{Role: seshat.RoleUser, Content: strings.Repeat("é", 81)})
	equal(e, "long name", s.Name, strings.Repeat("é", 79)+"…")
}

// logNamedMeanwhile: while an update is edited, an append names the session.
// The update does not undo that name.
func logNamedMeanwhile(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	s := e.update(t, "s", func(s *seshat.Session) {
		e.append(t, "s", newMessages(1)...)
		s.Labels = map[string]string{"k": "v"}
	})
	equal(e, "name", s.Name, "message 0")
	equal(e, "label", s.Labels["k"], "v")
	s = e.update(t, "s", func(s *seshat.Session) { s.Name = "" })
	equal(e, "name that was taken away", s.Name, "")
}

func logWakes(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	v := e.move(t, "s", seshat.StatusIdle).Version
	e.clock.Advance(minute)
	s := e.append(t, "s", newMessages(1)...)
	equal(e, "status", s.Status, seshat.StatusActive)
	equal(e, "version", s.Version, v)
	equal(e, "move", s.LastTransition, seshat.Transition{At: seshattest.Start.Add(minute), Reason: "message"})
	equal(e, "activity", s.LastActivityAt, seshattest.Start.Add(minute))
	equal(e, "listed as active", e.count(t, seshat.Query{Statuses: []seshat.Status{seshat.StatusActive}}), 1)
}

func logWakesOverdue(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{IdleAfter: hour, ArchiveAfter: hour}})
	e.clock.Advance(hour)
	equal(e, "status", e.append(t, "s", newMessages(1)...).Status, seshat.StatusActive)
	e.clock.Advance(2 * hour)
	_, err := t.Append(e.ctx, "s", newMessages(1)...)
	e.isError(err, seshat.ErrReadOnly)
	e.expectNumbers(t, "s", 1)
}

func logSlides(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: hour, MaxLifetime: 2 * hour}})
	e.clock.Advance(hour - ms)
	s := e.append(t, "s", newMessages(1)...)
	equal(e, "end", s.ExpiresAt, seshattest.Start.Add(2*hour-ms))
	e.clock.Advance(hour - ms)
	s = e.append(t, "s", newMessages(1)...)
	equal(e, "end, capped", s.ExpiresAt, seshattest.Start.Add(2*hour))
	e.clock.Advance(2 * ms)
	e.isGone(t, "s")
}

func logAbsolute(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: hour, Expiry: seshat.ExpiryAbsolute}})
	e.clock.Advance(hour / 2)
	s := e.append(t, "s", newMessages(1)...)
	equal(e, "end", s.ExpiresAt, seshattest.Start.Add(hour))
	e.clock.Advance(hour / 2)
	_, err := t.Append(e.ctx, "s", newMessages(1)...)
	e.isError(err, seshat.ErrNotFound)
	_, err = t.History(e.ctx, "s", seshat.HistoryQuery{})
	e.isError(err, seshat.ErrNotFound)
}

func logReadOnly(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(2)...)
	for _, status := range []seshat.Status{seshat.StatusArchived, seshat.StatusTerminated} {
		e.move(t, "s", status)
		check := e.unchangedSince(t, "s")
		for name, call := range logWrites {
			if err := call(e, t); !errors.Is(err, seshat.ErrReadOnly) {
				e.Fatalf("%s of a session that is %v: got error %v", name, status, err)
			}
		}
		check()
	}
}

// logWrites are all calls that change the log of a session "s".
var logWrites = map[string]func(*env, *seshat.Tenant) error{
	"Append":        func(e *env, t *seshat.Tenant) error { return second(t.Append(e.ctx, "s", newMessages(1)...)) },
	"DeleteMessage": func(e *env, t *seshat.Tenant) error { return second(t.DeleteMessage(e.ctx, "s", 1)) },
	"Truncate":      func(e *env, t *seshat.Tenant) error { return second(t.Truncate(e.ctx, "s", 1)) },
	"EditMessage": func(e *env, t *seshat.Tenant) error {
		return second(t.EditMessage(e.ctx, "s", 1, func(m *seshat.Message) error {
			m.Content = "edited"
			return nil
		}))
	},
	"Summarize": func(e *env, t *seshat.Tenant) error {
		return second(t.Summarize(e.ctx, "s", seshat.Range{From: 1, To: 2}, newMessages(1)[0]))
	},
}

func logOwnership(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	payload := []byte("payload")
	inputs := json.RawMessage(`"inputs"`)
	all := []seshat.Message{{Role: seshat.RoleUser, Payload: payload, ToolInputs: inputs}}
	e.append(t, "s", all...)
	equal(e, "what the append made of the caller's message", all[0].ID, "")
	payload[0] = 'X'
	inputs[1] = 'X'
	for range 2 {
		m := e.log(t, "s")[0]
		equal(e, "stored", string(m.Payload)+string(m.ToolInputs), `payload"inputs"`)
		m.Payload[0], m.ToolInputs[1] = 'X', 'X'
	}
}

// logTimes sets the clock back between appends.
func logTimes(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	for _, d := range []time.Duration{minute, -hour, 2 * hour, -ms, 0} {
		e.clock.Advance(d)
		e.append(t, "s", newMessages(1)...)
	}
	last := time.Time{}
	for _, m := range e.log(t, "s") {
		if m.AppendedAt.Before(last) {
			e.Fatalf("message %d was appended at %v, after one at %v", m.Seq, m.AppendedAt, last)
		}
		last = m.AppendedAt
	}
}
