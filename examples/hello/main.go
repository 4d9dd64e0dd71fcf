// Hello remembers a conversation in a file. Run it twice: the second run
// continues the conversation of the first.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/seshatdb/seshat"
)

func main() {
	if err := run(context.Background(), os.Stdout, "agents.db"); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer, path string) error {
	store, err := seshat.Open(path, seshat.Options{}) // creates the file if there is none
	if err != nil {
		return err
	}
	defer store.Close()

	acme, err := store.EnsureTenant(ctx, seshat.Namespace{Name: "acme"})
	if err != nil {
		return err
	}
	session, _, err := acme.Ensure(ctx, seshat.NewSession{ID: "chat-1", UserID: "mia"})
	if err != nil {
		return err
	}
	_, err = acme.Append(ctx, session.ID,
		seshat.Message{Role: seshat.RoleUser, Content: "Book me a flight to Seattle."},
		seshat.Message{Role: seshat.RoleAssistant, Content: "For which day?"},
	)
	if err != nil {
		return err
	}

	page, err := acme.History(ctx, session.ID, seshat.HistoryQuery{Last: 20}) // for the next prompt
	if err != nil {
		return err
	}
	for _, m := range page.Messages {
		fmt.Fprintf(w, "%d %v: %s\n", m.Seq, m.Role, m.Content)
	}
	return store.Close()
}
