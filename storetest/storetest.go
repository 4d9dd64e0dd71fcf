// Package storetest proves that a store keeps the promises of package seshat,
// whatever engine it stands on. A test calls [Run] with a way to open stores;
// nothing else is needed.
//
// Each promise is a test with a name, on a new store of its own. Time is a
// clock that the test moves, or that of a testing/synctest bubble: nothing
// waits for real time. After a failed call the tests look at the state, and
// not only at the error. When a test is over its store is checked with
// [seshat.Store.Check], and closed.
package storetest

import (
	"flag"
	"slices"
	"testing"

	"github.com/seshatdb/seshat"
)

// Harness is how the suite gets at stores.
type Harness struct {
	// Open opens a new, empty store with these options. What it needs is
	// released in the cleanup of t; the suite closes the store.
	Open func(t testing.TB, o seshat.Options) *seshat.Store

	// Reopen opens again the data of s, which is closed, with these options.
	// nil: the data ends with the store.
	Reopen func(t testing.TB, s *seshat.Store, o seshat.Options) *seshat.Store
}

// Run runs the whole suite as subtests of t, named concern/promise.
func Run(t *testing.T, h Harness) {
	for _, c := range concerns {
		t.Run(c.name, func(t *testing.T) {
			for _, p := range c.promises {
				t.Run(p.name, func(t *testing.T) { p.test(newEnv(t, h, p.options)) })
			}
		})
	}
	t.Run("sweeper", func(t *testing.T) { runBubbles(t, h) })
	t.Run("model", func(t *testing.T) { runModel(t, h) })
}

// concern is a group of promises: one file.
type concern struct {
	name     string
	promises []promise
}

// promise is one thing that a store does, whatever its engine.
type promise struct {
	name    string
	test    func(*env)
	options seshat.Options
}

var concerns = []concern{
	{"isolation", isolation},
	{"names", names},
	{"refused arguments", refusedArguments},
	{"sessions", sessions},
	{"update", updates},
	{"atomic", atomicity},
	{"races", races},
	{"lifecycle", lifecycle},
	{"statuses", everyStatus},
	{"expiry", expiry},
	{"clock", clock},
	{"sweep", sweeps},
	{"deadlines", overdueDeadlines},
	{"list", lists},
	{"cursor", cursors},
	{"count", counts},
	{"ownership", ownership},
	{"erase", erasure},
	{"quota", quotas},
	{"log", logs},
	{"append", appends},
	{"edit", edits},
	{"fork", forks},
	{"restore", restores},
	{"policy", policies},
	{"crowd", crowds},
	{"budget", budgets},
	{"history", histories},
	{"log quota", logQuotas},
	{"repeat", repeats},
	{"tenants", tenants},
	{"state", state},
	{"lease", leases},
	{"watch", watches},
	{"closed", closed},
	{"reopen", reopens},
	{"readonly", readOnly},
	{"misuse", misuses},
	{"agent", slices.Concat(agentTurns, agentLives, agentReads)},
}

var (
	seed  = flag.Uint64("storetest.seed", 0, "seed of the model's first run; 0 = a fixed one")
	steps = flag.Int("storetest.steps", 400, "steps of each of the model's runs")
	only  = flag.String("storetest.only", "", "steps that the model's runs are made of, such as 3,8-12; by default all")
	runs  = flag.Int("storetest.runs", 8, "runs of the model, each with the next seed")
)
