package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/adk/v2/model"
	"google.golang.org/adk/v2/session"
	"google.golang.org/genai"

	"github.com/seshatdb/seshat/adk/internal/peers"
)

const app = "bench"

// openFilled opens a durable service on data that fill wrote without
// durability.
func openFilled(b *testing.B, p peers.Peer, fill func(session.Service) error) session.Service {
	path := filepath.Join(b.TempDir(), "sessions")
	s, closeAll, err := p.Open(path, true)
	if err == nil {
		err = fill(s)
	}
	if err == nil && p.InFile {
		if err = closeAll(); err == nil {
			s, closeAll, err = p.Open(path, false)
		}
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = closeAll() })
	return s
}

// event returns an event like those of a conversation with tools.
func event(n int) *session.Event {
	return &session.Event{
		ID: fmt.Sprintf("event-%d", n), InvocationID: "invocation", Author: "assistant",
		Timestamp: time.Now(),
		Actions: session.EventActions{
			StateDelta:    map[string]any{"turn": float64(n)},
			ArtifactDelta: map[string]int64{},
		},
		LLMResponse: model.LLMResponse{
			Content: genai.NewContentFromText("The train to Seattle leaves at nine, and arrives in the afternoon.",
				genai.RoleModel),
			UsageMetadata: &genai.GenerateContentResponseUsageMetadata{
				PromptTokenCount: 900, CandidatesTokenCount: 20, TotalTokenCount: 920,
			},
		},
	}
}

func newSession(s session.Service, id string) (session.Session, error) {
	r, err := s.Create(context.Background(), &session.CreateRequest{
		AppName: app, UserID: "user", SessionID: id, State: map[string]any{"topic": "trains"},
	})
	if err != nil {
		return nil, err
	}
	return r.Session, nil
}

// talk appends n events to a new session.
func talk(s session.Service, id string, n int) error {
	h, err := newSession(s, id)
	for i := 0; i < n && err == nil; i++ {
		err = s.AppendEvent(context.Background(), h, event(i))
	}
	return err
}

func create(b *testing.B, p peers.Peer) {
	s := openFilled(b, p, func(session.Service) error { return nil })
	n := 0
	for b.Loop() {
		n++
		if _, err := newSession(s, fmt.Sprintf("session-%d", n)); err != nil {
			b.Fatal(err)
		}
	}
}

func get(b *testing.B, p peers.Peer) {
	s := openFilled(b, p, func(s session.Service) error { return talk(s, "s", *events) })
	for b.Loop() {
		if h := mustGet(b, s); h.Events().Len() != *events {
			b.Fatalf("got %d events", h.Events().Len())
		}
	}
}

func mustGet(b *testing.B, s session.Service) session.Session {
	r, err := s.Get(context.Background(), &session.GetRequest{AppName: app, UserID: "user", SessionID: "s"})
	if err != nil {
		b.Fatal(err)
	}
	return r.Session
}

func appendTo(b *testing.B, p peers.Peer, there int) {
	s := openFilled(b, p, func(s session.Service) error { return talk(s, "s", there) })
	h := mustGet(b, s)
	n := there
	for b.Loop() {
		n++
		if err := s.AppendEvent(context.Background(), h, event(n)); err != nil {
			b.Fatal(err)
		}
	}
}

func list(b *testing.B, p peers.Peer) {
	s := openFilled(b, p, func(s session.Service) error { return createMany(s, *sessions) })
	for b.Loop() {
		r, err := s.List(context.Background(), &session.ListRequest{AppName: app})
		if err != nil || len(r.Sessions) != *sessions {
			b.Fatal(err)
		}
	}
}

// fillers is the number of goroutines that create sessions, if the service
// allows it.
const fillers = 64

// createMany creates n sessions. ADK's database service on SQLite allows one
// writer.
func createMany(s session.Service, n int) error {
	writers := fillers
	if fmt.Sprintf("%T", s) == "*database.databaseService" {
		writers = 1
	}
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		wg.Go(func() {
			for i := w; i < n && errs[w] == nil; i += writers {
				_, errs[w] = newSession(s, fmt.Sprintf("session-%d", i))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
