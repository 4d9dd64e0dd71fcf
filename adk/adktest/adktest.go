// Package adktest tests a session.Service of ADK. It checks promises that
// agents rely on and that ADK's own suite, sessiontestsuite, does not check:
// names that could collide, complete events, order, conflicts, complete
// deletion, concurrency, and the content after reopening.
//
// A test calls [Run]. A program that compares services calls [Case.Check],
// which needs no testing.T.
package adktest

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"google.golang.org/adk/v2/session"
)

// Harness tells the suite how to open services.
type Harness struct {
	// Open opens a new, empty service. It releases the service's resources in
	// the cleanup of t.
	Open func(t testing.TB) session.Service

	// Reopen closes s and returns a service on the same data. It is nil if the
	// data does not outlive a service.
	Reopen func(t testing.TB, s session.Service) session.Service
}

// Case is one promise of a service.
type Case struct {
	Group, Name string // of the subtest
	test        func(*env)
	reopens     bool
}

// Cases returns the suite.
func Cases() []Case {
	var all []Case
	for _, group := range [][]Case{names, events, order, state, handles, conflicts, deletion, lists, reopened} {
		all = append(all, group...)
	}
	return all
}

// Run runs the suite as subtests of t, named group/name. If Reopen is nil, Run
// skips the cases that need it.
func Run(t *testing.T, h Harness) {
	for _, c := range Cases() {
		t.Run(c.Group+"/"+c.Name, func(t *testing.T) {
			if c.reopens && h.Reopen == nil {
				t.Skip("the data ends with the service")
			}
			c.test(newEnv(t, h))
		})
	}
}

// Result is the outcome of a case.
type Result struct {
	Passed bool   // false also for a case that could not run
	NA     bool   // the case needs Reopen
	Why    string // the first failure
}

// Check runs the case for at most limit.
func (c Case) Check(h Harness, limit time.Duration) Result {
	if c.reopens && h.Reopen == nil {
		return Result{NA: true}
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	r := &recorder{ctx: ctx}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer r.finish()
		c.test(newEnv(r, h))
	}()
	select {
	case <-done:
	case <-ctx.Done():
		return Result{Why: "does not end"}
	}
	return Result{Passed: r.why == "", Why: r.why}
}

// recorder is a testing.TB that remembers the first failure. It has only the
// methods that cases use.
type recorder struct {
	testing.TB
	ctx      context.Context
	mu       sync.Mutex // guards why
	why      string
	cleanups []func()
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Cleanup(fn func())        { r.cleanups = append(r.cleanups, fn) }
func (r *recorder) Name() string             { return "adktest" }
func (r *recorder) Fatal(args ...any)        { r.fail(fmt.Sprint(args...)) }
func (r *recorder) Error(args ...any)        { r.note(fmt.Sprint(args...)) }

func (r *recorder) Fatalf(format string, args ...any) { r.fail(fmt.Sprintf(format, args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.note(fmt.Sprintf(format, args...)) }

func (r *recorder) TempDir() string {
	dir, err := os.MkdirTemp("", "adktest")
	if err != nil {
		r.fail(err.Error())
	}
	r.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// failure is the panic value that ends a case.
type failure struct{}

func (r *recorder) fail(why string) {
	r.note(why)
	panic(failure{})
}

func (r *recorder) note(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.why == "" {
		r.why = why
	}
}

// finish recovers the panic of a case and runs the cleanups.
func (r *recorder) finish() {
	if p := recover(); p != nil {
		if _, failed := p.(failure); !failed {
			r.note(fmt.Sprintf("panics: %v\n%s", p, debug.Stack()))
		}
	}
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
}
