package transfer

import (
	"errors"
	"fmt"

	"github.com/seshatdb/seshat"
)

// What can be wrong with what is imported, for errors.Is. Errors of the store,
// such as seshat.ErrExists and seshat.ErrQuota, come through.
var (
	// ErrTruncated: the export ends before its last line.
	ErrTruncated = errors.New("the export is cut off")

	// ErrLineTooLong: a line has more bytes than the limit.
	ErrLineTooLong = errors.New("the line is too long")

	// ErrFormat: it is not an export, not of a version that this package
	// reads, or a line is not what may stand there.
	ErrFormat = seshat.ErrFormat

	// ErrCorrupt: the checksum or the counts of the last line do not agree
	// with the lines before it.
	ErrCorrupt = seshat.ErrCorrupt
)

// LineError says which line could not be imported. Of a session that was
// refused it is the session's line.
type LineError struct {
	Line int   // from 1
	Err  error // why
}

// Error names the line and the cause.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}
