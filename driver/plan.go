package driver

import (
	"fmt"
	"runtime/debug"
)

// PanicError is the outcome of an op whose Plan panicked. Nothing was written.
type PanicError struct {
	Value any    // what Plan panicked with
	Stack []byte // where
}

func (e *PanicError) Error() string { return fmt.Sprintf("plan panicked: %v", e.Value) }

// Unwrap returns the value that Plan panicked with, if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Decide runs o's Plan on v and validates what it returns. A driver calls it
// in place of Plan, so that no user code can end its writer: a panic comes
// back as a *PanicError.
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
