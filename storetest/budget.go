package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

var budgets = []promise{
	{name: "the longest end that fits and parts no call from its result", test: budgetProperty},
	{name: "a call and its result are in or out together", test: budgetPair},
	{name: "a result without an id belongs to a call before it", test: budgetNoID},
	{name: "a window over many pages", test: budgetPages},
	{name: "messages without tokens count by their size", test: budgetSizes},
}

// messageCost returns the cost of a message by the rule that TokenBudget
// states.
func messageCost(m *seshat.Message) uint64 {
	if m.Tokens > 0 {
		return m.Tokens
	}
	n := len(m.Content) + len(m.ToolInputs) + len(m.ToolOutputs) + len(m.Payload)
	return uint64((n + 3) / 4)
}

// splitsCall reports whether a cut before log[i] separates a call from its
// result, or parallel calls from each other.
func splitsCall(log []seshat.Message, i int) bool {
	if i > 0 && i < len(log) && log[i-1].ContentType == seshat.ContentToolCall &&
		log[i].ContentType == seshat.ContentToolCall {
		return true
	}
	for j := i; j < len(log); j++ {
		if log[j].ContentType == seshat.ContentToolResult && !hasCallFor(log[i:j], log[j].ToolCallID) {
			return true
		}
	}
	return false
}

// hasCallFor reports whether before contains a call that the result id answers.
func hasCallFor(before []seshat.Message, id string) bool {
	return slices.ContainsFunc(before, func(m seshat.Message) bool {
		return m.ContentType == seshat.ContentToolCall && (id == "" || m.ToolCallID == "" || m.ToolCallID == id)
	})
}

// modelWindow is a model of TokenBudget that tries every cut. more reports
// whether it omits messages that the rest of the query selects.
func modelWindow(log []seshat.Message, q *seshat.HistoryQuery) (page []seshat.Message, more bool) {
	for len(log) > 0 && q.ToSeq != 0 && log[len(log)-1].Seq > q.ToSeq {
		log = log[:len(log)-1]
	}
	limit := max(q.Limit, q.Last)
	if limit == 0 {
		limit = seshat.MaxHistory
	}
	best := len(log)
	cost := uint64(0)
	for i := len(log) - 1; i >= 0; i-- {
		m := &log[i]
		cost += messageCost(m)
		if cost > q.TokenBudget || !within(m, q) || len(log)-i > limit {
			break
		}
		if !splitsCall(log, i) {
			best = i
		}
	}
	return log[best:], best > 0 && within(&log[best-1], q)
}

// randomLog returns a random conversation with parallel calls, calls of several
// tools, results without ids, results without calls, and users who interrupt.
func randomLog(r *rand.Rand, n int) []seshat.Message {
	all := make([]seshat.Message, n)
	for i := range all {
		m := seshat.Message{Role: seshat.RoleUser, Content: strings.Repeat("x", r.IntN(40))}
		if r.IntN(3) == 0 {
			m.Tokens = 1 + r.Uint64N(15)
		}
		if r.IntN(3) > 0 {
			m.ToolCallID = string(rune('a' + r.IntN(3)))
		}
		switch r.IntN(6) {
		case 0, 1:
			m.Role = seshat.RoleAssistant
			m.ContentType = seshat.ContentToolCall
			if m.ToolCallID == "" {
				m.ToolCalls = 2
			}
		case 2:
			m.Role = seshat.RoleTool
			m.ContentType = seshat.ContentToolResult
		case 3:
			m.Role = seshat.RoleAssistant
		}
		all[i] = m
	}
	return all
}

func budgetProperty(e *env) {
	t := e.tenant("t")
	r := rand.New(rand.NewPCG(13, 17))
	for i := range 60 {
		id := fmt.Sprint(i)
		e.create(t, seshat.NewSession{ID: id})
		start := e.clock.Now()
		for _, turn := range [][]seshat.Message{randomLog(r, 1+r.IntN(10)), randomLog(r, 1+r.IntN(60))} {
			e.append(t, id, turn...)
			e.clock.Advance(ms)
		}
		log := e.log(t, id)
		for range 12 {
			e.compareWindow(t, id, log, r, start)
		}
	}
}

// compareWindow compares one random window with the model.
func (e *env) compareWindow(t *seshat.Tenant, id string, log []seshat.Message, r *rand.Rand, start time.Time) {
	e.Helper()
	q := seshat.HistoryQuery{TokenBudget: 1 + r.Uint64N(uint64(8*len(log)))}
	switch n := 1 + r.IntN(len(log)+2); r.IntN(6) {
	case 0:
		q.Last = n
	case 1:
		q.Limit = n
	}
	if r.IntN(4) == 0 {
		q.FromSeq = 1 + r.Uint64N(uint64(len(log)))
	}
	if r.IntN(4) == 0 {
		q.ToSeq = 1 + r.Uint64N(uint64(len(log)))
	}
	if r.IntN(4) == 0 {
		q.AppendedAfter = start
	}
	got, err := t.History(e.ctx, id, q)
	e.must(err)
	want, more := modelWindow(log, &q)
	if fmt.Sprint(numbers(got.Messages)) != fmt.Sprint(numbers(want)) || got.More != more {
		e.Fatalf("%+v: got %v, more: %t, want %v, %t of\n%s", q, numbers(got.Messages), got.More, numbers(want), more,
			showCosts(log))
	}
}

// showCosts prints the properties of messages that decide a window.
func showCosts(log []seshat.Message) string {
	var b strings.Builder
	for i := range log {
		m := &log[i]
		fmt.Fprintf(&b, "%d %v %q costs %d\n", m.Seq, m.ContentType, m.ToolCallID, messageCost(m))
	}
	return b.String()
}

func toolCall(id string) seshat.Message {
	return seshat.Message{Role: seshat.RoleAssistant, ContentType: seshat.ContentToolCall, ToolCallID: id, Tokens: 1}
}

func toolResult(id string) seshat.Message {
	return seshat.Message{Role: seshat.RoleTool, ContentType: seshat.ContentToolResult, ToolCallID: id, Tokens: 1}
}

func userLine() seshat.Message { return seshat.Message{Role: seshat.RoleUser, Content: "?", Tokens: 1} }

// expectWindows fails unless the window of i+1 tokens begins at number
// first[i].
func (e *env) expectWindows(t *seshat.Tenant, id string, log []seshat.Message, first ...uint64) {
	e.Helper()
	e.create(t, seshat.NewSession{ID: id})
	e.append(t, id, log...)
	for i, want := range first {
		got := e.history(t, id, seshat.HistoryQuery{TokenBudget: uint64(i + 1)})
		at := uint64(len(log) + 1) // empty
		if len(got) > 0 {
			at = got[0].Seq
		}
		equal(e, fmt.Sprintf("first of a window of %d tokens", i+1), at, want)
	}
}

func budgetPair(e *env) {
	t := e.tenant("t")
	e.expectWindows(t, "one", []seshat.Message{userLine(), toolCall("a"), toolResult("a"), userLine()}, 4, 4, 2, 1)
	e.expectWindows(t, "parallel", []seshat.Message{
		userLine(), toolCall("a"), toolCall("b"), toolResult("b"), userLine(), toolResult("a"), userLine(),
	}, 7, 7, 7, 7, 7, 2, 1)
	e.expectWindows(t, "unanswered", []seshat.Message{userLine(), toolCall("a"), toolCall("b")}, 4, 2, 1)
}

func budgetNoID(e *env) {
	t := e.tenant("t")
	e.expectWindows(t, "one",
		[]seshat.Message{userLine(), toolCall(""), userLine(), toolResult(""), userLine()}, 5, 5, 5, 2,
		1)
	several := toolCall("")
	several.ToolCalls = 2
	e.expectWindows(t, "several", []seshat.Message{several, toolResult("a"), toolResult("b"), userLine()}, 4, 4, 4, 1)
	e.expectWindows(t, "no call", []seshat.Message{userLine(), toolResult(""), userLine()}, 3, 3, 3, 3)
}

// budgetPages puts more messages between a call and its result than one read
// returns.
func budgetPages(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	log := []seshat.Message{userLine(), toolCall("a")}
	for range 150 {
		log = append(log, userLine())
	}
	log = append(log, toolResult("a"), userLine())
	e.append(t, "s", log...)
	for budget, want := range map[uint64]int{1: 1, 2: 1, 152: 1, 153: 153, 154: 154, 1 << 40: 154} {
		equal(e, fmt.Sprintf("messages within %d tokens", budget),
			len(e.history(t, "s", seshat.HistoryQuery{TokenBudget: budget})), want)
	}
	got := e.history(t, "s", seshat.HistoryQuery{TokenBudget: 1000, NewestFirst: true, Last: 153})
	equal(e, "window of a limit, newest first", [3]uint64{uint64(len(got)), got[0].Seq, got[152].Seq},
		[3]uint64{153, 154, 2})
	equal(e, "window above the log", len(e.history(t, "s", seshat.HistoryQuery{TokenBudget: 9, FromSeq: 1000})), 0)
}

func budgetSizes(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s",
		seshat.Message{Role: seshat.RoleUser, Content: "12345", Payload: []byte("678")},
		seshat.Message{Role: seshat.RoleUser, Content: "12345"},
		seshat.Message{Role: seshat.RoleUser})
	for budget, want := range map[uint64]int{1: 1, 2: 2, 3: 2, 4: 3} {
		equal(e, fmt.Sprintf("messages within %d tokens", budget),
			len(e.history(t, "s", seshat.HistoryQuery{TokenBudget: budget})), want)
	}
}
