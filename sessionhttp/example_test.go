package sessionhttp_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp"
)

// Serve a store, create an API key and send requests with it.
func Example() {
	ctx := context.Background()
	store, err := seshat.OpenMemory(seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if _, err := store.EnsureTenant(ctx, seshat.Namespace{Name: "acme"}); err != nil {
		log.Fatal(err)
	}
	_, secret, err := store.CreateAPIKey(ctx, seshat.APIKey{Name: "example"})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(sessionhttp.Handler(store, sessionhttp.Options{}))
	defer server.Close()

	call := func(method, path, body string) {
		r, err := http.NewRequestWithContext(ctx, method, server.URL+path, strings.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("X-Namespace", "acme")
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			log.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			log.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), `"session_name":`)
		name, _, _ := strings.Cut(rest, ",")
		fmt.Println(strings.TrimSpace(answer.Status + " " + name))
	}
	call("POST", "/v1/agents/sessions", `{"session_id": "trip", "agent_config": {"model": "gpt-4o"}}`)
	call("POST", "/v1/agents/sessions/trip/messages",
		`{"messages": [{"role": "user", "content": "Book me a flight to Seattle."}]}`)
	call("GET", "/v1/agents/sessions/trip", "")
	// Output:
	// 201 Created null
	// 201 Created
	// 200 OK "Book me a flight to Seattle."
}
