package seshat_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/seshatdb/seshat"
)

// Each round of a chat makes a prompt from the history, asks the model, and
// appends question and answer as one atomic turn. Because the messages have
// ids, a turn that is sent twice is stored once.
func Example_chat() {
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
	s, _, err := acme.Ensure(ctx, seshat.NewSession{ID: "chat of mia", UserID: "mia"})
	if err != nil {
		log.Fatal(err)
	}

	model := func(prompt []seshat.Message) string { // call your model here
		return strings.ToUpper(prompt[len(prompt)-1].Content)
	}
	for i, said := range []string{"hello", "how are you?", "how are you?"} {
		history, err := acme.History(ctx, s.ID, seshat.HistoryQuery{TokenBudget: 8000})
		if err != nil {
			log.Fatal(err)
		}
		prompt := history.Messages
		request := min(i, 1) // the last round retries the one before
		question := seshat.Message{ID: fmt.Sprint("question-", request), Role: seshat.RoleUser, Content: said}
		answer := seshat.Message{
			ID: fmt.Sprint("answer-", request), Role: seshat.RoleAssistant, Content: model(append(prompt, question)),
		}
		turn, err := acme.AppendTurn(ctx, s.ID, seshat.Turn{Messages: []seshat.Message{question, answer}})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(prompt), "in the prompt;", turn.First, "to", turn.Last, "repeated:", turn.Repeated)
	}
	// Output:
	// 0 in the prompt; 1 to 2 repeated: false
	// 2 in the prompt; 3 to 4 repeated: false
	// 4 in the prompt; 3 to 4 repeated: true
}
