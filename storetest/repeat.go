package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/seshatdb/seshat"
)

var repeats = []promise{
	{name: "the same turn again changes nothing", test: repeatTurn},
	{name: "also after all that can become of it", test: repeatLater},
	{name: "an earlier part again is known", test: repeatPart},
	{name: "other content under a known id is refused", test: repeatOther},
	{name: "every field tells messages apart", test: repeatFields},
	{name: "equal content is the same however it is written", test: repeatEqual},
	{name: "known and new do not mix", test: repeatMixed},
	{name: "ids belong to one session and one life", test: repeatElsewhere},
	{name: "goroutines that append one turn append it once", test: repeatRace},
}

// expectRepeat fails the test unless an append of the turn reports these stored
// numbers.
func (e *env) expectRepeat(t *seshat.Tenant, id string, first, last uint64, all ...seshat.Message) {
	e.Helper()
	a, err := t.AppendTurn(e.ctx, id, seshat.Turn{Messages: all})
	e.must(err)
	equal(e, "repeated", a.Repeated, true)
	equal(e, "numbers of the first time", [2]uint64{a.First, a.Last}, [2]uint64{first, last})
}

// isMessageIDError fails the test unless err is a MessageIDError with these
// values.
func (e *env) isMessageIDError(err error, id string, seq uint64) {
	e.Helper()
	var m *seshat.MessageIDError
	if !errors.As(err, &m) || !errors.Is(err, seshat.ErrConflict) {
		e.Fatalf("got error %v, want a MessageIDError", err)
	}
	equal(e, "message id", m.MessageID, id)
	equal(e, "its number", m.Seq, seq)
}

func repeatTurn(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(1)...)
	turn := []seshat.Message{
		{ID: "a", Role: seshat.RoleAssistant, ContentType: seshat.ContentToolCall, Tokens: 3},
		{ID: "b", Role: seshat.RoleTool, ContentType: seshat.ContentToolResult},
	}
	e.append(t, "s", turn...)
	check := e.unchangedSince(t, "s")
	e.clock.Advance(minute)
	e.expectRepeat(t, "s", 2, 3, turn...)
	check()
	e.reopen()
	t = e.tenant("t")
	e.expectRepeat(t, "s", 2, 3, turn...)
}

func repeatLater(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	turn := newMessages(4)
	for i := range turn {
		turn[i].ID = fmt.Sprint("m", i)
	}
	e.append(t, "s", turn...)
	again := func() {
		e.Helper()
		check := e.unchangedSince(t, "s")
		e.expectRepeat(t, "s", 1, 4, turn...)
		check()
	}
	_, err := t.EditMessage(e.ctx, "s", 1, func(m *seshat.Message) error {
		m.Content = "edited"
		return nil
	})
	e.must(err)
	again()
	_, err = t.DeleteMessage(e.ctx, "s", 2)
	e.must(err)
	again()
	_, err = t.Summarize(e.ctx, "s", seshat.Range{From: 1, To: 3}, newMessages(1)[0])
	e.must(err)
	again()
	_, err = t.Truncate(e.ctx, "s", 0)
	e.must(err)
	again()
	for _, status := range []seshat.Status{seshat.StatusIdle, seshat.StatusArchived, seshat.StatusTerminated} {
		e.move(t, "s", status)
		again()
	}
}

func repeatPart(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	all := newMessages(4)
	for i := range all {
		all[i].ID = fmt.Sprint("m", i)
	}
	e.append(t, "s", all[0], all[1])
	e.append(t, "s", all[2], all[3])
	e.expectRepeat(t, "s", 2, 2, all[1])
	e.expectRepeat(t, "s", 2, 3, all[1], all[2])
	e.expectNumbers(t, "s", 1, 2, 3, 4)
}

func repeatOther(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(1)...)
	m := seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "one"}
	e.append(t, "s", m)
	check := e.unchangedSince(t, "s")
	other := m
	other.Content = "two"
	_, err := t.Append(e.ctx, "s", other)
	e.isMessageIDError(err, "m", 2)
	check()
	_, err = t.EditMessage(e.ctx, "s", 2, func(m *seshat.Message) error {
		m.Content = "two"
		return nil
	})
	e.must(err)
	check = e.unchangedSince(t, "s")
	_, err = t.Append(e.ctx, "s", other) // an edit is not the appended message
	e.isMessageIDError(err, "m", 2)
	check()
}

// fullMessage returns a message with every field that a caller can set.
func fullMessage() seshat.Message {
	return seshat.Message{
		ID: "m", Role: seshat.RoleTool, Content: "c", ContentType: seshat.ContentToolCall, ToolName: "n",
		ToolCallID: "i",
		ToolCalls:  2, ToolInputs: json.RawMessage(`{"a":1}`), ToolOutputs: json.RawMessage(`[2]`), ToolStatus: "ok",
		Author: "au", Metadata: seshat.NewDocument(map[string]any{"k": 1}), Tokens: 3, Latency: 4 * ms,
		Timestamp: time.UnixMilli(1_700_000_000_000), Payload: []byte{1},
	}
}

// fieldEdits change one field each, also to and from its default.
var fieldEdits = map[string][]func(*seshat.Message){
	"Role":    {func(m *seshat.Message) { m.Role = seshat.RoleUser }},
	"Content": {func(m *seshat.Message) { m.Content = "" }, func(m *seshat.Message) { m.Content = "c " }},
	"ContentType": {func(m *seshat.Message) { m.ContentType = 0 }, func(m *seshat.Message) {
		m.ContentType = seshat.ContentText
	}},
	"ToolName": {func(m *seshat.Message) { m.ToolName = "" }, func(m *seshat.Message) {
		m.ToolName = "ni"
		m.ToolCallID = ""
	}},
	"ToolCallID": {func(m *seshat.Message) { m.ToolCallID = "j" }},
	"ToolCalls":  {func(m *seshat.Message) { m.ToolCalls = 0 }, func(m *seshat.Message) { m.ToolCalls = 1 }},
	"ToolInputs": {
		func(m *seshat.Message) { m.ToolInputs = nil }, func(m *seshat.Message) { m.ToolInputs = json.RawMessage{} },
		func(m *seshat.Message) { m.ToolInputs = json.RawMessage(`{"a": 1}`) },
	},
	"ToolOutputs": {
		func(m *seshat.Message) { m.ToolOutputs = nil },
		func(m *seshat.Message) { m.ToolInputs, m.ToolOutputs = m.ToolOutputs, m.ToolInputs },
	},
	"ToolStatus": {func(m *seshat.Message) { m.ToolStatus = "" }},
	"Author":     {func(m *seshat.Message) { m.Author = "aü" }},
	"Metadata": {
		func(m *seshat.Message) { m.Metadata = seshat.Document{} },
		func(m *seshat.Message) { m.Metadata = seshat.NewDocument(map[string]any{"k": 1.0}) },
	},
	"Tokens":  {func(m *seshat.Message) { m.Tokens = 0 }},
	"Latency": {func(m *seshat.Message) { m.Latency = 0 }, func(m *seshat.Message) { m.Latency += ms }},
	"Timestamp": {func(m *seshat.Message) { m.Timestamp = time.Time{} }, func(m *seshat.Message) {
		m.Timestamp = m.Timestamp.Add(ms)
	}},
	"Payload": {func(m *seshat.Message) { m.Payload = nil }, func(m *seshat.Message) { m.Payload = []byte{} }},
}

func repeatFields(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	given := map[string]bool{"ID": true, "Seq": true, "AppendedAt": true, "Summary": true}
	e.append(t, "s", fullMessage())
	check := e.unchangedSince(t, "s")
	for field, edits := range fieldEdits {
		given[field] = true
		for _, edit := range edits {
			m := fullMessage()
			edit(&m)
			_, err := t.Append(e.ctx, "s", m)
			e.isMessageIDError(err, "m", 1)
		}
	}
	check()
	typ := reflect.TypeFor[seshat.Message]()
	for i := range typ.NumField() {
		if f := typ.Field(i); f.IsExported() && !given[f.Name] {
			e.Errorf("no test of whether %s tells messages apart", f.Name)
		}
	}
}

// repeatEqual writes the same values in other forms: times in another zone and
// with nanoseconds, documents of other types.
func repeatEqual(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", fullMessage())
	m := fullMessage()
	m.Timestamp = m.Timestamp.In(time.FixedZone("east", 3600)).Add(999 * time.Microsecond)
	m.Latency += 400 * time.Microsecond
	m.Metadata = seshat.NewDocument(map[string]any{"k": uint8(1)})
	e.expectRepeat(t, "s", 1, 1, m)
}

func repeatMixed(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	known := seshat.Message{ID: "known", Role: seshat.RoleUser}
	e.append(t, "s", known)
	check := e.unchangedSince(t, "s")
	fresh := seshat.Message{ID: "fresh", Role: seshat.RoleUser}
	for _, turn := range [][]seshat.Message{{known, fresh}, {fresh, known}} {
		_, err := t.Append(e.ctx, "s", turn...)
		e.isMessageIDError(err, "fresh", 0)
	}
	_, err := t.Append(e.ctx, "s", known, seshat.Message{Role: seshat.RoleUser})
	e.isMessageIDError(err, "", 0)
	check()
}

func repeatElsewhere(e *env) {
	t := e.tenant("t")
	m := seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "one"}
	e.create(t, seshat.NewSession{ID: "a", Lifecycle: seshat.Lifecycle{TTL: hour}})
	e.create(t, seshat.NewSession{ID: "b"})
	e.append(t, "a", m)
	m.Content = "two"
	equal(e, "number in another session", e.append(t, "b", m).LastSeq, 1)
	e.clock.Advance(hour)
	e.create(t, seshat.NewSession{ID: "a"})
	equal(e, "number in another life", e.append(t, "a", m).LastSeq, 1)
}

// repeatRace retries one turn from many goroutines, like clients that received
// no answer.
func repeatRace(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	turn := []seshat.Message{{ID: "a", Role: seshat.RoleUser}, {ID: "b", Role: seshat.RoleAssistant}}
	var wg sync.WaitGroup
	outcomes := make([]seshat.AppendResult, 16)
	errs := make([]error, len(outcomes))
	for i := range outcomes {
		wg.Go(func() { outcomes[i], errs[i] = t.AppendTurn(e.ctx, "s", seshat.Turn{Messages: turn}) })
	}
	wg.Wait()
	fresh := 0
	for i, a := range outcomes {
		e.must(errs[i])
		equal(e, "numbers", [2]uint64{a.First, a.Last}, [2]uint64{1, 2})
		if !a.Repeated {
			fresh++
		}
	}
	equal(e, "appends that were not repeated", fresh, 1)
	e.expectNumbers(t, "s", 1, 2)
}
