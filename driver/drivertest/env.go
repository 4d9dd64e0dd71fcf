package drivertest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// start is the time at which every check begins, in Unix milliseconds. It is
// the first millisecond of a minute.
const start int64 = 1_700_000_040_000

// env is a driver under test.
type env struct {
	tb   testing.TB
	h    Harness
	d    driver.Driver
	ctx  context.Context
	now  atomic.Int64  // the time that ops see
	made atomic.Uint64 // number of incarnations made
}

func newEnv(tb testing.TB, h Harness) *env {
	e := &env{tb: tb, h: h, d: h.Open(tb), ctx: context.Background()}
	e.now.Store(start)
	return e
}

// reopen replaces the driver by a new one on the same data.
func (e *env) reopen() { e.d = e.h.Reopen(e.tb, e.d) }

// failure is the panic value of a failed expectation. Because catch recovers
// it, a check can run against a driver that is known to be broken.
type failure struct{ err error }

// catch recovers a failure and stores its error in err. Defer it.
func catch(err *error) {
	switch p := recover().(type) {
	case nil:
	case failure:
		*err = p.err
	default:
		panic(p)
	}
}

// fail ends the check with an error that names the caller's file and line. skip
// is the number of callers to leave out.
func fail(skip int, format string, args ...any) {
	_, file, line, _ := runtime.Caller(skip + 1)
	text := fmt.Sprintf(format, args...)
	panic(failure{fmt.Errorf("%s:%d: %s", filepath.Base(file), line, text)})
}

// isTrue fails unless ok.
func (e *env) isTrue(ok bool, format string, args ...any) {
	if !ok {
		fail(2, format, args...)
	}
}

// must fails on an error.
func (e *env) must(err error) {
	if err != nil {
		fail(2, "unexpected error: %v", err)
	}
}

// isError fails unless err is one of the wanted errors.
func (e *env) isError(err error, wanted ...error) {
	for _, want := range wanted {
		if errors.Is(err, want) {
			return
		}
	}
	fail(2, "error %v, want %v", err, wanted)
}

// equal fails unless both values print alike. It treats nil and empty alike.
func (e *env) equal(what string, got, want any) {
	if reflect.DeepEqual(got, want) {
		return // faster than printing them
	}
	if g, w := show(got), show(want); g != w {
		fail(2, "%s:\n got %s\nwant %s", what, g, w)
	}
}

// incarnation returns an incarnation that was not used before.
func (e *env) incarnation() (inc driver.Incarnation) {
	copy(inc[:], "\x01\x8bincarna")
	binary.BigEndian.PutUint64(inc[8:], e.made.Add(1))
	return inc
}

// audit fails on any finding of the driver, if it is a driver.Checker.
func (e *env) audit() {
	c, ok := e.d.(driver.Checker)
	if !ok {
		return
	}
	got, err := c.Check(e.ctx, 10, driver.Visitor{})
	if errors.Is(err, driver.ErrClosed) {
		return
	}
	if err != nil {
		fail(1, "Check: %v", err)
	}
	for _, f := range got.Findings {
		fail(1, "Check found at %s: %s", f.Where, f.What)
	}
}

// signal wakes all its waiters, present and future, when it is first sent.
type signal struct {
	once sync.Once
	sent chan struct{}
	made sync.Once
}

func (s *signal) channel() chan struct{} {
	s.made.Do(func() { s.sent = make(chan struct{}) })
	return s.sent
}

func (s *signal) send() { s.once.Do(func() { close(s.channel()) }) }

func (s *signal) wait() { <-s.channel() }

// together runs f n times concurrently and fails with the first failure.
func (e *env) together(n int, f func(i int)) {
	errs := make(chan error, n)
	for i := range n {
		go func() {
			var err error
			defer func() { errs <- err }()
			defer catch(&err)
			f(i)
		}()
	}
	var first error
	for range n {
		if err := <-errs; first == nil {
			first = err
		}
	}
	if first != nil {
		panic(failure{first})
	}
}
