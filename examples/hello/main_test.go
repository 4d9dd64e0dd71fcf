package main

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
)

// The first run prints one turn; the second run continues the conversation.
func TestSecondRunContinuesTheConversation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agents.db")
	const first = "1 user: Book me a flight to Seattle.\n2 assistant: For which day?\n"
	const second = first + "3 user: Book me a flight to Seattle.\n4 assistant: For which day?\n"
	for _, want := range []string{first, second} {
		var out bytes.Buffer
		if err := run(context.Background(), &out, path); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
		}
	}
}
