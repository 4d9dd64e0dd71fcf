// Package drivertest proves that a driver keeps the promises of package driver.
// A driver's test needs only to call [Run] and [Bench].
//
// Each promise is a named check that runs on a new driver. After a failed call,
// a check examines the state as well as the error. A model test then plays
// random ops on the driver and on a plain map and compares every answer; the
// flag -drivertest.seed repeats a run. If the driver is a driver.Checker, it
// must have no finding after any check.
package drivertest

import (
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// Harness tells the suite how to open a driver.
type Harness struct {
	// Open returns a new, empty driver. It releases the driver's resources in
	// the cleanup of t; by then, the suite may have closed the driver.
	Open func(t testing.TB) driver.Driver

	// Reopen closes d and opens its data again. It is nil if the data does not
	// outlive d.
	Reopen func(t testing.TB, d driver.Driver) driver.Driver

	// ReadOnly closes d and opens its data read-only. It is nil if the driver
	// has no read-only mode.
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

// concern is a group of related promises. Each concern has its own file.
type concern struct {
	name   string
	checks []check
}

// check is one promise.
type check struct {
	name  string
	run   func(*env)
	needs func(Harness) bool // nil = the check needs nothing
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

// attempt runs c on a new driver and returns the promise that it breaks, if
// any.
func (c check) attempt(tb testing.TB, h Harness) (err error) {
	e := newEnv(tb, h)
	defer catch(&err)
	c.run(e)
	e.audit()
	return nil
}

func canReopen(h Harness) bool { return h.Reopen != nil }

func canReadOnly(h Harness) bool { return h.ReadOnly != nil }
