// Package drivertest proves that a driver keeps the promises of package
// driver. A driver's own test calls [Run] and [Bench]; nothing else is needed.
//
// Each promise is a check with a name, run on a new driver of its own; the
// state is looked at after a failure, and not only the error. Behind them a
// model plays random ops against a plain map and compares every answer, see
// -drivertest.seed. After each check a driver that is a driver.Checker must
// have no finding.
package drivertest

import (
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// Harness is how the suite gets at a driver.
type Harness struct {
	// Open returns a new, empty driver. What it needs is released in the
	// cleanup of t; the suite may have closed the driver by then.
	Open func(t testing.TB) driver.Driver

	// Reopen closes d and opens its data again. nil: the data ends with d.
	Reopen func(t testing.TB, d driver.Driver) driver.Driver

	// ReadOnly closes d and opens its data for reading alone. nil: the driver
	// has no such mode.
	ReadOnly func(t testing.TB, d driver.Driver) driver.Driver
}

// Run runs the whole suite as subtests of t, named concern/check. It takes a
// few seconds on a driver in memory.
func Run(t *testing.T, h Harness) {
	for _, c := range concerns {
		t.Run(c.name, func(t *testing.T) {
			for _, c := range c.checks {
				t.Run(c.name, func(t *testing.T) { c.test(t, h) })
			}
		})
	}
	t.Run("model", func(t *testing.T) { runModel(t, h) })
}

// concern is a group of promises: one file.
type concern struct {
	name   string
	checks []check
}

// check is one promise.
type check struct {
	name  string
	run   func(*env)
	needs func(Harness) bool // nil = nothing
}

var concerns = []concern{
	{"atomic", atomicChecks},
	{"plan", planChecks},
	{"isolation", isolationChecks},
	{"read", readChecks},
	{"ownership", ownershipChecks},
	{"list", listChecks},
	{"paging", pagingChecks},
	{"count", countChecks},
	{"log", logChecks},
	{"stage", stageChecks},
	{"entries", entryChecks},
	{"feed", feedChecks},
	{"due", dueChecks},
	{"erase", eraseChecks},
	{"checker", checkerChecks},
	{"dump", dumpChecks},
	{"load", loadChecks},
	{"race", raceChecks},
	{"context", contextChecks},
	{"closed", closedChecks},
	{"limits", limitChecks},
	{"invalid", invalidChecks},
	{"reopen", reopenChecks},
	{"readonly", readOnlyChecks},
}

func (c check) test(t *testing.T, h Harness) {
	if c.needs != nil && !c.needs(h) {
		t.Skip("the driver has no such mode")
	}
	if err := c.attempt(t, h); err != nil {
		t.Error(err)
	}
}

// attempt runs c on a new driver and returns what is wrong with that.
func (c check) attempt(tb testing.TB, h Harness) (err error) {
	e := newEnv(tb, h)
	defer catch(&err)
	c.run(e)
	e.audit()
	return nil
}

func canReopen(h Harness) bool { return h.Reopen != nil }

func canReadOnly(h Harness) bool { return h.ReadOnly != nil }
