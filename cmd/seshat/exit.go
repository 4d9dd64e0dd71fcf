package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/migrate"
	"github.com/seshatdb/seshat/transfer"
)

// Exit codes. exitCodesTopic documents them.
const (
	exitOK       = 0
	exitError    = 1
	exitUsage    = 2
	exitNotFound = 3
	exitConflict = 4
	exitCorrupt  = 5
	exitQuota    = 6
	exitDenied   = 7
	exitSignal   = 130
)

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "List the exit codes",
		Long: `Exit codes:

    0  done
    1  any other error
    2  usage: a flag, an argument or a value is not allowed, or the target
       does not support the verb
    3  not found: file, namespace, session, user or key
    4  conflict: the file is locked or exists, the id or name is taken, the
       session is read-only or leased, the transition is not allowed, the
       destination of a migration is not empty, or its source was written
    5  corrupt: the store or export is damaged, has another version, or is not
       completely migrated
    6  a quota is exceeded
    7  the server rejected the key
  130  interrupted`,
	}
}

// usageError reports an invalid command line.
type usageError struct{ err error }

// errUsage matches every usageError.
var errUsage = errors.New("usage")

func (e *usageError) Error() string        { return e.err.Error() }
func (e *usageError) Unwrap() error        { return e.err }
func (e *usageError) Is(target error) bool { return target == errUsage }

func usagef(format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// errDenied reports that the server rejects the key, or does not allow the call
// to it.
var errDenied = errors.New("access denied")

// errDamaged reports that a check found damage. The findings are printed
// before.
var errDamaged = errors.New("the store is damaged")

// exitCode returns the code of an error.
func exitCode(ctx context.Context, err error) int {
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	switch {
	case err == nil:
		return exitOK
	case is(errUsage):
		return exitUsage
	case is(context.Canceled) && ctx.Err() != nil:
		return exitSignal
	case is(migrate.ErrNotEmpty, migrate.ErrChanged):
		return exitConflict
	case is(seshat.ErrCorrupt, seshat.ErrFormat, transfer.ErrTruncated, migrate.ErrDiffers, errDamaged):
		return exitCorrupt
	case is(seshat.ErrNotFound, fs.ErrNotExist):
		return exitNotFound
	case is(errDenied, fs.ErrPermission):
		return exitDenied
	case is(seshat.ErrQuota):
		return exitQuota
	case is(seshat.ErrConflict, seshat.ErrExists, seshat.ErrLocked, seshat.ErrTransition, seshat.ErrReadOnly,
		seshat.ErrLease, seshat.ErrLagged, fs.ErrExist):
		return exitConflict
	case is(seshat.ErrInvalid, errors.ErrUnsupported):
		return exitUsage
	}
	return exitError
}

// report prints an error and returns its exit code.
func (a *app) report(ctx context.Context, err error) int {
	code := exitCode(ctx, err)
	if code == exitOK {
		return code
	}
	text := explain(err)
	if a.json {
		b, _ := json.Marshal(map[string]any{"error": map[string]any{"message": text, "exit_code": code}})
		fmt.Fprintln(a.err, string(b))
		return code
	}
	fmt.Fprintln(a.err, "seshat:", printable(text))
	if code == exitUsage && !a.began {
		fmt.Fprintf(a.err, "See '%s --help'.\n", a.verb)
	}
	return code
}

// explain returns the text of an error, with advice if there is some.
func explain(err error) string {
	text := strings.TrimPrefix(err.Error(), "seshat: ")
	switch {
	case errors.Is(err, seshat.ErrLocked):
		text += " (if a server has it open, use --url)"
	case errors.Is(err, seshat.ErrCorrupt):
		text += " (see seshat verify and seshat salvage)"
	}
	return text
}
