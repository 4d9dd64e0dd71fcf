package seshat

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seshatdb/seshat/driver"
)

// Errors of this package, for errors.Is. Every error of a Store or a Tenant
// matches one of these, the error of the caller's context, or an error that the
// caller's own function returned.
var (
	// ErrNotFound: there is no live session (or namespace, message, lease, key)
	// with that id, or it belongs to another tenant.
	ErrNotFound = driver.ErrNotFound

	// ErrExists: the id or name is taken.
	ErrExists = errors.New("already exists")

	// ErrConflict: the session changed since the version that the caller named
	// (see [ConflictError]), or a message id is already used for other content
	// (see [MessageIDError]).
	ErrConflict = errors.New("conflict")

	// ErrInvalid: an argument is not allowed; see [InvalidError].
	ErrInvalid = errors.New("invalid")

	// ErrReadOnly: the session's status is read-only, see [StatusActive], or
	// the store was opened with Options.ReadOnly.
	ErrReadOnly = driver.ErrReadOnly

	// ErrQuota: a quota would be exceeded; see [QuotaError].
	ErrQuota = errors.New("quota exceeded")

	// ErrTransition: the table at [StatusActive] does not allow the transition;
	// see [TransitionError].
	ErrTransition = errors.New("illegal transition")

	// ErrLease: another owner holds the lease, or the fencing token is no
	// longer the newest; see [LeaseError].
	ErrLease = errors.New("lease lost")

	// ErrLagged: the feed was trimmed past the requested position; see
	// [LaggedError].
	ErrLagged = driver.ErrLagged

	// ErrLocked: the file is open in another process, or twice in this one.
	ErrLocked = driver.ErrLocked

	// ErrClosed: the store was closed.
	ErrClosed = driver.ErrClosed

	// ErrUnknown: the change may have been made. Read to find out, or repeat
	// the call with the same message ids or version.
	ErrUnknown = driver.ErrUnknown

	// ErrFailed: an earlier write failed and left the state of the file
	// unknown. Close the store and open it again.
	ErrFailed = driver.ErrFailed

	// ErrCorrupt: stored data is damaged.
	ErrCorrupt = driver.ErrCorrupt

	// ErrFormat: the file is not a store, or a newer version wrote it.
	ErrFormat = driver.ErrFormat
)

// Error names the operation that failed, and its tenant and session. It never
// holds session content, so it is safe to log. Its text is one line of at most
// 2 KiB: longer names and texts are cut in the middle.
type Error struct {
	Op     string // the method or function that was called, such as "Get"
	Tenant string // the namespace's name; "" if the call concerns none
	ID     string // the session's id as the caller gave it; "" if the call concerns none
	Err    error  // the cause
}

// Error returns the operation, the tenant and session, and the cause in one
// line.
func (e *Error) Error() string {
	msg := "seshat: " + e.Op
	if e.Tenant != "" {
		msg += " " + quoteName(e.Tenant)
	}
	if e.ID != "" {
		msg += "/" + quoteName(e.ID)
	}
	return oneLine(msg + ": " + e.Err.Error())
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// wrapStoreError wraps the error of a call that concerns no tenant. It returns
// nil if err is nil.
func wrapStoreError(op string, err error) error {
	if err != nil {
		err = &Error{Op: op, Err: err}
	}
	return err
}

// InvalidError names an argument that is not allowed, and says what is allowed.
// It matches ErrInvalid.
type InvalidError struct {
	Field  string // in the names of JSON, such as "agent_config.temperature"
	Reason string // what is wrong and what is allowed; never a text of the caller
}

// Error returns the field and the reason.
func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }

// Is reports whether target is ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// invalid returns an *InvalidError; see refuse.
func invalid(field, format string, args ...any) error {
	return refuse(field, format, args...).err()
}

// fieldError says that a check refused a value. field is a path inside the
// checked value, "" for the value itself; each caller on the way up puts its
// own field in front, with at or atIndex. A nil *fieldError means that the
// check passed. The type does not implement error, so a nil *fieldError never
// becomes a non-nil error; err converts it.
type fieldError struct {
	field  string
	reason string
}

// refuse returns a fieldError of that field. It formats the reason, so checks
// call it only when they fail.
func refuse(field, format string, args ...any) *fieldError {
	return &fieldError{field: field, reason: fmt.Sprintf(format, args...)}
}

// at returns the error with place in front of its field.
func (e *fieldError) at(place string) *fieldError {
	switch {
	case e == nil:
		return nil
	case e.field == "":
		return &fieldError{field: place, reason: e.reason}
	case e.field[0] == '.' || e.field[0] == '[': // a path inside a document
		return &fieldError{field: place + e.field, reason: e.reason}
	}
	return &fieldError{field: place + "." + e.field, reason: e.reason}
}

// atIndex is at for element i of the list at place.
func (e *fieldError) atIndex(place string, i int) *fieldError {
	if e == nil {
		return nil
	}
	return e.at(place + "[" + strconv.Itoa(i) + "]")
}

// err returns the *InvalidError for callers, or nil.
func (e *fieldError) err() error {
	if e == nil {
		return nil
	}
	return &InvalidError{Field: shorten(e.field, maxFieldBytes), Reason: shorten(e.reason, maxFieldBytes)}
}

// ConflictError reports that an update was built on a stale version, or an
// append on a stale log. It matches ErrConflict.
type ConflictError struct {
	Have   uint64 // the caller's version, or LastSeq of an append
	Stored uint64 // the stored version, or LastSeq
}

// Error returns both numbers.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("conflict: have %d, stored is %d", e.Have, e.Stored)
}

// Is reports whether target is ErrConflict.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// unwrapError returns the cause of an *Error, so that it is not wrapped twice.
func unwrapError(err error) error {
	if e, ok := err.(*Error); ok { //nolint:errorlint // only the outermost
		return e.Err
	}
	return err
}

// Bounds of the texts of errors, in bytes.
const (
	maxErrorBytes = 2 << 10 // the whole text of an Error
	maxFieldBytes = 256     // a field's path, and also a reason
)

// quoteName returns a name in quotes. A name longer than MaxNameBytes is
// shortened first.
func quoteName(name string) string { return strconv.Quote(shorten(name, MaxNameBytes)) }

// shorten cuts out the middle of s, between runes, so that at most n bytes are
// left.
func shorten(s string, n int) string {
	const cut = "…"
	if len(s) <= n {
		return s
	}
	head := (n - len(cut)) / 2
	tail := len(s) - (n - len(cut) - head)
	for head > 0 && !utf8.RuneStart(s[head]) {
		head--
	}
	for tail < len(s) && !utf8.RuneStart(s[tail]) {
		tail++
	}
	return s[:head] + cut + s[tail:]
}

// oneLine returns text as one line of valid UTF-8 without control characters,
// of at most maxErrorBytes bytes.
func oneLine(text string) string {
	text = shorten(text, maxErrorBytes)
	if utf8.ValidString(text) && controlIndex(text) < 0 {
		return text
	}
	return replaceControls(strings.ToValidUTF8(text, "?"))
}
