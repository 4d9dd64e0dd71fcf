package rules

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// answered reports whether one of calls may be the one that a result of that
// id answers.
func answered(calls []Part, id string) bool {
	return slices.ContainsFunc(calls, func(p Part) bool {
		return p.Call && (id == "" || p.CallID == "" || p.CallID == id)
	})
}

// whole reports whether the log may be cut before its message i.
func whole(log []Part, i int) bool {
	if i > 0 && i < len(log) && log[i-1].Call && log[i].Call {
		return false
	}
	for j := i; j < len(log); j++ {
		if log[j].Result && !answered(log[i:j], log[j].CallID) {
			return false
		}
	}
	return true
}

// TestCutIsTheLongestEndThatFits tries every cut of random logs, with parallel
// calls, calls and results without ids, and results without calls.
func TestCutIsTheLongestEndThatFits(t *testing.T) {
	r := rand.New(rand.NewPCG(59, 61))
	for range 20_000 {
		log := make([]Part, r.IntN(12))
		for i := range log {
			kind := r.IntN(4)
			log[i] = Part{
				Tokens: r.Uint64N(4), Call: kind == 0, Result: kind == 1,
				CallID: []string{"", "a", "b"}[r.IntN(3)],
			}
		}
		budget := r.Uint64N(20)
		c := NewCutter(budget)
		end := len(log)
		for end > 0 && c.Add(log[end-1]) {
			end--
		}
		if end == 0 {
			c.Before(false)
		}
		best := len(log)
		cost := uint64(0)
		for i := len(log) - 1; i >= 0; i-- {
			if cost += log[i].Tokens; cost > budget {
				break
			}
			if whole(log, i) {
				best = i
			}
		}
		if got := len(log) - c.Whole(); got != best {
			t.Fatalf("%d tokens: cut before %d, want %d of %+v", budget, got, best, log)
		}
	}
}
