package driver

import (
	"fmt"
	"runtime/debug"
)

// PanicError is the error of an op whose Plan panicked. Nothing was written.
type PanicError struct {
	Value any    // value of the panic
	Stack []byte // stack trace of the panic
}

// Error returns the value of the panic.
func (e *PanicError) Error() string { return fmt.Sprintf("plan panicked: %v", e.Value) }

// Unwrap returns the value of the panic if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Decide runs o's Plan on v and validates the Change. Drivers call it instead
// of Plan: it returns a panic of user code as a *PanicError, so that the
// driver's writer survives.
func (o *Op) Decide(v *View, caps Caps) (c Change, err error) {
	defer func() {
		if p := recover(); p != nil {
			c = Change{}
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	if c, err = o.Plan(*v); err != nil {
		return Change{}, err
	}
	if err = c.Validate(&o.Target, v, caps); err != nil {
		return Change{}, err
	}
	return c, nil
}
