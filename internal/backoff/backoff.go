// Package backoff spaces tries of which each fails because of another caller.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	eager   = 4                     // lost tries after which a call begins to wait
	first   = time.Millisecond      // at most, doubled with each try
	longest = 64 * time.Millisecond // at most
)

// Wait waits after a lost try, numbered from 0, longer the more were lost and
// never as long as others do, so that of many writers each gets through. It
// returns the context's error.
func Wait(ctx context.Context, try int) error {
	if try < eager {
		return ctx.Err()
	}
	wait := time.NewTimer(rand.N(min(first<<(try-eager), longest)))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
