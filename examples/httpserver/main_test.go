package main

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// The server answers, and ends when it is told to, though a watch is open.
func TestServeEnds(t *testing.T) {
	store, err := seshat.Open(filepath.Join(t.TempDir(), "agents.db"), seshat.Options{})
	seshattest.Adopt(t, store, err)
	if _, err := store.EnsureTenant(t.Context(), seshat.Namespace{Name: "demo"}); err != nil {
		t.Fatal(err)
	}
	_, secret, err := store.CreateAPIKey(t.Context(), seshat.APIKey{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, store, l) }()
	for path, want := range map[string]int{"/healthz": 200, "/debug/vars": 200, "/v1/agents/sessions/watch": 200} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("X-Namespace", "demo")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		if answer.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, answer.StatusCode, want)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
