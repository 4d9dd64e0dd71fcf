// Package storetest proves that a store on any engine keeps the promises of
// package seshat. An engine's test needs only to call [Run] with functions that
// open stores.
//
// Each promise is a named test on a new store. The test moves a clock by itself
// or runs in a testing/synctest bubble, so it never waits for real time. After
// a failed call, a test examines the state as well as the error. When a test
// ends, [seshat.Store.Check] must have no finding, and the store is closed.
package storetest

import (
	"flag"
	"slices"
	"testing"

	"github.com/seshatdb/seshat"
)

// Harness tells the suite how to open stores.
type Harness struct {
	// Open opens a new, empty store with these options. It releases the store's
	// resources in the cleanup of t. The suite closes the store.
	Open func(t testing.TB, o seshat.Options) *seshat.Store

	// Reopen opens the data of s, which is closed, in a new store with these
	// options. It is nil if the data does not outlive a store.
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

// concern is a group of related promises. Each concern has its own file.
type concern struct {
	name     string
	promises []promise
}

// promise is a behaviour that a store on any engine has.
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
