package main

import (
	"errors"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/transfer"
)

// wireError is an error sent over an operator socket.
type wireError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error returns the server's message.
func (e *wireError) Error() string { return e.Message }

// Unwrap returns the sentinel that the error matched on the server.
func (e *wireError) Unwrap() error {
	for _, s := range wireCodes {
		if s.code == e.Code {
			return s.err
		}
	}
	return nil
}

var wireCodes = []struct {
	code string
	err  error
}{
	{"usage", errUsage},
	{"not_found", seshat.ErrNotFound},
	{"exists", seshat.ErrExists},
	{"conflict", seshat.ErrConflict},
	{"invalid", seshat.ErrInvalid},
	{"read_only", seshat.ErrReadOnly},
	{"quota", seshat.ErrQuota},
	{"transition", seshat.ErrTransition},
	{"lease", seshat.ErrLease},
	{"lagged", seshat.ErrLagged},
	{"locked", seshat.ErrLocked},
	{"unknown", seshat.ErrUnknown},
	{"failed", seshat.ErrFailed},
	{"corrupt", seshat.ErrCorrupt},
	{"format", seshat.ErrFormat},
	{"truncated", transfer.ErrTruncated},
	{"unsupported", errors.ErrUnsupported},
}

func newWireError(err error) *wireError {
	if err == nil {
		return nil
	}
	for _, s := range wireCodes {
		if errors.Is(err, s.err) {
			return &wireError{Code: s.code, Message: err.Error()}
		}
	}
	return &wireError{Code: "error", Message: err.Error()}
}
