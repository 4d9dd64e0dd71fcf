package seshat

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// maxRetries is the number of tries of a call that reads before it writes, if
// other calls change the data in between.
const maxRetries = 32

// lostRaceError is the error of a try that another call interfered with. If all
// tries fail, the call returns err.
type lostRaceError struct{ err error }

func (e *lostRaceError) Error() string { return "changed since it was read" }

// errRetry is the lostRaceError of a call that ends with ErrConflict.
var errRetry = &lostRaceError{ErrConflict}

// retry calls try until it returns no lostRaceError, at most maxRetries times.
// It returns the error of try, or the context's error.
func retry(ctx context.Context, try func() error) error {
	for n := 0; ; n++ {
		err := try()
		if err == nil {
			return nil
		}
		var lost *lostRaceError
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
	eagerRetries   = 4                     // tries without a pause
	firstBackoff   = time.Millisecond      // longest first pause; doubled with each try
	longestBackoff = 64 * time.Millisecond // longest pause
)

// waitBackoff pauses after a lost try, numbered from 0. The pause is random and
// its range grows with each try, so that each of many writers succeeds. Errors:
// the context's error.
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
