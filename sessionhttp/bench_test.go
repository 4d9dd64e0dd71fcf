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
	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/sessionhttp"
)

// BenchmarkGet compares reading a session with a handler that returns a
// constant body of the same size, over a kept connection, from a client that
// costs next to nothing: what is measured is the server.
func BenchmarkGet(b *testing.B) {
	store, secret := benchStore(b)
	handler := sessionhttp.Handler(store, sessionhttp.Options{})
	body, header := answer(b, handler, secret)
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
	b.Run("session", func(b *testing.B) { benchServer(b, handler, secret) })
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
	seshattest.Adopt(b, store, err)
	acme, err := store.EnsureTenant(b.Context(), seshat.Namespace{Name: "acme"})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := acme.Create(b.Context(), seshat.NewSession{
		ID: "s", UserID: "mia", UserMemory: map[string]any{
			"name": "Mia", "seat": "aisle", "airports": []any{"SFO", "SEA"}, "trips": 12,
			"notes": strings.Repeat("likes it. ", 20),
		},
		Agent: seshat.AgentConfig{
			Model: "gpt-4o", Temperature: seshat.Ptr(0.7), MaxTokens: seshat.Ptr(4096),
			SystemPrompt:   strings.Repeat("Be kind and brief. ", 20),
			AvailableTools: []string{"search", "book", "cancel"},
		},
	}); err != nil {
		b.Fatal(err)
	}
	_, secret, err := store.CreateAPIKey(b.Context(), seshat.APIKey{})
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
	get := []byte("GET /v1/agents/sessions/s HTTP/1.1\r\nHost: x\r\nX-Namespace: acme\r\nAuthorization: Bearer " +
		secret + "\r\n\r\n")
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

// BenchmarkNotFound asks a store in a file for what is nowhere and for what is
// another tenant's, interleaved and each time the other one first, and reports
// medians and ninth deciles. For 10,000 samples of each:
//
//	go test -run='^$' -bench=NotFound -benchtime=10000x ./sessionhttp
func BenchmarkNotFound(b *testing.B) {
	x := newTwoTenantsInFile(b)
	session := func(id string) *http.Request {
		return x.request(x.secret, "acme", "GET", "/v1/agents/sessions/"+id, "")
	}
	b.Run("session", func(b *testing.B) { x.compare(b, session("missing"), session("foreign")) })
	b.Run("name", func(b *testing.B) { x.compare(b, x.in(x.secret, "nobody")(), x.in(x.secret, "theirs")()) })
	b.Run("id", func(b *testing.B) {
		x.compare(b, x.in(x.secret, before(x.foreign.ID()))(), x.in(x.secret, x.foreign.ID())())
	})
}

func (x *twoTenants) compare(b *testing.B, absent, foreign *http.Request) {
	requests := [2]*http.Request{absent, foreign}
	var took [2][]time.Duration
	for n := 0; b.Loop(); n++ {
		for k := range requests {
			i := (n + k) % 2
			w := &discard{h: http.Header{}}
			began := time.Now()
			x.handler.ServeHTTP(w, requests[i])
			took[i] = append(took[i], time.Since(began))
			x.calls.take()
		}
	}
	for i, name := range []string{"absent", "foreign"} {
		slices.Sort(took[i])
		b.ReportMetric(float64(took[i][len(took[i])/2]), name+"-p50-ns")
		b.ReportMetric(float64(took[i][len(took[i])*9/10]), name+"-p90-ns")
	}
}
