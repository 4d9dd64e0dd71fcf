package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// ask sends a request and returns the body of a successful response.
func ask(t *testing.T, h http.Handler, method, path, body string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Body.String()
}

func TestServerGoesOnAfterARestart(t *testing.T) {
	const (
		session = "/apps/agent/users/mia/sessions/s1"
		run     = `{"appName": "agent", "userId": "mia", "sessionId": "s1",
			"newMessage": {"role": "user", "parts": [{"text": "hello"}]}}`
	)
	path := filepath.Join(t.TempDir(), "agents.db")
	for n, want := range []string{
		"That is the 1. thing you said.",
		"That is the 2. thing you said. The first was: hello",
	} {
		store, err := seshat.Open(path, seshat.Options{})
		if err != nil {
			t.Fatal(err)
		}
		h, err := handler(store)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			ask(t, h, http.MethodPost, session, "")
		}
		if got := ask(t, h, http.MethodPost, "/run", run); !strings.Contains(got, want) {
			t.Errorf("run %d: %q is not in %s", n, want, got)
		}
		var s struct {
			Events []json.RawMessage
			State  map[string]any
		}
		if err := json.Unmarshal([]byte(ask(t, h, http.MethodGet, session, "")), &s); err != nil {
			t.Fatal(err)
		}
		if answer, _ := s.State["last_answer"].(string); len(s.Events) != 2*(n+1) || !strings.HasPrefix(answer, want) {
			t.Errorf("run %d: got %d events, state %v", n, len(s.Events), s.State)
		}
		seshattest.CheckAndClose(t, store)
	}
}
