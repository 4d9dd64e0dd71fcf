package seshat_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/seshatdb/seshat"
)

// To follow all sessions, read the position of the feed, list the sessions, and
// watch from that position. Store the position of the last event that was
// processed, and continue after it when the program restarts.
func ExampleTenant_Watch() {
	ctx := context.Background()
	store, err := seshat.OpenMemory(seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	acme, err := store.EnsureTenant(ctx, seshat.Namespace{Name: "acme"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := acme.Create(ctx, seshat.NewSession{ID: "trip"}); err != nil {
		log.Fatal(err)
	}

	since, err := acme.FeedHead(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for s, err := range acme.Sessions(ctx, seshat.Query{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("there is", s.ID)
	}

	go func() {
		_, _ = acme.Append(ctx, "trip", seshat.Message{Role: seshat.RoleUser, Content: "Book me a flight."})
		_, _ = acme.Transition(ctx, "trip", seshat.StatusArchived,
			seshat.TransitionOptions{Reason: "done", Actor: "mia"})
	}()
	for e, err := range acme.Watch(ctx, since) {
		if err != nil {
			// If errors.Is(err, seshat.ErrLagged), list the sessions again.
			log.Fatal(err)
		}
		fmt.Println(e.Position, e.Kind, e.SessionID, e.Status)
		if e.Kind == seshat.EventTransitioned {
			break
		}
	}
	// Output:
	// there is trip
	// 2 appended trip active
	// 3 transitioned trip archived
}

// Only one runner works on a session at a time. It acquires the lease, renews
// it while it works, and appends with the lease's token.
func ExampleTenant_AcquireLease() {
	ctx := context.Background()
	store, err := seshat.OpenMemory(seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	acme, err := store.EnsureTenant(ctx, seshat.Namespace{Name: "acme"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := acme.Create(ctx, seshat.NewSession{ID: "trip"}); err != nil {
		log.Fatal(err)
	}
	lease, err := acme.AcquireLease(ctx, "trip", "runner-1", time.Minute)
	if err != nil {
		log.Fatal(err)
	}
	_, err = acme.AppendTurn(ctx, "trip", seshat.Turn{
		Messages: []seshat.Message{{Role: seshat.RoleAssistant, Content: "Your flight is booked."}},
		Lease:    lease.Token,
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = acme.Append(ctx, "trip", seshat.Message{Role: seshat.RoleUser, Content: "Thanks!"})
	fmt.Println(err != nil)
	if err := acme.ReleaseLease(ctx, "trip", lease.Token); err != nil {
		log.Fatal(err)
	}
	_, err = acme.Append(ctx, "trip", seshat.Message{Role: seshat.RoleUser, Content: "Thanks!"})
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}
