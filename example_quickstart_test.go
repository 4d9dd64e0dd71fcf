package seshat_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/seshatdb/seshat"
)

// This example opens a file and creates a tenant and a session. It appends a
// turn and reads the history from which the next prompt is made.
func Example_quickstart() {
	dir, err := os.MkdirTemp("", "seshat")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, err := seshat.Open(filepath.Join(dir, "agents.db"), seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	// A program with one tenant does this once, at its start.
	acme, err := store.EnsureTenant(ctx, seshat.Namespace{Name: "acme"})
	if err != nil {
		log.Fatal(err)
	}
	s, err := acme.Create(ctx, seshat.NewSession{UserID: "mia", Agent: seshat.AgentConfig{Model: "gpt-4o"}})
	if err != nil {
		log.Fatal(err)
	}
	s, err = acme.Append(ctx, s.ID,
		seshat.Message{Role: seshat.RoleUser, Content: "Book me a flight to Seattle."},
		seshat.Message{Role: seshat.RoleAssistant, Content: "For which day?"},
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q is %v\n", s.Name, s.Status)

	history, err := acme.History(ctx, s.ID, seshat.HistoryQuery{Last: 20})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range history.Messages {
		fmt.Printf("%d %v: %s\n", m.Seq, m.Role, m.Content)
	}
	// Output:
	// "Book me a flight to Seattle." is active
	// 1 user: Book me a flight to Seattle.
	// 2 assistant: For which day?
}
