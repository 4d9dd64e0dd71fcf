package postgres

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// maxTries is the largest number of attempts after conflicts or lost
// connections.
const maxTries = 30

// retry repeats a call until it succeeds. The call must be safe to repeat.
func (d *Driver) retry(ctx context.Context, call func() error) error {
	for try := 0; ; try++ {
		err := call()
		if err == nil || ctx.Err() != nil || try >= maxTries || !transient(err) || lost(err) && try >= maxLost {
			return contextError(ctx, err)
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// maxLost is the largest number of lost connections that one call survives.
// After a restart of the server all connections of a pool may be dead, but pgx
// removes them one by one.
const maxLost = 5

// pause waits for a random time that grows with each try, so that conflicting
// calls separate.
func pause(ctx context.Context, try int) error {
	most := time.Millisecond << min(try, 7)
	t := time.NewTimer(rand.N(most))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// transient reports whether the call may succeed if it is repeated.
func transient(err error) bool {
	return lost(err) || serialization(err) || errors.Is(err, errConcurrent)
}

// serialization reports whether the engine aborted the transaction in favour of
// another.
func serialization(err error) bool { c := code(err); return c == "40001" || c == "40P01" }

// lost reports whether the connection was lost for a reason other than ctx.
func lost(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return ending(pe)
	}
	return err != nil && !errors.Is(err, pgx.ErrNoRows) &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) &&
		!errors.Is(err, errConcurrent) && isConnError(err)
}

// ending reports whether the server is closing the connection.
func ending(pe *pgconn.PgError) bool {
	return len(pe.Code) == 5 && (pe.Code[:2] == "08" || pe.Code[:3] == "57P") || pe.Severity == "FATAL" ||
		pe.Severity == "PANIC"
}

// contextError adds the context's error as the cause if the context has ended.
func contextError(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && code(err) == "" {
		return ctx.Err()
	}
	return err
}

// isConnError recognizes errors of the network and of dead connections.
func isConnError(err error) bool {
	var op *net.OpError
	var connect *pgconn.ConnectError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &op) || errors.As(err, &connect) || pgconn.SafeToRetry(err)
}
