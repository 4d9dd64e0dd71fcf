package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var histories = []promise{
	{name: "the fields of a query add up", test: historyQueries},
	{name: "more says that messages were left out", test: historyMore},
	{name: "a log read in pages is whole", test: historyPaged},
	{name: "the zero query is the oldest hundred", test: historyDefault},
	{name: "a query out of bounds is refused", test: historyRefused},
	{name: "an empty log and an absent session differ", test: historyEmpty},
	{name: "messages appended after a moment", test: historyAfter},
	{name: "an iteration is the history without a limit", test: historyIteration},
	{name: "an iteration ends early when the loop does", test: historyBreak},
	{name: "an iteration goes on while others write", test: historyWhileWriting},
	{name: "the end of the session is not the end of the log", test: historyEnded},
	{name: "a loop body may call the store", test: historyReentrant},
}

// randomQuery selects from a log of n numbers that was appended within d of
// start.
func randomQuery(r *rand.Rand, n int, d time.Duration) (q seshat.HistoryQuery) {
	if r.IntN(3) == 0 {
		q.FromSeq = r.Uint64N(uint64(n + 3))
	}
	if r.IntN(3) == 0 {
		q.ToSeq = 1 + r.Uint64N(uint64(n+3))
	}
	if r.IntN(3) == 0 {
		q.AppendedAfter = seshattest.Start.Add(time.Duration(r.Int64N(int64(d) + 2))).Truncate(ms).Add(-ms)
	}
	q.NewestFirst = r.IntN(3) == 0
	if limit := 1 + r.IntN(n+5); r.IntN(3) == 0 {
		q.Last = limit
	} else {
		q.Limit = limit
	}
	return q
}

// within reports whether a message is in the ranges of a query.
func within(m *seshat.Message, q *seshat.HistoryQuery) bool {
	return m.Seq >= q.FromSeq && (q.ToSeq == 0 || m.Seq <= q.ToSeq) && m.AppendedAt.After(q.AppendedAfter)
}

// selected is a model of History without TokenBudget.
func selected(log []seshat.Message, q *seshat.HistoryQuery) (page []seshat.Message, more bool) {
	for _, m := range log {
		if within(&m, q) {
			page = append(page, m)
		}
	}
	limit := max(q.Limit, q.Last)
	over := len(page) - limit
	switch {
	case over <= 0:
	case q.Last > 0 || q.NewestFirst:
		page = page[over:]
	default:
		page = page[:limit]
	}
	if q.NewestFirst {
		slices.Reverse(page)
	}
	return page, over > 0
}

// appendWithGaps fills a session's log over some time and removes some of its
// messages.
func (e *env) appendWithGaps(
	t *seshat.Tenant, id string, r *rand.Rand, turns int,
) (log []seshat.Message, took time.Duration) {
	e.Helper()
	e.create(t, seshat.NewSession{ID: id})
	start := e.clock.Now()
	for range turns {
		e.append(t, id, newMessages(1+r.IntN(4))...)
		e.clock.Advance(time.Duration(r.IntN(3)) * ms)
	}
	for seq := range e.get(t, id).LastSeq {
		if r.IntN(5) == 0 {
			_, err := t.DeleteMessage(e.ctx, id, seq+1)
			e.must(err)
		}
	}
	return e.log(t, id), e.clock.Now().Sub(start)
}

func historyQueries(e *env) {
	t := e.tenant("t")
	r := rand.New(rand.NewPCG(7, 11))
	log, took := e.appendWithGaps(t, "s", r, 20)
	for range 300 {
		q := randomQuery(r, len(log), took)
		want, more := selected(log, &q)
		got, err := t.History(e.ctx, "s", q)
		e.must(err)
		equal(e, fmt.Sprintf("%+v", q), fmt.Sprint(numbers(got.Messages)), fmt.Sprint(numbers(want)))
		equal(e, fmt.Sprintf("%+v: more", q), got.More, more)
		if q.Last > 0 {
			continue
		}
		var each []seshat.Message
		for m, err := range t.Messages(e.ctx, "s", q) {
			e.must(err)
			each = append(each, m)
		}
		equal(e, fmt.Sprintf("iteration %+v", q), fmt.Sprint(numbers(each)), fmt.Sprint(numbers(want)))
	}
}

// historyMore tests HistoryPage.More on the log 1, 2, 4, 5.
func historyMore(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	for i := range 5 {
		e.clock.Set(seshattest.Start.Add(time.Duration(i+1) * ms))
		e.append(t, "s", seshat.Message{Role: seshat.RoleUser, Content: "?", Tokens: 1})
	}
	e.must(second(t.DeleteMessage(e.ctx, "s", 3)))
	after := func(seq int) time.Time { return seshattest.Start.Add(time.Duration(seq) * ms) }
	for _, c := range []struct {
		q    seshat.HistoryQuery
		want string
		more bool
	}{
		{seshat.HistoryQuery{}, "[1 2 4 5]", false},
		{seshat.HistoryQuery{Limit: 4}, "[1 2 4 5]", false},
		{seshat.HistoryQuery{Limit: 3}, "[1 2 4]", true},
		{seshat.HistoryQuery{Limit: 2, ToSeq: 3}, "[1 2]", false},
		{seshat.HistoryQuery{Limit: 2, ToSeq: 4}, "[1 2]", true},
		{seshat.HistoryQuery{Limit: 1, FromSeq: 5}, "[5]", false},
		{seshat.HistoryQuery{Limit: 2, FromSeq: 4}, "[4 5]", false},
		{seshat.HistoryQuery{Limit: 1, AppendedAfter: after(4)}, "[5]", false},
		{seshat.HistoryQuery{Limit: 1, AppendedAfter: after(2)}, "[4]", true},
		{seshat.HistoryQuery{Last: 4}, "[1 2 4 5]", false},
		{seshat.HistoryQuery{Last: 3}, "[2 4 5]", true},
		{seshat.HistoryQuery{Last: 2, FromSeq: 3}, "[4 5]", false},
		{seshat.HistoryQuery{Last: 2, FromSeq: 2}, "[4 5]", true},
		{seshat.HistoryQuery{Last: 2, AppendedAfter: after(2)}, "[4 5]", false},
		{seshat.HistoryQuery{Last: 2, AppendedAfter: after(1)}, "[4 5]", true},
		{seshat.HistoryQuery{Last: 1, ToSeq: 1}, "[1]", false},
		{seshat.HistoryQuery{Last: 3, NewestFirst: true}, "[5 4 2]", true},
		{seshat.HistoryQuery{Limit: 4, NewestFirst: true}, "[5 4 2 1]", false},
		{seshat.HistoryQuery{Limit: 3, NewestFirst: true}, "[5 4 2]", true},
		{seshat.HistoryQuery{TokenBudget: 4}, "[1 2 4 5]", false},
		{seshat.HistoryQuery{TokenBudget: 3}, "[2 4 5]", true},
		{seshat.HistoryQuery{TokenBudget: 2, FromSeq: 3}, "[4 5]", false},
		{seshat.HistoryQuery{TokenBudget: 1, FromSeq: 3}, "[5]", true},
		{seshat.HistoryQuery{TokenBudget: 2, AppendedAfter: after(2)}, "[4 5]", false},
		{seshat.HistoryQuery{TokenBudget: 9, Last: 2}, "[4 5]", true},
		{seshat.HistoryQuery{TokenBudget: 9, Limit: 4}, "[1 2 4 5]", false},
		{seshat.HistoryQuery{FromSeq: 6}, "[]", false},
		{seshat.HistoryQuery{FromSeq: 3, ToSeq: 3}, "[]", false},
		{seshat.HistoryQuery{FromSeq: 5, ToSeq: 4}, "[]", false},
		{seshat.HistoryQuery{AppendedAfter: after(5)}, "[]", false},
	} {
		got, err := t.History(e.ctx, "s", c.q)
		e.must(err)
		equal(e, fmt.Sprintf("%+v", c.q), fmt.Sprint(numbers(got.Messages)), c.want)
		equal(e, fmt.Sprintf("%+v: more", c.q), got.More, c.more)
	}
	e.append(t, "s", seshat.Message{Role: seshat.RoleUser, Content: "?", Tokens: 9})
	got, err := t.History(e.ctx, "s", seshat.HistoryQuery{TokenBudget: 8})
	e.must(err)
	equal(e, "messages within too small a budget", len(got.Messages), 0)
	equal(e, "more than too small a budget", got.More, true)
}

// historyPaged reads a log page by page, as the doc of HistoryPage.More
// explains.
func historyPaged(e *env) {
	t := e.tenant("t")
	log, _ := e.appendWithGaps(t, "s", rand.New(rand.NewPCG(19, 23)), 20)
	for n := 1; n <= len(log)+1; n++ {
		for name, q := range map[string]seshat.HistoryQuery{
			"limit": {Limit: n}, "newest first": {Limit: n, NewestFirst: true}, "last": {Last: n},
		} {
			var all []seshat.Message
			for more := true; more; {
				page, err := t.History(e.ctx, "s", q)
				e.must(err)
				if len(page.Messages) == 0 {
					e.Fatalf("%s %d: an empty page was announced by %v", name, n, numbers(all))
				}
				first := page.Messages[0].Seq
				last := page.Messages[len(page.Messages)-1].Seq
				switch more = page.More; {
				case q.Last > 0:
					all = append(page.Messages, all...)
					q.ToSeq = first - 1
				case q.NewestFirst:
					all = append(all, page.Messages...)
					q.ToSeq = last - 1
				default:
					all = append(all, page.Messages...)
					q.FromSeq = last + 1
				}
			}
			if q.NewestFirst {
				slices.Reverse(all)
			}
			equal(e, fmt.Sprintf("pages of %d by %s", n, name), fmt.Sprint(numbers(all)), fmt.Sprint(numbers(log)))
		}
	}
}

func historyDefault(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(120)...)
	page, err := t.History(e.ctx, "s", seshat.HistoryQuery{})
	e.must(err)
	all := page.Messages
	equal(e, "messages", [3]uint64{uint64(len(all)), all[0].Seq, all[99].Seq}, [3]uint64{100, 1, 100})
	all = e.history(t, "s", seshat.HistoryQuery{NewestFirst: true})
	equal(e, "newest first", [3]uint64{uint64(len(all)), all[0].Seq, all[99].Seq}, [3]uint64{100, 120, 21})
}

func historyRefused(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(1)...)
	for field, queries := range map[string][]seshat.HistoryQuery{
		"last":  {{Last: -1}, {Last: seshat.MaxHistory + 1}},
		"limit": {{Limit: -1}, {Limit: seshat.MaxHistory + 1}, {Limit: 1, Last: 1}},
	} {
		for _, q := range queries {
			e.isInvalid(second(t.History(e.ctx, "s", q)), field)
			for _, err := range t.Messages(e.ctx, "s", q) {
				e.isInvalid(err, field)
			}
		}
	}
	for field, q := range map[string]seshat.HistoryQuery{"last": {Last: 1}, "token_budget": {TokenBudget: 1}} {
		seen := 0
		for _, err := range t.Messages(e.ctx, "s", q) {
			e.isInvalid(err, field)
			seen++
		}
		equal(e, "errors of an iteration with "+field, seen, 1)
	}
}

func historyEmpty(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "empty"})
	for _, q := range []seshat.HistoryQuery{{}, {Last: 1}, {TokenBudget: 1}, {AppendedAfter: seshattest.Start}} {
		page, err := t.History(e.ctx, "empty", q)
		e.must(err)
		equal(e, "messages", len(page.Messages), 0)
		equal(e, "more", page.More, false)
		_, err = t.History(e.ctx, "absent", q)
		e.isError(err, seshat.ErrNotFound)
	}
	for m, err := range t.Messages(e.ctx, "empty", seshat.HistoryQuery{}) {
		e.Fatalf("got %v, %v of an empty log", m, err)
	}
	failed := 0
	for _, err := range t.Messages(e.ctx, "absent", seshat.HistoryQuery{}) {
		e.isError(err, seshat.ErrNotFound)
		failed++
	}
	equal(e, "errors of an iteration", failed, 1)
}

func historyAfter(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	const n = 300
	for i := range n {
		e.clock.Set(seshattest.Start.Add(time.Duration(i/3) * ms)) // three in each millisecond
		e.append(t, "s", newMessages(1)...)
	}
	for _, i := range []int{-1, 0, 1, 50, 98, 99, 100} {
		at := seshattest.Start.Add(time.Duration(i) * ms)
		want := max(n-3*(i+1), 0)
		for _, q := range []seshat.HistoryQuery{
			{Limit: seshat.MaxHistory}, {Limit: seshat.MaxHistory, NewestFirst: true}, {Last: seshat.MaxHistory},
		} {
			q.AppendedAfter = at
			got := e.history(t, "s", q)
			equal(e, fmt.Sprintf("messages after %d ms", i), len(got), want)
		}
	}
	got := e.history(t, "s", seshat.HistoryQuery{AppendedAfter: seshattest.Start.Add(50 * ms), Limit: 2})
	equal(e, "first ones", fmt.Sprint(numbers(got)), "[154 155]")
	got = e.history(t, "s", seshat.HistoryQuery{AppendedAfter: seshattest.Start.Add(50*ms + ms/2), Limit: 1})
	equal(e, "first after half a millisecond", got[0].Seq, 154)
}

func historyIteration(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	const n = 600
	for i := 0; i < n; i += 200 {
		e.append(t, "s", newMessages(200)...)
	}
	for _, newest := range []bool{false, true} {
		seq := uint64(0)
		step := uint64(1)
		if newest {
			seq = n + 1
			step = ^uint64(0)
		}
		seen := 0
		for m, err := range t.Messages(e.ctx, "s", seshat.HistoryQuery{NewestFirst: newest}) {
			e.must(err)
			seq += step
			equal(e, "number", m.Seq, seq)
			seen++
		}
		equal(e, "messages", seen, n)
	}
	seen := 0
	for _, err := range t.Messages(e.ctx, "s", seshat.HistoryQuery{Limit: 300}) {
		e.must(err)
		seen++
	}
	equal(e, "messages of a limit over two pages", seen, 300)
}

func historyBreak(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(5)...)
	for m, err := range t.Messages(e.ctx, "s", seshat.HistoryQuery{}) {
		e.must(err)
		if m.Seq == 3 {
			break
		}
		equal(e, "a message past the end of the loop", m.Seq < 3, true)
	}
}

// historyWhileWriting appends and removes in the loop body. Messages that exist
// throughout come once, in order.
func historyWhileWriting(e *env) {
	t := e.tenant("t")
	for _, newest := range []bool{false, true} {
		id := fmt.Sprint(newest)
		e.create(t, seshat.NewSession{ID: id})
		for range 3 {
			e.append(t, id, newMessages(200)...)
		}
		seen := map[uint64]int{}
		for m, err := range t.Messages(e.ctx, id, seshat.HistoryQuery{NewestFirst: newest}) {
			e.must(err)
			seen[m.Seq]++
			if m.Seq%100 == 0 && m.Seq <= 600 {
				e.append(t, id, newMessages(1)...)
				_, err := t.DeleteMessage(e.ctx, id, m.Seq-1)
				e.must(err)
			}
		}
		for seq := range uint64(600) {
			removed := (seq+2)%100 == 0
			if n := seen[seq+1]; n > 1 || n == 0 && !removed {
				e.Fatalf("message %d came %d times", seq+1, n)
			}
		}
	}
}

func historyEnded(e *env) {
	t := e.tenant("t")
	for _, again := range []bool{false, true} {
		e.create(t, seshat.NewSession{ID: "s"})
		for range 2 {
			e.append(t, "s", newMessages(256)...)
		}
		var last error
		seen := 0
		for m, err := range t.Messages(e.ctx, "s", seshat.HistoryQuery{}) {
			if last = err; err != nil {
				continue
			}
			if seen++; m.Seq == 100 {
				e.must(second(t.Delete(e.ctx, "s")))
				if again {
					e.create(t, seshat.NewSession{ID: "s"})
				}
			}
		}
		if !errors.Is(last, seshat.ErrNotFound) {
			e.Fatalf("after %d messages of a session that ended: got error %v", seen, last)
		}
	}
}

func historyReentrant(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(3)...)
	seen := 0
	for m, err := range t.Messages(e.ctx, "s", seshat.HistoryQuery{}) {
		e.must(err)
		_, err = t.EditMessage(e.ctx, "s", m.Seq, func(m *seshat.Message) error {
			m.Content += "!"
			return nil
		})
		e.must(err)
		equal(e, "content", e.history(t, "s", seshat.HistoryQuery{FromSeq: m.Seq, Limit: 1})[0].Content, m.Content+"!")
		seen++
	}
	equal(e, "messages", seen, 3)
}
