package sessionhttp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"expvar"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/sessionhttp"
)

func open(t *testing.T, o sessionhttp.Options) (*seshattest.Store, http.Handler, string) {
	t.Helper()
	s := seshattest.Open(t)
	if _, err := s.EnsureTenant(t.Context(), seshat.Namespace{Name: "acme"}); err != nil {
		t.Fatal(err)
	}
	_, secret, err := s.CreateAPIKey(t.Context(), seshat.APIKey{})
	if err != nil {
		t.Fatal(err)
	}
	return s, sessionhttp.Handler(s.Store, o), secret
}

func request(secret, method, path, body string) *http.Request {
	return (&twoTenants{}).request(secret, "acme", method, path, body)
}

func send(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Promise: a panic is a 500 that tells the request's id and nothing else, in
// the answer and in the logs.
func TestPanicsDoNotLeak(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	_, h, _ := open(t,
		sessionhttp.Options{
			Logger: logger, AccessLog: logger,
			Authenticate: func(*http.Request) (sessionhttp.Grant, error) {
				panic("the secret of " + "the house")
			},
		})
	r := request("", "GET", "/v1/agents/sessions/s", "")
	r.Header.Set("X-Request-Id", "req-7")
	w := send(h, r)
	if w.Code != 500 || !strings.Contains(w.Body.String(), `"request_id":"req-7"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	for what, text := range map[string]string{"answer": w.Body.String(), "log": log.String()} {
		if strings.Contains(text, "the secret of the house") {
			t.Errorf("the %s tells what was panicked with: %s", what, text)
		}
	}
	if !strings.Contains(log.String(), "req-7") || !strings.Contains(log.String(), "handler_test.go") {
		t.Errorf("the log does not tell where: %s", log.String())
	}
}

// Promise: http.ErrAbortHandler aborts, as it does in any handler.
func TestAbortsAbort(t *testing.T) {
	_, h, _ := open(t, sessionhttp.Options{Authenticate: func(*http.Request) (sessionhttp.Grant, error) {
		panic(http.ErrAbortHandler)
	}})
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("panicked with %v", p)
		}
	}()
	send(h, request("", "GET", "/v1/agents/sessions/s", ""))
}

// Promise: logs hold neither secrets, nor content, nor users.
func TestLogsHoldNoSecrets(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	_, h, secret := open(t, sessionhttp.Options{Logger: logger, AccessLog: logger})
	send(h, request(secret, "POST", "/v1/agents/sessions",
		`{"session_id":"s","user_id":"mia-private","agent_config":{"system_prompt":"prompt-private"}}`))
	send(h, request(secret, "POST", "/v1/agents/sessions/s/messages",
		`{"messages":[{"role":"user","content":"content-private"}]}`))
	send(h, request(secret, "PATCH", "/v1/agents/sessions/s", `{"user_memory":"memory-private","content-private":1}`))
	send(h, request(secret, "DELETE", "/v1/agents/users/mia-private", ""))
	send(h, request(secret+"x", "GET", "/v1/agents/sessions/s?q=query-private", ""))
	if n := strings.Count(log.String(), `"msg":"request"`); n != 5 {
		t.Errorf("%d requests in the log, want 5", n)
	}
	for _, private := range []string{"private", secret, secret[40:]} {
		if strings.Contains(log.String(), private) {
			t.Errorf("the log holds %q: %s", private, log.String())
		}
	}
	if !strings.Contains(log.String(), `"session_id":"s"`) ||
		!strings.Contains(log.String(), "/v1/agents/users/{user_id}") {
		t.Errorf("the log does not tell what was asked: %s", log.String())
	}
}

// Promise: counters add up, and fit expvar.
func TestCountersCount(t *testing.T) {
	var c sessionhttp.Counters
	_, h, secret := open(t, sessionhttp.Options{Observe: c.Observe})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				send(h, request(secret, "POST", "/v1/agents/sessions", `{"agent_config":{}}`))
				send(h, request(secret, "GET", "/v1/agents/sessions/absent", ""))
			}
		})
	}
	wg.Wait()
	var counts []sessionhttp.Count
	if err := json.Unmarshal([]byte(expvar.Func(func() any { return c.Snapshot() }).String()), &counts); err != nil {
		t.Fatal(err)
	}
	if len(counts) != 2 {
		t.Fatalf("got %+v", counts)
	}
	for _, n := range counts {
		want := map[string]int{"POST": 201, "GET": 404}[n.Method]
		if n.Status != want || n.Requests != 100 || n.Sent == 0 || n.Longest > n.Duration {
			t.Errorf("got %+v", n)
		}
	}
}

// Promise: an idle watch shows that it lives, and one whose key was revoked
// gets no event from then on.
func TestWatchHeartbeatAndRevocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, _ := open(t, sessionhttp.Options{Heartbeat: time.Minute})
		k, secret, err := s.CreateAPIKey(t.Context(), seshat.APIKey{})
		if err != nil {
			t.Fatal(err)
		}
		acme, _ := s.Tenant(t.Context(), seshat.Namespace{Name: "acme"})
		r, w := io.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.ServeHTTP(&pipeWriter{w: w, h: http.Header{}}, request(secret, "GET", "/v1/agents/sessions/watch", ""))
			_ = w.Close()
		}()
		var got bytes.Buffer
		go func() { _, _ = io.Copy(&got, r) }()
		time.Sleep(3*time.Minute + time.Second)
		synctest.Wait()
		if n := strings.Count(got.String(), ": still here\n\n"); n != 3 {
			t.Errorf("%d heartbeats in three minutes: %s", n, got.String())
		}
		if err := s.RevokeAPIKey(t.Context(), k.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, err := acme.Create(t.Context(), seshat.NewSession{ID: "after"}); err != nil {
			t.Fatal(err)
		}
		<-done
		synctest.Wait()
		if text := got.String(); strings.Contains(text, "after") || !strings.Contains(text, "AuthenticationError") {
			t.Errorf("got %s", text)
		}
	})
}

// pipeWriter is a client that reads as it is written.
type pipeWriter struct {
	w *io.PipeWriter
	h http.Header
}

func (p *pipeWriter) Header() http.Header         { return p.h }
func (p *pipeWriter) WriteHeader(int)             {}
func (p *pipeWriter) Write(b []byte) (int, error) { return p.w.Write(b) }
func (p *pipeWriter) Flush()                      {}

// Promise: a watch outlives the timeouts of its server.
func TestWatchOutlivesTimeouts(t *testing.T) {
	_, h, secret := open(t, sessionhttp.Options{Heartbeat: 40 * time.Millisecond})
	server := httptest.NewUnstartedServer(h)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 20*time.Millisecond, 20*time.Millisecond
	server.Start()
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/v1/agents/sessions/watch", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = request(secret, "GET", "/", "").Header
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	lines := bufio.NewScanner(answer.Body)
	for beats := 0; beats < 3; {
		if !lines.Scan() {
			t.Fatalf("ended after %d heartbeats: %v", beats, lines.Err())
		}
		if lines.Text() == ": still here" {
			beats++
		}
	}
}

// Promise: a watch ends with its client, and leaves nothing behind.
func TestWatchEndsWithItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, h, secret := open(t, sessionhttp.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		w := httptest.NewRecorder()
		go func() {
			time.Sleep(time.Hour)
			cancel()
		}()
		h.ServeHTTP(w, request(secret, "GET", "/v1/agents/sessions/watch", "").WithContext(ctx))
		if !strings.HasPrefix(w.Body.String(), "retry: 1000\nevent: open\nid: 0\n") {
			t.Errorf("got %s", w.Body)
		}
	})
}

// Promise: concurrent appends with one key append once, and edits with
// If-Match never lose one another.
func TestConcurrentClients(t *testing.T) {
	_, h, secret := open(t, sessionhttp.Options{})
	send(h, request(secret, "POST", "/v1/agents/sessions",
		`{"session_id":"s","agent_config":{},"user_memory":{"n":0}}`))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			r := request(secret, "POST", "/v1/agents/sessions/s/messages", `{"messages":[{"role":"user"}]}`)
			r.Header.Set("Idempotency-Key", "one")
			if w := send(h, r); w.Code != 200 && w.Code != 201 {
				t.Errorf("append: %d %s", w.Code, w.Body)
			}
			increment(t, h, secret)
		})
	}
	wg.Wait()
	var got struct {
		MessageCount int            `json:"message_count"`
		UserMemory   map[string]int `json:"user_memory"`
	}
	if err := json.Unmarshal(send(h, request(secret, "GET", "/v1/agents/sessions/s", "")).Body.Bytes(),
		&got); err != nil {
		t.Fatal(err)
	}
	if got.MessageCount != 1 || got.UserMemory["n"] != 8 {
		t.Errorf("got %+v, want one message and eight increments", got)
	}
}

// increment adds one to the memory's n, as a client does.
func increment(t *testing.T, h http.Handler, secret string) {
	for {
		w := send(h, request(secret, "GET", "/v1/agents/sessions/s", ""))
		var s struct {
			UserMemory map[string]int `json:"user_memory"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil {
			t.Error(err)
			return
		}
		s.UserMemory["n"]++
		body, _ := json.Marshal(s)
		r := request(secret, "PATCH", "/v1/agents/sessions/s", string(body))
		r.Header.Set("If-Match", w.Header().Get("Etag"))
		if w := send(h, r); w.Code != 412 {
			if w.Code != 200 {
				t.Errorf("patch: %d %s", w.Code, w.Body)
			}
			return
		}
	}
}
