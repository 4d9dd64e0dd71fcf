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
	{name: "options add up", test: historyOptions},
	{name: "without options it is the oldest hundred", test: historyDefault},
	{name: "options out of bounds are refused", test: historyRefused},
	{name: "an empty log and an absent session differ", test: historyEmpty},
	{name: "messages appended after a moment", test: historyAfter},
	{name: "an iteration is the history without a limit", test: historyIteration},
	{name: "an iteration ends early when the loop does", test: historyBreak},
	{name: "an iteration goes on while others write", test: historyWhileWriting},
	{name: "the end of the session is not the end of the log", test: historyEnded},
	{name: "a loop body may call the store", test: historyReentrant},
}

// selection is what the options of a history say, and so a model of it.
type selection struct {
	from, to uint64
	after    time.Time
	limit    int
	last     bool
	newest   bool
}

// random returns options and what they say, for a log of n numbers that was
// appended within d of start.
func (s *selection) random(r *rand.Rand, n int, d time.Duration) (opts []seshat.HistoryOption) {
	if r.IntN(3) == 0 {
		s.from = r.Uint64N(uint64(n + 3))
		opts = append(opts, seshat.FromSeq(s.from))
	}
	if r.IntN(3) == 0 {
		s.to = 1 + r.Uint64N(uint64(n+3))
		opts = append(opts, seshat.ToSeq(s.to))
	}
	if r.IntN(3) == 0 {
		s.after = seshattest.Start.Add(time.Duration(r.Int64N(int64(d) + 2))).Truncate(ms).Add(-ms)
		opts = append(opts, seshat.AppendedAfter(s.after))
	}
	if r.IntN(3) == 0 {
		s.newest = true
		opts = append(opts, seshat.NewestFirst())
	}
	s.limit = 1 + r.IntN(n+5)
	if s.last = r.IntN(3) == 0; s.last {
		return append(opts, seshat.Last(s.limit))
	}
	return append(opts, seshat.Limit(s.limit))
}

func (s *selection) of(log []seshat.Message) []seshat.Message {
	var out []seshat.Message
	for _, m := range log {
		if m.Seq >= s.from && (s.to == 0 || m.Seq <= s.to) && m.AppendedAt.After(s.after) {
			out = append(out, m)
		}
	}
	if over := len(out) - s.limit; over > 0 && (s.last || s.newest) {
		out = out[over:]
	}
	out = out[:min(len(out), s.limit)]
	if s.newest {
		slices.Reverse(out)
	}
	return out
}

// gappy fills a session's log in turns over some time, and removes some of it.
func (e *env) gappy(t *seshat.Tenant, id string, r *rand.Rand, turns int) (log []seshat.Message, took time.Duration) {
	e.Helper()
	e.create(t, seshat.NewSession{ID: id})
	start := e.clock.Now()
	for range turns {
		e.append(t, id, lines(1+r.IntN(4))...)
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

func historyOptions(e *env) {
	t := e.tenant("t")
	r := rand.New(rand.NewPCG(7, 11))
	log, took := e.gappy(t, "s", r, 20)
	for range 300 {
		var s selection
		opts := s.random(r, len(log), took)
		got, err := t.History(e.ctx, "s", opts...)
		e.must(err)
		equal(e, fmt.Sprintf("%+v", s), fmt.Sprint(numbers(got)), fmt.Sprint(numbers(s.of(log))))
		if s.last {
			continue
		}
		var each []seshat.Message
		for m, err := range t.Messages(e.ctx, "s", opts...) {
			e.must(err)
			each = append(each, m)
		}
		equal(e, fmt.Sprintf("iteration %+v", s), fmt.Sprint(numbers(each)), fmt.Sprint(numbers(s.of(log))))
	}
}

func historyDefault(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", lines(120)...)
	all, err := t.History(e.ctx, "s")
	e.must(err)
	equal(e, "messages", [3]uint64{uint64(len(all)), all[0].Seq, all[99].Seq}, [3]uint64{100, 1, 100})
	all, err = t.History(e.ctx, "s", seshat.NewestFirst(), nil)
	e.must(err)
	equal(e, "newest first", [3]uint64{uint64(len(all)), all[0].Seq, all[99].Seq}, [3]uint64{100, 120, 21})
}

func historyRefused(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	for field, opts := range map[string][]seshat.HistoryOption{
		"limit":        {seshat.Limit(0), seshat.Limit(-1), seshat.Limit(seshat.MaxHistory + 1), seshat.Last(0)},
		"to_seq":       {seshat.ToSeq(0)},
		"token_budget": {seshat.TokenBudget(0)},
	} {
		for _, o := range opts {
			_, err := t.History(e.ctx, "s", o)
			e.refused(err, field)
		}
	}
	for _, o := range []seshat.HistoryOption{seshat.Last(1), seshat.TokenBudget(1)} {
		for _, err := range t.Messages(e.ctx, "s", o) {
			e.refused(err, "opts")
		}
	}
}

func historyEmpty(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "empty"})
	for _, o := range []seshat.HistoryOption{nil, seshat.Last(1), seshat.TokenBudget(1), seshat.AppendedAfter(seshattest.Start)} {
		equal(e, "messages", len(e.log(t, "empty", o)), 0)
		_, err := t.History(e.ctx, "absent", o)
		e.fails(err, seshat.ErrNotFound)
	}
	for m, err := range t.Messages(e.ctx, "empty") {
		e.Fatalf("got %v, %v of an empty log", m, err)
	}
	failed := 0
	for _, err := range t.Messages(e.ctx, "absent") {
		e.fails(err, seshat.ErrNotFound)
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
		e.append(t, "s", lines(1)...)
	}
	for _, i := range []int{-1, 0, 1, 50, 98, 99, 100} {
		at := seshattest.Start.Add(time.Duration(i) * ms)
		want := max(n-3*(i+1), 0)
		for _, o := range []seshat.HistoryOption{nil, seshat.NewestFirst(), seshat.Last(seshat.MaxHistory)} {
			got := e.log(t, "s", seshat.Limit(seshat.MaxHistory), seshat.AppendedAfter(at), o)
			equal(e, fmt.Sprintf("messages after %d ms", i), len(got), want)
		}
	}
	got := e.log(t, "s", seshat.AppendedAfter(seshattest.Start.Add(50*ms)), seshat.Limit(2))
	equal(e, "first ones", fmt.Sprint(numbers(got)), "[154 155]")
	got = e.log(t, "s", seshat.AppendedAfter(seshattest.Start.Add(50*ms+ms/2)), seshat.Limit(1))
	equal(e, "first after half a millisecond", got[0].Seq, 154)
}

func historyIteration(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	const n = 600
	for i := 0; i < n; i += 200 {
		e.append(t, "s", lines(200)...)
	}
	for _, o := range []seshat.HistoryOption{nil, seshat.NewestFirst()} {
		seq, step := uint64(0), uint64(1)
		if o != nil {
			seq, step = n+1, ^uint64(0)
		}
		seen := 0
		for m, err := range t.Messages(e.ctx, "s", o) {
			e.must(err)
			seq += step
			equal(e, "number", m.Seq, seq)
			seen++
		}
		equal(e, "messages", seen, n)
	}
	seen := 0
	for _, err := range t.Messages(e.ctx, "s", seshat.Limit(300)) {
		e.must(err)
		seen++
	}
	equal(e, "messages of a limit over two pages", seen, 300)
}

func historyBreak(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", lines(5)...)
	for m, err := range t.Messages(e.ctx, "s") {
		e.must(err)
		if m.Seq == 3 {
			break
		}
		equal(e, "a message past the end of the loop", m.Seq < 3, true)
	}
}

// historyWhileWriting appends and removes in the loop body: what is there all
// the while comes once, in order.
func historyWhileWriting(e *env) {
	t := e.tenant("t")
	for _, newest := range []bool{false, true} {
		id := fmt.Sprint(newest)
		e.create(t, seshat.NewSession{ID: id})
		for range 3 {
			e.append(t, id, lines(200)...)
		}
		var opts []seshat.HistoryOption
		if newest {
			opts = append(opts, seshat.NewestFirst())
		}
		seen := map[uint64]int{}
		for m, err := range t.Messages(e.ctx, id, opts...) {
			e.must(err)
			seen[m.Seq]++
			if m.Seq%100 == 0 && m.Seq <= 600 {
				e.append(t, id, lines(1)...)
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
			e.append(t, "s", lines(256)...)
		}
		var last error
		seen := 0
		for m, err := range t.Messages(e.ctx, "s") {
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
	e.append(t, "s", lines(3)...)
	seen := 0
	for m, err := range t.Messages(e.ctx, "s") {
		e.must(err)
		_, err = t.EditMessage(e.ctx, "s", m.Seq, func(m *seshat.Message) error {
			m.Content += "!"
			return nil
		})
		e.must(err)
		equal(e, "content", e.log(t, "s", seshat.FromSeq(m.Seq), seshat.Limit(1))[0].Content, m.Content+"!")
		seen++
	}
	equal(e, "messages", seen, 3)
}
