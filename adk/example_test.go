package adk_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"google.golang.org/adk/v2/model"
	"google.golang.org/adk/v2/session"
	"google.golang.org/genai"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/adk"
)

func Example() {
	ctx := context.Background()
	store, err := seshat.OpenMemory(seshat.Options{}) // seshat.Open("agents.db", …) for a file
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	service := adk.New(store, adk.Options{}) // runner.Config.SessionService

	created, err := service.Create(ctx, &session.CreateRequest{AppName: "travel", UserID: "mia", SessionID: "trip"})
	if err != nil {
		log.Fatal(err)
	}
	event := session.NewEvent(ctx, "invocation")
	event.Author = "user"
	event.LLMResponse = model.LLMResponse{Content: genai.NewContentFromText("To Seattle, please.", genai.RoleUser)}
	event.Actions.StateDelta["user:home"] = "Portland"
	if err := service.AppendEvent(ctx, created.Session, event); err != nil {
		log.Fatal(err)
	}

	// Read the same session from the store.
	tenant, err := service.Tenant(ctx, "travel")
	if err != nil {
		log.Fatal(err)
	}
	s, err := tenant.Get(ctx, adk.SessionID("mia", "trip"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Name, s.Status, s.MessageCount)
	// Output: To Seattle, please. active 1
}

func ExampleStaleError() {
	ctx := context.Background()
	store, err := seshat.OpenMemory(seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	service := adk.New(store, adk.Options{})
	first, err := service.Create(ctx, &session.CreateRequest{AppName: "travel", UserID: "mia", SessionID: "trip"})
	if err != nil {
		log.Fatal(err)
	}
	second, err := service.Get(ctx, &session.GetRequest{AppName: "travel", UserID: "mia", SessionID: "trip"})
	if err != nil {
		log.Fatal(err)
	}
	if err := service.AppendEvent(ctx, first.Session, session.NewEvent(ctx, "1")); err != nil {
		log.Fatal(err)
	}
	err = service.AppendEvent(ctx, second.Session, session.NewEvent(ctx, "2"))
	var stale *adk.StaleError
	fmt.Println(errors.As(err, &stale), errors.Is(err, seshat.ErrConflict))
	fmt.Println(stale)
	// Output:
	// true true
	// stale session error: session "trip" read at event 0 is now at event 1
}

func ExampleService_DeleteUser() {
	ctx := context.Background()
	store, err := seshat.OpenMemory(seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	service := adk.New(store, adk.Options{})
	for _, id := range []string{"trip", "hotel"} {
		_, err := service.Create(ctx, &session.CreateRequest{
			AppName: "travel", UserID: "mia", SessionID: id, State: map[string]any{"user:home": "Portland"},
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	erased, err := service.DeleteUser(ctx, "travel", "mia")
	fmt.Println(erased.Sessions, err)
	// Output: 2 <nil>
}
