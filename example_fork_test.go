package seshat_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seshatdb/seshat"
)

// Fork branches a session at an earlier message. The two sessions are then
// independent: deleting one leaves the other.
func ExampleTenant_Fork() {
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
	if _, err := acme.Create(ctx, seshat.NewSession{ID: "original"}); err != nil {
		log.Fatal(err)
	}
	_, err = acme.Append(ctx, "original",
		seshat.Message{Role: seshat.RoleUser, Content: "A poem about the sea, please."},
		seshat.Message{Role: seshat.RoleAssistant, Content: "The sea, the sea …"},
	)
	if err != nil {
		log.Fatal(err)
	}

	again, err := acme.Fork(ctx, "original", seshat.ForkOptions{ID: "again", Seq: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.MessageCount, "message, from", again.Parent.SessionID, "at", again.Parent.Seq)

	if _, err := acme.Delete(ctx, "original"); err != nil {
		log.Fatal(err)
	}
	again, err = acme.Append(ctx, "again", seshat.Message{Role: seshat.RoleAssistant, Content: "O grey horizon …"})
	fmt.Println(again.MessageCount, "messages", err)
	// Output:
	// 1 message, from original at 1
	// 2 messages <nil>
}
