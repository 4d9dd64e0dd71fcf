package seshat_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// TestAHungRunnerIsReplacedAndFenced proves that another runner can take over
// at the end of the lease, to the millisecond, if the first stops renewing it,
// and that later appends of the first runner are refused.
func TestAHungRunnerIsReplacedAndFenced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s, err := seshat.OpenMemory(seshat.Options{})
		tn := openTenant(t, s, err)
		seshattest.MustCreate(t, tn, seshat.NewSession{ID: "x"})
		hung, err := tn.AcquireLease(ctx, "x", "first", time.Minute)
		must(t, err)
		start := time.Now()
		var next seshat.Lease
		for {
			var held *seshat.LeaseError
			next, err = tn.AcquireLease(ctx, "x", "second", time.Minute)
			if !errors.As(err, &held) {
				break
			}
			time.Sleep(time.Until(held.ExpiresAt))
		}
		must(t, err)
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("the second runner waited %v", waited)
		}
		appendTurn(t, tn, "x", seshat.Turn{Lease: next.Token})
		late := seshat.Turn{
			Messages: []seshat.Message{{Role: seshat.RoleAssistant, Content: "late"}},
			Lease:    hung.Token,
		}
		if _, err := tn.AppendTurn(ctx, "x", late); !errors.Is(err, seshat.ErrLease) {
			t.Errorf("got %v, want ErrLease", err)
		}
		got, err := tn.Get(ctx, "x")
		must(t, err)
		if got.MessageCount != 1 {
			t.Errorf("%d messages, want 1", got.MessageCount)
		}
	})
}

func TestLeaseErrorSaysWhoAndUntilWhen(t *testing.T) {
	until := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, e := range []*seshat.LeaseError{
		{Owner: "one", ExpiresAt: until},
		{Owner: "one", ExpiresAt: until, Token: 7},
	} {
		for _, part := range []string{"one", "2026-01-02T03:04:05Z"} {
			if !strings.Contains(e.Error(), part) {
				t.Errorf("%q does not say %s", e, part)
			}
		}
	}
	if lost := (&seshat.LeaseError{Token: 7}).Error(); !strings.Contains(lost, "nobody") {
		t.Errorf("%q does not say that nobody has it", lost)
	}
}
