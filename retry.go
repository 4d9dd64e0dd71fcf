package seshat

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// maxRetries is how often a call is tried that another one can get in the way
// of, between its read and its write.
const maxRetries = 32

// lostRace is the error of a try that another call got in the way of. err is
// what the call fails with if it loses each of its tries.
type lostRace struct{ err error }

func (e *lostRace) Error() string { return "changed since it was read" }

// errRetry: what was read has changed since.
var errRetry = &lostRace{ErrConflict}

// retry calls try until it loses no race, at most maxRetries times, and returns
// its error, or the context's.
func retry(ctx context.Context, try func() error) error {
	for n := 0; ; n++ {
		err := try()
		if err == nil {
			return nil
		}
		var lost *lostRace
		if !errors.As(err, &lost) {
			return err
		}
		if n+1 == maxRetries {
			return lost.err
		}
		if err := waitBackoff(ctx, n); err != nil {
			return err
		}
	}
}

// Backoff of calls that lose a race with another caller.
const (
	eagerRetries   = 4                     // lost tries after which a call begins to wait
	firstBackoff   = time.Millisecond      // at most, doubled with each try
	longestBackoff = 64 * time.Millisecond // at most
)

// waitBackoff waits after a lost try, numbered from 0, longer the more were lost and
// never as long as others do, so that of many writers each gets through. It
// returns the context's error.
func waitBackoff(ctx context.Context, try int) error {
	if try < eagerRetries {
		return ctx.Err()
	}
	wait := time.NewTimer(rand.N(min(firstBackoff<<(try-eagerRetries), longestBackoff)))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
