package seshat

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// What went wrong, for errors.Is. Every error of this package matches one of
// these, the error of the caller's context, or one that the caller's own
// function returned.
var (
	// ErrNotFound: no live session (or namespace, message, lease, key) with
	// that id. One of another tenant is reported the same way.
	ErrNotFound = driver.ErrNotFound

	// ErrExists: the id or name is taken.
	ErrExists = errors.New("already exists")

	// ErrConflict: the session changed since the version that the caller
	// named; see [ConflictError]. Or a message id is already used for other
	// content; see [MessageIDError].
	ErrConflict = errors.New("conflict")

	// ErrInvalid: an argument is not allowed; see [InvalidError].
	ErrInvalid = errors.New("invalid")

	// ErrReadOnly: the session is archived or terminated, or the store was
	// opened with Options.ReadOnly.
	ErrReadOnly = driver.ErrReadOnly

	// ErrQuota: a quota would be exceeded; see [QuotaError].
	ErrQuota = errors.New("quota exceeded")

	// ErrTransition: the transition table has no such move; see
	// [TransitionError].
	ErrTransition = errors.New("illegal transition")

	// ErrLease: the lease is held by somebody else, or the fencing token is
	// no longer the newest.
	ErrLease = errors.New("lease lost")

	// ErrLagged: the feed was trimmed past the position asked for.
	ErrLagged = driver.ErrLagged

	// ErrLocked: the file is open in another process, or twice in this one.
	ErrLocked = driver.ErrLocked

	// ErrClosed: the store was closed.
	ErrClosed = driver.ErrClosed

	// ErrUnknown: the change may have happened or not. Read to find out, or
	// repeat the call with the same message ids or version.
	ErrUnknown = driver.ErrUnknown

	// ErrFailed: an earlier failure to write leaves the file's state
	// unknown. Close the store and open it again.
	ErrFailed = driver.ErrFailed

	// ErrCorrupt: what was read is damaged.
	ErrCorrupt = driver.ErrCorrupt

	// ErrFormat: the file is not a store, or was written by a newer version.
	ErrFormat = driver.ErrFormat
)

// Error says which operation failed, and on what. It never holds session
// content, so it is safe to log.
type Error struct {
	Op     string // the method, such as "Get"
	Tenant string // the namespace's name, if one is concerned
	ID     string // the session's id, if one is concerned
	Err    error  // the cause
}

func (e *Error) Error() string {
	msg := "seshat: " + e.Op
	if e.Tenant != "" {
		msg += " " + strconv.Quote(e.Tenant)
	}
	if e.ID != "" {
		msg += "/" + strconv.Quote(e.ID)
	}
	return msg + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// wrapStoreError is the error of a call that no tenant is concerned with, if it failed.
func wrapStoreError(op string, err error) error {
	if err != nil {
		err = &Error{Op: op, Err: err}
	}
	return err
}

// InvalidError names the argument that is not allowed, and what is. It matches
// ErrInvalid.
type InvalidError struct {
	Field  string // in the names of JSON, such as "agent_config.temperature"
	Reason string // what was wrong and what is allowed; never the value
}

func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }

// Is reports whether target is ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// ConflictError carries both versions of a lost update, or both numbers of an
// append that came after one that its caller did not know. It matches
// ErrConflict.
type ConflictError struct {
	Have   uint64 // what the caller built on
	Stored uint64 // what is stored
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("conflict: have %d, stored is %d", e.Have, e.Stored)
}

// Is reports whether target is ErrConflict.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// TransitionError names a move that the transition table does not have. It
// matches ErrTransition.
type TransitionError struct {
	From, To Status
	Allowed  []Status // where a session in From may be moved
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("illegal transition from %v to %v; allowed: %v", e.From, e.To, e.Allowed)
}

// Is reports whether target is ErrTransition.
func (e *TransitionError) Is(target error) bool { return target == ErrTransition }

// QuotaError names the quota that a call would exceed. It matches ErrQuota.
type QuotaError struct {
	Quota      string        // in the names of JSON, such as "max_messages"
	Limit      uint64        // what is allowed
	Use        uint64        // what is used
	RetryAfter time.Duration // after this it may succeed; 0 = not by waiting
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("quota exceeded: %s is %d, in use %d", e.Quota, e.Limit, e.Use)
}

// Is reports whether target is ErrQuota.
func (e *QuotaError) Is(target error) bool { return target == ErrQuota }

// readOnlyError says which status refused a write. It matches ErrReadOnly.
type readOnlyError struct{ status Status }

func (e readOnlyError) Error() string {
	return "session is " + e.status.String() + " and read-only"
}

func (e readOnlyError) Is(target error) bool { return target == ErrReadOnly }

func (t *Tenant) wrapError(op, id string, err error) error {
	return &Error{Op: op, Tenant: t.name(), ID: id, Err: err}
}

// unwrapError returns what an *Error wraps, so that it is not wrapped twice.
func unwrapError(err error) error {
	if e, ok := err.(*Error); ok {
		return e.Err
	}
	return err
}
