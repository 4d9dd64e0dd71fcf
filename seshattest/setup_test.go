package seshattest_test

import (
	"fmt"
	"testing"
)

// recorder is a test that can fail without failing the test around it.
type recorder struct {
	testing.TB
	failures []string
	cleanups []func()
}

// fatal is the panic value of Fatal, which must not return.
type fatal struct{}

func (r *recorder) Helper()           {}
func (r *recorder) Cleanup(fn func()) { r.cleanups = append(r.cleanups, fn) }
func (r *recorder) Error(args ...any) { r.failures = append(r.failures, fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any) { r.Error(args...); panic(fatal{}) }
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// run runs fn as a separate test and returns its failures.
func run(t *testing.T, fn func(t testing.TB)) []string {
	r := &recorder{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != (fatal{}) {
				panic(p)
			}
		}()
		fn(r)
	}()
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
	return r.failures
}
