package seshat_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/seshatdb/seshat"
)

// A session expires at its deadline, to the millisecond, whether or not it was
// swept. Writes and Touch extend a sliding deadline. Reads do not.
func Example_expiry() {
	ctx := context.Background()
	now := time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
	store, err := seshat.OpenMemory(seshat.Options{
		Now:        func() time.Time { return now },
		SweepEvery: seshat.Never, // this example calls Sweep; the default is every minute
	})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	acme, err := store.EnsureTenant(ctx, seshat.Namespace{
		Name: "acme", Lifecycle: seshat.Lifecycle{TTL: time.Hour, IdleAfter: 10 * time.Minute},
	})
	if err != nil {
		log.Fatal(err)
	}
	s, err := acme.Create(ctx, seshat.NewSession{ID: "chat"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("until", s.ExpiresAt.Format(time.TimeOnly))

	now = now.Add(5 * time.Minute)
	if s, err = acme.Touch(ctx, "chat"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("until", s.ExpiresAt.Format(time.TimeOnly))

	now = now.Add(10 * time.Minute)
	plan, err := store.Sweep(ctx, seshat.SweepOptions{DryRun: true})
	fmt.Println(plan.Due[0].SessionID, plan.Due[0].Action, err)

	now = s.ExpiresAt.Add(-time.Millisecond)
	_, err = acme.Get(ctx, "chat")
	fmt.Println(err)
	now = s.ExpiresAt
	_, err = acme.Get(ctx, "chat")
	fmt.Println(errors.Is(err, seshat.ErrNotFound))

	report, err := store.Sweep(ctx, seshat.SweepOptions{})
	fmt.Println(report.Expired, err)
	// Output:
	// until 10:00:00
	// until 10:05:00
	// chat idle <nil>
	// <nil>
	// true
	// 1 <nil>
}
