package seshat_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/seshatdb/seshat"
)

// A session's status changes only as the table of transitions allows. An
// archived session is read-only until it is active again. A terminated session
// is read-only for good.
func Example_lifecycle() {
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
	s, err := acme.Create(ctx, seshat.NewSession{ID: "order"})
	if err != nil {
		log.Fatal(err)
	}

	s, err = acme.Transition(ctx, s.ID, seshat.StatusArchived,
		seshat.TransitionOptions{Reason: "delivered", Actor: "shop"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Status, s.LastTransition.Reason, s.LastTransition.Actor)

	_, err = acme.Append(ctx, s.ID, seshat.Message{Role: seshat.RoleUser, Content: "It is broken!"})
	fmt.Println(errors.Is(err, seshat.ErrReadOnly))
	_, err = acme.Transition(ctx, s.ID, seshat.StatusIdle, seshat.TransitionOptions{})
	fmt.Println(err)

	for _, to := range []seshat.Status{seshat.StatusActive, seshat.StatusTerminated} {
		if s, err = acme.Transition(ctx, s.ID, to, seshat.TransitionOptions{}); err != nil {
			log.Fatal(err)
		}
		fmt.Println(s.Status)
	}
	// Output:
	// archived delivered shop
	// true
	// seshat: Transition "acme"/"order": illegal transition from archived to idle; allowed: [active terminated]
	// active
	// terminated
}
