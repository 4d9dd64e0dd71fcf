package transfer

import (
	"errors"
	"fmt"

	"github.com/seshatdb/seshat"
)

// Errors of an import, for errors.Is. Errors of the store, such as
// seshat.ErrExists and seshat.ErrQuota, are returned as they are.
var (
	// ErrTruncated reports that the export ends before its last line.
	ErrTruncated = errors.New("the export is truncated")

	// ErrLineTooLong reports a line that is longer than the limit.
	ErrLineTooLong = errors.New("the line is too long")

	// ErrFormat reports that the input is not an export, that this package
	// cannot read its version, or that a line is not allowed at its place.
	ErrFormat = seshat.ErrFormat

	// ErrCorrupt reports that the checksum or the counts of the last line do
	// not match the lines before it.
	ErrCorrupt = seshat.ErrCorrupt
)

// LineError is an error of an import at one line. If a session was rejected, it
// is the line of the session.
type LineError struct {
	Line int   // number of the line, from 1
	Err  error // cause
}

// Error returns the line number and the cause.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }

// malformed returns an ErrFormat. The arguments hold no text of the input.
func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}
