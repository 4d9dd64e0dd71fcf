package storetest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/seshatdb/seshat"
)

var edits = []promise{
	{name: "an edit changes one message and nothing else", test: editOne},
	{name: "what the store gives cannot be edited", test: editRefused},
	{name: "a message that is not there", test: editAbsent},
	{name: "an edit runs again on what another wrote", test: editRetried},
	{name: "an edit that is never first gives up", test: editAlwaysLate},
	{name: "goroutines that edit one message lose nothing", test: editRace},
	{name: "a deleted message leaves a gap", test: deleteOne},
	{name: "a truncation is whole", test: truncates},
	{name: "a summary takes the place of its range", test: summarizes},
	{name: "ranges that cannot be summarized", test: summarizeRefused},
	{name: "a summary may cover another", test: summarizeAgain},
	{name: "random edits leave what a model has", test: editModel},
	{name: "edits and appends at once", test: editWhileAppending},
}

func exclaim(m *seshat.Message) error {
	m.Content += "!"
	return nil
}

func editOne(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(3)...)
	before := e.get(t, "s")
	log := e.log(t, "s")
	e.clock.Advance(minute)
	m, err := t.EditMessage(e.ctx, "s", 2, func(m *seshat.Message) error {
		m.Content = "edited"
		m.Tokens = 9
		m.Payload = []byte{1}
		m.Timestamp = time.Time{}
		m.ContentType = seshat.ContentToolCall
		return nil
	})
	e.must(err)
	now := e.log(t, "s")
	same(e, now[1], m)
	same(e, now[0], log[0])
	same(e, now[2], log[2])
	want := log[1]
	want.Content = "edited"
	want.Tokens = 9
	want.Payload = []byte{1}
	want.ContentType = seshat.ContentToolCall
	want.ToolCalls = 1
	same(e, m, want)
	s := e.get(t, "s")
	equal(e, "stats", s.Stats, before.Stats)
	equal(e, "numbers", [2]uint64{s.LastSeq, s.MessageCount}, [2]uint64{3, 3})
	equal(e, "version", s.Version, before.Version+1)
	equal(e, "updated", s.UpdatedAt, e.clock.Now())
	equal(e, "activity", s.LastActivityAt, before.LastActivityAt)
}

func editRefused(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(1)...)
	check := e.unchangedSince(t, "s")
	for field, edits := range map[string][]func(*seshat.Message){
		"message.message_id": {
			func(m *seshat.Message) { m.ID = "other" },
			func(m *seshat.Message) { *m = seshat.Message{Role: seshat.RoleUser} },
		},
		"message.seq":         {func(m *seshat.Message) { m.Seq = 7 }},
		"message.appended_at": {func(m *seshat.Message) { m.AppendedAt = m.AppendedAt.Add(ms) }},
		"message.summary":     {func(m *seshat.Message) { m.Summary = seshat.Range{From: 1, To: 1} }},
		"message.role":        {func(m *seshat.Message) { m.Role = 0 }},
		"message.content":     {func(m *seshat.Message) { m.Content = "\xff" }},
		"message.tool_inputs": {func(m *seshat.Message) { m.ToolInputs = []byte("{") }},
	} {
		for _, edit := range edits {
			_, err := t.EditMessage(e.ctx, "s", 1, func(m *seshat.Message) error {
				edit(m)
				return nil
			})
			e.isInvalid(err, field)
		}
	}
	_, err := t.EditMessage(e.ctx, "s", 1, nil)
	e.isInvalid(err, "fn")
	mine := errors.New("mine")
	_, err = t.EditMessage(e.ctx, "s", 1, func(m *seshat.Message) error {
		m.Content = "edited"
		return mine
	})
	e.isError(err, mine)
	check()
}

func editAbsent(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(3)...)
	e.must(second(t.DeleteMessage(e.ctx, "s", 2)))
	check := e.unchangedSince(t, "s")
	for _, seq := range []uint64{0, 2, 4, math.MaxInt64, math.MaxUint64} {
		_, err := t.EditMessage(e.ctx, "s", seq, func(m *seshat.Message) error {
			e.Errorf("an edit of %d got message %d", seq, m.Seq)
			return nil
		})
		e.isError(err, seshat.ErrNotFound)
		_, err = t.DeleteMessage(e.ctx, "s", seq)
		e.isError(err, seshat.ErrNotFound)
	}
	check()
	_, err := t.EditMessage(e.ctx, "absent", 1, exclaim)
	e.isError(err, seshat.ErrNotFound)
	_, err = t.Truncate(e.ctx, "absent", 0)
	e.isError(err, seshat.ErrNotFound)
	_, err = t.Summarize(e.ctx, "absent", seshat.Range{From: 1, To: 1}, newMessages(1)[0])
	e.isError(err, seshat.ErrNotFound)
}

func editRetried(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(1)...)
	runs := 0
	m, err := t.EditMessage(e.ctx, "s", 1, func(m *seshat.Message) error {
		if runs++; runs <= 3 {
			e.must(second(t.EditMessage(e.ctx, "s", 1, exclaim)))
		}
		m.Content += "?"
		return nil
	})
	e.must(err)
	equal(e, "runs", runs, 4)
	equal(e, "content", m.Content, "message 0!!!?")
	_, err = t.EditMessage(e.ctx, "s", 1, func(*seshat.Message) error {
		_, err := t.DeleteMessage(e.ctx, "s", 1)
		return err
	})
	e.isError(err, seshat.ErrNotFound)
	e.expectNumbers(t, "s")
}

func editAlwaysLate(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(1)...)
	runs := 0
	_, err := t.EditMessage(e.ctx, "s", 1, func(m *seshat.Message) error {
		runs++
		e.must(second(t.EditMessage(e.ctx, "s", 1, exclaim)))
		m.Content = "loser"
		return nil
	})
	e.isError(err, seshat.ErrConflict)
	equal(e, "runs", runs, 32)
	equal(e, "content", len(e.log(t, "s")[0].Content), len("message 0")+32)
}

func editRace(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", seshat.Message{Role: seshat.RoleUser})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if _, err := t.EditMessage(e.ctx, "s", 1, exclaim); err != nil {
					e.Error(err)
				}
			}
		})
	}
	wg.Wait()
	equal(e, "edits", len(e.log(t, "s")[0].Content), 40)
}

func deleteOne(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	before := e.append(t, "s", newMessages(4)...)
	s, err := t.DeleteMessage(e.ctx, "s", 2)
	e.must(err)
	e.expectNumbers(t, "s", 1, 3, 4)
	equal(e, "counts", [2]uint64{s.MessageCount, s.LastSeq}, [2]uint64{3, 4})
	equal(e, "stats", s.Stats, before.Stats)
	equal(e, "version", s.Version, before.Version+1)
}

func truncates(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	for range 4 {
		e.append(t, "s", newMessages(150)...)
	}
	e.must(second(t.DeleteMessage(e.ctx, "s", 500)))
	for _, step := range []struct{ seq, removed, left uint64 }{
		{600, 0, 599}, {1000, 0, 599}, {500, 100, 499}, {3, 496, 3}, {3, 0, 3}, {0, 3, 0}, {0, 0, 0},
	} {
		v := e.get(t, "s").Version
		removed, err := t.Truncate(e.ctx, "s", step.seq)
		e.must(err)
		equal(e, "removed", removed, step.removed)
		s := e.get(t, "s")
		equal(e, "left", [2]uint64{s.MessageCount, s.LastSeq}, [2]uint64{step.left, 600})
		equal(e, "version", s.Version, v+min(removed, 1))
	}
	_, err := t.Truncate(e.ctx, "s", math.MaxUint64)
	e.isInvalid(err, "seq")
}

func summarizes(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(4)...)
	e.clock.Advance(minute)
	before := e.append(t, "s", newMessages(2)...)
	log := e.log(t, "s")
	e.clock.Advance(minute)
	s, err := t.Summarize(e.ctx, "s", seshat.Range{From: 2, To: 4},
		seshat.Message{Role: seshat.RoleSystem, Content: "short"})
	e.must(err)
	e.expectNumbers(t, "s", 1, 4, 5, 6)
	got := e.log(t, "s")[1]
	same(e, got, seshat.Message{
		ID: log[3].ID, Seq: 4, Role: seshat.RoleSystem, Content: "short", ContentType: seshat.ContentText,
		Timestamp: e.clock.Now(), AppendedAt: log[3].AppendedAt, Summary: seshat.Range{From: 2, To: 4},
	})
	equal(e, "counts", [2]uint64{s.MessageCount, s.LastSeq}, [2]uint64{4, 6})
	equal(e, "stats", s.Stats, before.Stats)
	equal(e, "name", s.Name, before.Name)
	equal(e, "messages after the first four's moment",
		fmt.Sprint(numbers(e.history(t, "s", seshat.HistoryQuery{AppendedAfter: log[3].AppendedAt}))), "[5 6]")
}

func summarizeRefused(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(3)...)
	e.must(second(t.DeleteMessage(e.ctx, "s", 2)))
	check := e.unchangedSince(t, "s")
	m := newMessages(1)[0]
	for _, r := range []seshat.Range{{}, {From: 0, To: 1}, {From: 3, To: 1}} {
		_, err := t.Summarize(e.ctx, "s", r, m)
		e.isInvalid(err, "range")
	}
	for _, r := range []seshat.Range{{From: 1, To: 2}, {From: 1, To: 4}, {From: 9, To: math.MaxUint64}} {
		_, err := t.Summarize(e.ctx, "s", r, m)
		e.isError(err, seshat.ErrNotFound)
	}
	m.ID = "given"
	_, err := t.Summarize(e.ctx, "s", seshat.Range{From: 1, To: 3}, m)
	e.isInvalid(err, "summary.message_id")
	_, err = t.Summarize(e.ctx, "s", seshat.Range{From: 1, To: 3}, seshat.Message{})
	e.isInvalid(err, "summary.role")
	check()
}

func summarizeAgain(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(5)...)
	for _, r := range []seshat.Range{{From: 3, To: 3}, {From: 2, To: 3}, {From: 1, To: 4}, {From: 4, To: 5}} {
		_, err := t.Summarize(e.ctx, "s", r, seshat.Message{Role: seshat.RoleSystem, Content: fmt.Sprint(r)})
		e.must(err)
		log := e.history(t, "s", seshat.HistoryQuery{ToSeq: r.To, Last: 1})
		equal(e, "summary", log[0].Summary, r)
		equal(e, "content", log[0].Content, fmt.Sprint(r))
	}
	e.expectNumbers(t, "s", 5)
}

// editModel compares a log with a map after each of many random edits.
func editModel(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	r := rand.New(rand.NewPCG(19, 23))
	model := map[uint64]string{}
	last := uint64(0)
	for i := range 120 {
		seq := 1 + r.Uint64N(last+2)
		_, there := model[seq]
		text := fmt.Sprint(i)
		m := seshat.Message{Role: seshat.RoleUser, Content: text}
		var err error
		switch r.IntN(8) {
		case 0:
			_, err = t.DeleteMessage(e.ctx, "s", seq)
			delete(model, seq)
		case 1:
			_, err = t.EditMessage(e.ctx, "s", seq, func(m *seshat.Message) error {
				m.Content = text
				return nil
			})
			if there {
				model[seq] = text
			}
		case 2:
			from := seq - min(seq-1, r.Uint64N(6))
			if _, err = t.Summarize(e.ctx, "s", seshat.Range{From: from, To: seq}, m); there {
				drop(model, from, seq)
				model[seq] = text
			}
		case 3:
			seq = max(seq, last-min(last, 3)) // removes at most three messages
			there = true
			_, err = t.Truncate(e.ctx, "s", seq)
			drop(model, seq+1, math.MaxUint64)
		default:
			there = true
			last++
			model[last] = text
			_, err = t.Append(e.ctx, "s", m)
		}
		if there != (err == nil) || !there && !errors.Is(err, seshat.ErrNotFound) {
			e.Fatalf("step %d at %d: got error %v, there is one: %v", i, seq, err, there)
		}
		e.expectLog(t, "s", model, last)
	}
}

func drop(model map[uint64]string, from, to uint64) {
	for seq := range model {
		if from <= seq && seq <= to {
			delete(model, seq)
		}
	}
}

// expectLog fails unless the log has exactly the contents of the model.
func (e *env) expectLog(t *seshat.Tenant, id string, model map[uint64]string, last uint64) {
	e.Helper()
	log := e.log(t, id)
	s := e.get(t, id)
	equal(e, "counts", [3]uint64{uint64(len(log)), s.MessageCount, s.LastSeq},
		[3]uint64{uint64(len(model)), uint64(len(model)), last})
	for _, m := range log {
		equal(e, fmt.Sprint("content of ", m.Seq), m.Content, model[m.Seq])
	}
}

// editWhileAppending edits, deletes and summarizes during appends. Each append
// keeps its number, and the counters agree in the end.
func editWhileAppending(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(10)...)
	const appenders, each = 4, 15
	var wg sync.WaitGroup
	for range appenders {
		wg.Go(func() {
			for range each {
				if _, err := t.Append(e.ctx, "s", newMessages(1)...); err != nil {
					e.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		_, err := t.EditMessage(e.ctx, "s", 2, exclaim)
		_, err2 := t.DeleteMessage(e.ctx, "s", 9)
		_, err3 := t.Summarize(e.ctx, "s", seshat.Range{From: 3, To: 8}, newMessages(1)[0])
		if err := errors.Join(err, err2, err3); err != nil {
			e.Error(err)
		}
	})
	wg.Wait()
	s := e.get(t, "s")
	equal(e, "counts", [2]uint64{s.LastSeq, s.MessageCount}, [2]uint64{10 + appenders*each, 10 + appenders*each - 6})
	equal(e, "first numbers", fmt.Sprint(numbers(e.history(t, "s", seshat.HistoryQuery{Limit: 4}))), "[1 2 8 10]")
}
