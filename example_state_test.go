package seshat_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seshatdb/seshat"
)

// AppendTurn stores messages together with changes of the state of session,
// user and namespace. MergeState changes state without a turn.
func ExampleTenant_MergeState() {
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
	s, err := acme.Create(ctx, seshat.NewSession{UserID: "mia", State: map[string]any{"step": "greet"}})
	if err != nil {
		log.Fatal(err)
	}
	_, err = acme.AppendTurn(ctx, s.ID, seshat.Turn{
		Messages:  []seshat.Message{{Role: seshat.RoleUser, Content: "A window seat to Seattle, please."}},
		State:     map[string]any{"step": "book", "to": "SEA"},
		UserState: map[string]any{"seat": "window"},
	})
	if err != nil {
		log.Fatal(err)
	}
	// MergeState needs no turn. A nil value deletes its key.
	err = acme.MergeState(ctx, seshat.SessionScope(s.ID), map[string]any{"to": nil, "step": "done"})
	if err != nil {
		log.Fatal(err)
	}
	now, err := acme.State(ctx, seshat.SessionScope(s.ID))
	if err != nil {
		log.Fatal(err)
	}
	first, err := acme.StateAt(ctx, s.ID, 0)
	if err != nil {
		log.Fatal(err)
	}
	mia, err := acme.State(ctx, seshat.UserScope("mia"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(now, first, mia)
	// Output: map[step:done] map[step:greet] map[seat:window]
}
