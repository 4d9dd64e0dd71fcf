package driver

import "errors"

// Errors that a driver returns. It may wrap them with details.
var (
	ErrNotFound = errors.New("not found")
	ErrClosed   = errors.New("store is closed")
	ErrReadOnly = errors.New("read-only")
	ErrTooLarge = errors.New("too large")
	ErrLagged   = errors.New("events were trimmed before they were read")
	ErrLocked   = errors.New("store is in use by another process or handle")
	ErrUnknown  = errors.New("outcome unknown: the change may have been made")
	ErrFailed   = errors.New("store has failed: close and reopen it")
	ErrCorrupt  = errors.New("data is damaged")
	ErrFormat   = errors.New("unknown file format")
)
