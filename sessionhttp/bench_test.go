package sessionhttp_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp"
)

// BenchmarkGet compares reading a session with a handler that returns a
// constant body of the same size, over a kept connection, from a client that
// costs next to nothing: what is measured is the server.
func BenchmarkGet(b *testing.B) {
	store, secret := benchStore(b)
	real := sessionhttp.Handler(store, sessionhttp.Options{})
	body, header := answer(b, real, secret)
	b.Run("constant", func(b *testing.B) {
		benchServer(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			for _, name := range []string{"Etag", "X-Request-Id", "Cache-Control", "X-Content-Type-Options"} {
				w.Header().Set(name, header.Get(name))
			}
			_, _ = w.Write(body)
		}), secret)
	})
	b.Run("session", func(b *testing.B) { benchServer(b, real, secret) })
}

// BenchmarkGetHandler is without the server.
func BenchmarkGetHandler(b *testing.B) {
	store, secret := benchStore(b)
	h := sessionhttp.Handler(store, sessionhttp.Options{})
	r := request(secret, "GET", "/v1/agents/sessions/s", "")
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(&discard{h: http.Header{}}, r)
	}
}

type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

func benchStore(b *testing.B) (*seshat.Store, string) {
	b.Helper()
	store, err := seshat.Open(filepath.Join(b.TempDir(), "bench.db"), seshat.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	acme, err := store.EnsureTenant(b.Context(), seshat.Namespace{Name: "acme"})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := acme.Create(b.Context(), seshat.NewSession{
		ID: "s", User: "mia", UserMemory: map[string]any{
			"name": "Mia", "seat": "aisle", "airports": []any{"SFO", "SEA"}, "trips": 12, "notes": strings.Repeat("likes it. ", 20),
		},
		Agent: seshat.AgentConfig{
			Model: "gpt-4o", Temperature: seshat.Ptr(0.7), MaxTokens: seshat.Ptr(4096),
			SystemPrompt: strings.Repeat("Be kind and brief. ", 20), AvailableTools: []string{"search", "book", "cancel"},
		},
	}); err != nil {
		b.Fatal(err)
	}
	_, secret, err := store.CreateKey(b.Context(), seshat.APIKey{})
	if err != nil {
		b.Fatal(err)
	}
	return store, secret
}

func answer(b *testing.B, h http.Handler, secret string) ([]byte, http.Header) {
	b.Helper()
	w := send(h, request(secret, "GET", "/v1/agents/sessions/s", ""))
	if w.Code != http.StatusOK {
		b.Fatal(w.Body)
	}
	return w.Body.Bytes(), w.Header()
}

func benchServer(b *testing.B, h http.Handler, secret string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(l) }()
	defer func() { _ = server.Close() }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	get := []byte("GET /v1/agents/sessions/s HTTP/1.1\r\nHost: x\r\nX-Namespace: acme\r\nAuthorization: Bearer " + secret + "\r\n\r\n")
	in := bufio.NewReaderSize(c, 16<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(get); err != nil {
			b.Fatal(err)
		}
		skipAnswer(b, in)
	}
}

// skipAnswer reads one answer, looking at nothing but its length.
func skipAnswer(b *testing.B, in *bufio.Reader) {
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			for _, d := range bytes.TrimSpace(value) {
				length = length*10 + int(d-'0')
			}
		}
		if len(line) == 2 {
			break
		}
	}
	if n, err := in.Discard(length); err != nil || n == 0 {
		b.Fatal(io.ErrUnexpectedEOF)
	}
}

// BenchmarkNotFound asks in turn for a session that is nowhere and for another
// tenant's, and reports the median of both.
func BenchmarkNotFound(b *testing.B) {
	x := newTwoTenants(b)
	requests := [2]*http.Request{}
	for i, id := range []string{"missing", "foreign"} {
		requests[i] = x.request(x.secret, "acme", "GET", "/v1/agents/sessions/"+id, "")
	}
	var took [2][]time.Duration
	for b.Loop() {
		for i, r := range requests {
			began := time.Now()
			x.handler.ServeHTTP(&discard{h: http.Header{}}, r)
			took[i] = append(took[i], time.Since(began))
		}
		x.calls.take()
	}
	for i, name := range []string{"absent-ns", "foreign-ns"} {
		slices.Sort(took[i])
		b.ReportMetric(float64(took[i][len(took[i])/2]), name)
	}
}
