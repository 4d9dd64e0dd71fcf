package storetest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/seshatdb/seshat"
)

var crowds = []promise{
	{name: "64 goroutines append to one session", test: crowdOnOne},
	{name: "64 goroutines append to 64 sessions", test: crowdOnMany},
	{name: "small histories are linearizable", test: crowdLinearizable},
}

// appended is one append by a crowd.
type appended struct {
	first, last uint64
	id          string // id of its first message
}

// crowdAppends lets 64 goroutines append turns of two messages and returns the
// answers.
func (e *env) crowdAppends(t *seshat.Tenant, each int, session func(goroutine int) string) []appended {
	e.Helper()
	var mu sync.Mutex
	var all []appended
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%d/%d", g, i)
				a, err := t.AppendTurn(e.ctx, session(g), seshat.Turn{Messages: []seshat.Message{
					{ID: id, Role: seshat.RoleUser}, {ID: id + "!", Role: seshat.RoleAssistant},
				}})
				if err != nil {
					e.Error(err)
					return
				}
				mu.Lock()
				all = append(all, appended{a.First, a.Last, id})
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return all
}

func crowdOnOne(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	const each = 5
	all := e.crowdAppends(t, each, func(int) string { return "s" })
	slices.SortFunc(all, func(a, b appended) int { return int(a.first) - int(b.first) })
	log := e.log(t, "s")
	equal(e, "messages", len(log), 64*each*2)
	for i, a := range all {
		equal(e, "numbers", [2]uint64{a.first, a.last}, [2]uint64{uint64(2*i + 1), uint64(2*i + 2)})
		equal(e, "turn", [2]string{log[2*i].ID, log[2*i+1].ID}, [2]string{a.id, a.id + "!"})
	}
	s := e.get(t, "s")
	equal(e, "counts", [3]uint64{s.LastSeq, s.MessageCount, s.Stats.TotalMessages}, [3]uint64{640, 640, 640})
}

func crowdOnMany(e *env) {
	t := e.tenant("t")
	session := func(g int) string { return fmt.Sprint("s", g) }
	for g := range 64 {
		e.create(t, seshat.NewSession{ID: session(g)})
	}
	const each = 3
	e.crowdAppends(t, each, session)
	for g := range 64 {
		log := e.log(t, session(g))
		equal(e, "messages", len(log), 2*each)
		for i, m := range log {
			equal(e, "number", m.Seq, uint64(i+1))
			equal(e, "id", m.ID[:len(fmt.Sprintf("%d/%d", g, i/2))], fmt.Sprintf("%d/%d", g, i/2))
		}
	}
}

// timedCall is one call of a short history on a log of texts: its beginning and
// end, and its operation and answer.
type timedCall struct {
	begin, end int
	apply      func(log []string) (after []string, fits bool)
}

// linearizable searches for an order of the calls that explains their answers
// and keeps to real time.
func linearizable(calls []timedCall, log []string, done uint) bool {
	if done == 1<<len(calls)-1 {
		return true
	}
	firstEnd := int(^uint(0) >> 1)
	for i := range calls {
		if done&(1<<i) == 0 {
			firstEnd = min(firstEnd, calls[i].end)
		}
	}
	for i := range calls {
		if done&(1<<i) != 0 || calls[i].begin > firstEnd {
			continue
		}
		if after, fits := calls[i].apply(log); fits && linearizable(calls, after, done|1<<i) {
			return true
		}
	}
	return false
}

// recorder numbers the beginnings and ends of calls.
type recorder struct {
	mu    sync.Mutex
	clock int
	calls []timedCall
}

func (r *recorder) tick() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock++
	return r.clock
}

func (r *recorder) record(begin int, apply func([]string) ([]string, bool)) {
	end := r.tick()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, timedCall{begin, end, apply})
}

// crowdLinearizable records short histories of appends, reads and truncations.
// An order must exist that explains each history.
func crowdLinearizable(e *env) {
	t := e.tenant("t")
	for round := range 40 {
		id := fmt.Sprint(round)
		e.create(t, seshat.NewSession{ID: id})
		r := &recorder{}
		var wg sync.WaitGroup
		for g := range 3 {
			wg.Go(func() {
				for i := range 3 {
					e.recordCall(t, id, r, (round+g+i)%4, fmt.Sprintf("%d.%d", g, i))
				}
			})
		}
		wg.Wait()
		if !linearizable(r.calls, nil, 0) {
			e.Fatalf("round %d: no order of the calls explains what they returned; the log is %v", round, e.log(t, id))
		}
	}
	// A read that began after an append had ended misses the append.
	stale := []timedCall{
		{1, 2, func(log []string) ([]string, bool) { return append(slices.Clone(log), "x"), true }},
		{3, 4, func(log []string) ([]string, bool) { return log, len(log) == 0 }},
	}
	if linearizable(stale, nil, 0) {
		e.Fatal("the checker takes a stale read")
	}
}

// recordCall makes and records one call. In the recorded log, "" stands for a
// removed message.
func (e *env) recordCall(t *seshat.Tenant, id string, r *recorder, kind int, text string) {
	begin := r.tick()
	switch kind {
	case 0, 1:
		a, err := t.AppendTurn(e.ctx, id, seshat.Turn{Messages: []seshat.Message{{
			Role:    seshat.RoleUser,
			Content: text,
		}}})
		if err != nil {
			e.Error(err)
		}
		r.record(begin, func(log []string) ([]string, bool) {
			return append(slices.Clone(log), text), uint64(len(log))+1 == a.First
		})
	case 2:
		page, err := t.History(e.ctx, id, seshat.HistoryQuery{})
		if err != nil {
			e.Error(err)
		}
		r.record(begin, func(log []string) ([]string, bool) { return log, sameTexts(log, page.Messages) })
	case 3:
		removed, err := t.Truncate(e.ctx, id, 1)
		if err != nil {
			e.Error(err)
		}
		r.record(begin, func(log []string) ([]string, bool) {
			after := slices.Clone(log)
			n := uint64(0)
			for i := 1; i < len(after); i++ {
				if after[i] != "" {
					after[i] = ""
					n++
				}
			}
			return after, n == removed
		})
	}
}

func sameTexts(log []string, all []seshat.Message) bool {
	var want []string
	for i, text := range log {
		if text != "" {
			want = append(want, fmt.Sprint(i+1, " ", text))
		}
	}
	var got []string
	for _, m := range all {
		got = append(got, fmt.Sprint(m.Seq, " ", m.Content))
	}
	return slices.Equal(got, want)
}
