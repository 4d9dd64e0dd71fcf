// Command serve serves an agent with ADK's own REST server and keeps sessions
// in a file. After a restart, clients can continue their sessions. It uses no
// network beyond the listener: the model is scripted.
//
//	go run ./examples/serve -file agents.db -addr 127.0.0.1:8080
//
//	curl -X POST localhost:8080/apps/agent/users/mia/sessions/s1
//	curl -H 'Content-Type: application/json' localhost:8080/run -d '{
//	  "appName": "agent", "userId": "mia", "sessionId": "s1",
//	  "newMessage": {"role": "user", "parts": [{"text": "hello"}]}}'
//	curl localhost:8080/apps/agent/users/mia/sessions/s1
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"google.golang.org/adk/v2/agent"
	"google.golang.org/adk/v2/server/adkrest"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/adk"
	"github.com/seshatdb/seshat/adk/examples/internal/scripted"
)

var (
	file = flag.String("file", "agents.db", "the store's file")
	addr = flag.String("addr", "127.0.0.1:8080", "address to listen on")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() (err error) {
	store, err := seshat.Open(*file, seshat.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	h, err := handler(store)
	if err != nil {
		return err
	}
	srv := &http.Server{Addr: *addr, Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	down := make(chan error, 1)
	context.AfterFunc(ctx, func() { down <- srv.Shutdown(context.Background()) })
	log.Printf("listening on http://%s", *addr)
	if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-down
}

// handler returns ADK's REST server on the store's sessions, which expire 30
// days after their last event.
func handler(store *seshat.Store) (http.Handler, error) {
	a, err := scripted.Agent("agent", scripted.Model{})
	if err != nil {
		return nil, err
	}
	return adkrest.NewServer(adkrest.ServerConfig{
		AgentLoader:     agent.NewSingleLoader(a),
		SessionService:  adk.New(store, adk.Options{Lifecycle: seshat.Lifecycle{TTL: 30 * 24 * time.Hour}}),
		SSEWriteTimeout: 2 * time.Minute,
	})
}
