package seshat_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seshatdb/seshat"
)

// DeleteUser erases everything that belongs to a user: sessions, logs, message
// ids and state. A session that reuses an erased id starts empty.
func ExampleTenant_DeleteUser() {
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
	for _, id := range []string{"monday", "tuesday"} {
		if _, err := acme.Create(ctx, seshat.NewSession{ID: id, UserID: "mia"}); err != nil {
			log.Fatal(err)
		}
		if _, err := acme.Append(ctx, id, seshat.Message{Role: seshat.RoleUser, Content: "Hi"}); err != nil {
			log.Fatal(err)
		}
	}
	if err := acme.MergeState(ctx, seshat.UserScope("mia"), map[string]any{"seat": "aisle"}); err != nil {
		log.Fatal(err)
	}

	gone, err := acme.DeleteUser(ctx, "mia")
	fmt.Println(gone.Sessions, "sessions", gone.Messages, "messages", err)

	s, err := acme.Create(ctx, seshat.NewSession{ID: "monday", UserID: "mia"})
	if err != nil {
		log.Fatal(err)
	}
	state, err := acme.State(ctx, seshat.UserScope("mia"))
	fmt.Println(s.MessageCount, state, err)
	// Output:
	// 2 sessions 2 messages <nil>
	// 0 map[] <nil>
}
