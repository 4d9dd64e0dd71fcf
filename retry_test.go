package seshat

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Promise: a call that loses every try ends with the error of the last one.
func TestRetryEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		tries := 0
		err := retry(t.Context(), func() error {
			tries++
			return &Error{Op: "Update", Err: &lostRaceError{&ConflictError{Have: uint64(tries)}}}
		})
		var conflict *ConflictError
		if tries != maxRetries || !errors.As(err, &conflict) || conflict.Have != maxRetries {
			t.Errorf("got %v after %d tries, want a conflict after %d", err, tries, maxRetries)
		}
		if took := time.Since(start); took > maxRetries*longestBackoff {
			t.Errorf("%d tries waited for %v", tries, took)
		}
	})
}

func TestRetryStopsAtOtherErrors(t *testing.T) {
	for _, want := range []error{nil, ErrNotFound, ErrConflict} {
		tries := 0
		err := retry(t.Context(), func() error {
			if tries++; tries < 3 {
				return errRetry
			}
			return want
		})
		if err != want || tries != 3 {
			t.Errorf("got %v after %d tries, want %v after 3", err, tries, want)
		}
	}
}

func TestRetryEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	tries := 0
	err := retry(ctx, func() error {
		if tries++; tries == 2 {
			cancel()
		}
		return errRetry
	})
	if !errors.Is(err, context.Canceled) || tries != 2 {
		t.Errorf("got %v after %d tries, want %v after 2", err, tries, context.Canceled)
	}
}
