package seshat

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// maxRetries is how often Update starts again when another call got in between
// its read and its write.
const maxRetries = 32

// errRetry: what was read has changed since.
var errRetry = errors.New("changed since it was read")

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
