package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp"
)

// world is a filled store and the two servers.
type world struct {
	options
	store    *seshat.Store
	secret   string
	servers  []*http.Server
	sessions string // address of the server of sessions
	constant string // of the one of constant bodies
}

func newWorld(ctx context.Context, o options) (w *world, err error) {
	w = &world{options: o}
	if w.store, err = seshat.Open(o.db, seshat.Options{}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if err = w.fill(ctx); err != nil {
		return nil, err
	}
	if _, w.secret, err = w.store.CreateAPIKey(ctx, seshat.APIKey{}); err != nil {
		return nil, err
	}
	handler := sessionhttp.Handler(w.store, sessionhttp.Options{})
	if w.sessions, err = w.serve(handler); err != nil {
		return nil, err
	}
	constant, err := w.likeness(handler)
	if err != nil {
		return nil, err
	}
	w.constant, err = w.serve(constant)
	return w, err
}

func (w *world) close() error {
	var err error
	for _, s := range w.servers {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, w.store.Close())
}

// writers is the number of sessions that are created at once, to share commits.
const writers = 512

func (w *world) fill(ctx context.Context) error {
	acme, err := w.store.EnsureTenant(ctx, seshat.Namespace{Name: "acme"})
	if err != nil {
		return err
	}
	var next atomic.Int64
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for k := range errs {
		wg.Go(func() {
			for n := next.Add(1) - 1; n < int64(w.options.sessions) && errs[k] == nil; n = next.Add(1) - 1 {
				_, errs[k] = acme.Create(ctx, sample(int(n)))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func id(n int) string { return fmt.Sprintf("s-%07d", n) }

// sample returns a session of about one kilobyte. Each append extends its life.
func sample(n int) seshat.NewSession {
	return seshat.NewSession{
		ID: id(n), UserID: fmt.Sprintf("user-%06d", n%10_000), Labels: map[string]string{"team": fmt.Sprint(n % 10)},
		UserMemory: map[string]any{"seat": "aisle", "trips": n % 50, "notes": strings.Repeat("likes it. ", 20)},
		Agent: seshat.AgentConfig{
			Model: "gpt-4o", Temperature: seshat.Ptr(0.7), MaxTokens: seshat.Ptr(4096),
			SystemPrompt:   strings.Repeat("Be kind and brief. ", 20),
			AvailableTools: []string{"search", "book", "cancel"},
		},
	}
}

// likeness returns a handler with constant bodies: that of GET of one session,
// and that of an append made here.
func (w *world) likeness(handler http.Handler) (http.Handler, error) {
	answers := map[string]*httptest.ResponseRecorder{}
	for method, tail := range map[string]string{"GET": "", "POST": "/messages"} {
		r := httptest.NewRequest(method, "/v1/agents/sessions/"+id(0)+tail, strings.NewReader(bodyOf(method)))
		r.Header.Set("Authorization", "Bearer "+w.secret)
		r.Header.Set("X-Namespace", "acme")
		if method == "POST" {
			r.Header.Set("Content-Type", "application/json")
		}
		a := httptest.NewRecorder()
		if handler.ServeHTTP(a, r); a.Code >= 300 {
			return nil, fmt.Errorf("%s: %d %s", method, a.Code, a.Body)
		}
		answers[method] = a
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		a := answers[r.Method]
		h := rw.Header()
		for name, values := range a.Header() {
			h[name] = values
		}
		rw.WriteHeader(a.Code)
		_, _ = rw.Write(a.Body.Bytes()) // the server reads the rest of a request's body
	}), nil
}

func bodyOf(method string) string {
	if method == "GET" {
		return ""
	}
	return `{"messages":[{"role":"user","content":"` + strings.Repeat("How is the weather there? ", 8) +
		`","tokens":50}]}`
}

func (w *world) serve(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: h}
	w.servers = append(w.servers, s)
	go func() { _ = s.Serve(l) }()
	return l.Addr().String(), nil
}
