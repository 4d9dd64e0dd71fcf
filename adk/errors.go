package adk

import (
	"errors"
	"fmt"

	"github.com/seshatdb/seshat"
)

// StaleError reports that a session has events that the handle given to
// AppendEvent does not have, because another handle appended. Get the session
// again and decide anew. It matches seshat.ErrConflict.
type StaleError struct {
	AppName, UserID, SessionID string // names of the session

	Have   uint64 // number of the newest event on the handle
	Stored uint64 // number of the newest event in the store
}

// Error returns the session and both numbers.
func (e *StaleError) Error() string {
	return fmt.Sprintf("stale session error: session %q read at event %d is now at event %d",
		e.SessionID, e.Have, e.Stored)
}

// Is reports whether target is seshat.ErrConflict.
func (e *StaleError) Is(target error) bool { return target == seshat.ErrConflict }

// argumentError is an invalid argument. It matches seshat.ErrInvalid.
type argumentError string

func (e argumentError) Error() string { return string(e) }

func (e argumentError) Is(target error) bool { return target == seshat.ErrInvalid }

func invalid(format string, args ...any) error { return argumentError(fmt.Sprintf(format, args...)) }

// explain adds the words that ADK's own services use to the store's error,
// because callers look for them.
func explain(err error, sessionID string) error {
	switch {
	case errors.Is(err, seshat.ErrNotFound):
		return fmt.Errorf("session %q not found: %w", sessionID, err)
	case errors.Is(err, seshat.ErrExists):
		return fmt.Errorf("session %q already exists: %w", sessionID, err)
	}
	return err
}

// explainAppend is explain, for an append to h.
func explainAppend(err error, h *handle) error {
	var c *seshat.ConflictError
	if errors.As(err, &c) {
		return &StaleError{AppName: h.app, UserID: h.user, SessionID: h.id, Have: c.Have, Stored: c.Stored}
	}
	return explain(err, h.id)
}
