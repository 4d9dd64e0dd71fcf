// Command httpserver serves a store of sessions over HTTP on this machine. The
// first start creates a namespace and a key and prints a request to try.
//
//	go run ./examples/httpserver -db agents.db -listen 127.0.0.1:8080
package main

import (
	"context"
	"errors"
	"expvar"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp"
)

func main() {
	db := flag.String("db", "agents.db", "the store's `file`")
	listen := flag.String("listen", "127.0.0.1:8080", "`address` to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *db, *listen); err != nil {
		slog.Error("httpserver", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, db, listen string) (err error) {
	store, err := seshat.Open(db, seshat.Options{Logger: slog.Default()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }() // after the server's last request
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	if err := firstStart(ctx, store, l.Addr().String()); err != nil {
		return errors.Join(err, l.Close())
	}
	return serve(ctx, store, l)
}

// firstStart creates a namespace and a key if the store has no keys.
func firstStart(ctx context.Context, store *seshat.Store, at string) error {
	for _, err := range store.APIKeys(ctx, "") {
		return err // there is a key, or an error
	}
	if _, err := store.EnsureTenant(ctx, seshat.Namespace{Name: "demo"}); err != nil {
		return err
	}
	_, secret, err := store.CreateAPIKey(ctx, seshat.APIKey{Name: "first"})
	if err != nil {
		return err
	}
	fmt.Printf(`This key is shown once:

curl http://%s/v1/agents/sessions -H 'Authorization: Bearer %s' -H 'X-Namespace: demo' \
  -H 'Content-Type: application/json' -d '{"agent_config": {"model": "gpt-4o"}}'

`, at, secret)
	return nil
}

// serve serves until ctx ends, and then finishes running requests.
func serve(ctx context.Context, store *seshat.Store, l net.Listener) error {
	var counters sessionhttp.Counters
	closing := make(chan struct{})
	mux := http.NewServeMux()
	expvar.Publish("requests", expvar.Func(func() any { return counters.Snapshot() }))
	mux.Handle("GET /debug/vars", expvar.Handler())
	sessions := sessionhttp.Handler(store, sessionhttp.Options{
		Logger: slog.Default(), AccessLog: slog.Default(), Observe: counters.Observe, Closing: closing,
	})
	server := &http.Server{
		// A mux would clean paths and so change session ids.
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/debug/vars" {
				mux.ServeHTTP(w, r)
				return
			}
			sessions.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	server.RegisterOnShutdown(func() { close(closing) })
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	rest, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return server.Shutdown(rest)
}
