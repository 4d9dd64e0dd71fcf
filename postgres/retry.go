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

// maxTries is how often a call is tried that met another, or a lost connection.
const maxTries = 30

// retry runs a call that changes nothing, or only once, until it is through.
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

// maxLost is how many lost connections one call outlives: those in a pool may
// all be dead after a restart of the server, but pgx clears them as it goes.
const maxLost = 5

// pause waits longer with each try, by chance, so that two that met part ways.
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

// transient reports whether the same call may succeed if it is made again.
func transient(err error) bool {
	return lost(err) || serialization(err) || errors.Is(err, errConcurrent)
}

// serialization reports whether the engine ended a transaction for the sake of
// another.
func serialization(err error) bool { c := code(err); return c == "40001" || c == "40P01" }

// lost reports whether the connection is gone, and not because of the caller.
func lost(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return ending(pe)
	}
	return err != nil && !errors.Is(err, pgx.ErrNoRows) &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) &&
		!errors.Is(err, errConcurrent) && isConnError(err)
}

// ending reports whether the server is about to end the connection.
func ending(pe *pgconn.PgError) bool {
	return len(pe.Code) == 5 && (pe.Code[:2] == "08" || pe.Code[:3] == "57P") || pe.Severity == "FATAL" ||
		pe.Severity == "PANIC"
}

// contextError names the end of the context as the cause, if it is.
func contextError(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && code(err) == "" {
		return ctx.Err()
	}
	return err
}

// isConnError recognizes what the network, or a connection found dead, answers.
func isConnError(err error) bool {
	var op *net.OpError
	var connect *pgconn.ConnectError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &op) || errors.As(err, &connect) || pgconn.SafeToRetry(err)
}
