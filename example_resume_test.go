package seshat_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/seshatdb/seshat"
)

// After a restart, the program continues a conversation with the newest
// messages that fit the prompt. The history never contains a tool's result
// without its call.
func Example_resume() {
	dir, err := os.MkdirTemp("", "seshat")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "agents.db")
	talk(path)

	ctx := context.Background()
	store, err := seshat.Open(path, seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	acme, err := store.Tenant(ctx, seshat.Namespace{Name: "acme"})
	if err != nil {
		log.Fatal(err)
	}
	for _, budget := range []uint64{100, 60, 30} {
		prompt, err := acme.History(ctx, "chat", seshat.HistoryQuery{TokenBudget: budget})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(budget, " tokens:")
		for _, m := range prompt.Messages {
			fmt.Print(" ", m.Role, "/", m.ContentType)
		}
		fmt.Println()
	}
	// Output:
	// 100 tokens: user/text assistant/tool_call tool/tool_result assistant/text
	// 60 tokens: assistant/tool_call tool/tool_result assistant/text
	// 30 tokens: assistant/text
}

// talk appends a conversation before the restart.
func talk(path string) {
	ctx := context.Background()
	store, err := seshat.Open(path, seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	acme, err := store.EnsureTenant(ctx, seshat.Namespace{Name: "acme"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := acme.Create(ctx, seshat.NewSession{ID: "chat"}); err != nil {
		log.Fatal(err)
	}
	_, err = acme.Append(ctx, "chat",
		seshat.Message{Role: seshat.RoleUser, Content: "Is it raining in Seattle?", Tokens: 20},
		seshat.Message{
			Role: seshat.RoleAssistant, ContentType: seshat.ContentToolCall, Tokens: 20,
			ToolName: "weather", ToolCallID: "call_1", ToolInputs: []byte(`{"city":"Seattle"}`),
		},
		seshat.Message{
			Role: seshat.RoleTool, ContentType: seshat.ContentToolResult, Tokens: 20,
			ToolName: "weather", ToolCallID: "call_1", ToolOutputs: []byte(`"rain"`),
		},
		seshat.Message{Role: seshat.RoleAssistant, Content: "It is.", Tokens: 20},
	)
	if err != nil {
		log.Fatal(err)
	}
}
