package dbfile

import (
	"fmt"
	"runtime/debug"

	"github.com/seshatdb/seshat/driver"
)

// Guarded runs fn and turns a panic of the engine, or a fault on the memory map
// (an unreadable page, a truncated file), into an error that wraps ErrCorrupt.
func Guarded(what string, fn func() error) (err error) {
	defer Guard(what, debug.SetPanicOnFault(true), &err)
	return fn()
}

// Guard is Guarded without a closure, for hot paths. It must be deferred
// directly, and first:
//
//	defer Guard("get", debug.SetPanicOnFault(true), &err)
//
// Go evaluates the second argument when the defer statement runs, so faults
// panic from there until the function returns.
func Guard(what string, old bool, err *error) {
	debug.SetPanicOnFault(old)
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %s: %v", driver.ErrCorrupt, what, r)
	}
}
