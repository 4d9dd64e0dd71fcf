package sessionhttp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
)

// FuzzHandler sends arbitrary requests as a client of acme. It checks that the
// handler does not panic or fail, that each answer has the documented form, and
// that no answer holds data of another tenant.
func FuzzHandler(f *testing.F) {
	for _, s := range []struct{ method, target, name, value, body string }{
		{"POST", "/v1/agents/sessions", "", "", `{"agent_config":{},"session_id":"x","expiry":{"ttl":"1h"}}`},
		{"GET", "/v1/agents/sessions/foreign", "If-Match", `"1", W/"2"`, ""},
		{"GET", "/v1/agents/sessions/ours/history?limit=5&offset=1", "If-None-Match", "*", ""},
		{
			"PATCH", "/v1/agents/sessions/ours", "Content-Type", "application/merge-patch+json",
			`{"user_memory":{"a":null}}`,
		},
		{"DELETE", "/v1/agents/sessions/%2e%2e%2fforeign?purge=true", "X-Namespace", "theirs", ""},
		{
			"POST", "/v1/agents/sessions/list?limit=1&include_total=true", "", "",
			`{"filters":{"user_id":"mia","labels":{}},"status":["idle"]}`,
		},
		{
			"POST", "/v1/agents/sessions/ours/messages", "Idempotency-Key", "k",
			`{"messages":[{"role":"user","tool_inputs":[1]}],"after":0}`,
		},
		{"POST", "/v1/agents/sessions/ours/transition", "", "", `{"status":"archived"}`},
		{"POST", "/v1/agents/sessions/ours/fork", "", "", `{"seq":1}`},
		{"DELETE", "/v1/agents/users/mia", "Authorization", "Bearer sk_", ""},
		{"HEAD", "/readyz", "X-Request-Id", "r", ""},
		{"OPTIONS", "*", "", "", ""},
	} {
		f.Add(s.method, s.target, s.name, s.value, []byte(s.body))
	}
	x := newTwoTenants(f)
	f.Fuzz(func(t *testing.T, method, target, name, value string, body []byte) {
		u, err := url.ParseRequestURI(target)
		if err != nil || strings.HasSuffix(u.Path, "/watch") {
			return // a server refuses the target, or the watch would not end
		}
		r := x.request(x.some, "acme", "POST", "/", string(body))
		r.Method, r.URL, r.Form = method, u, nil
		if name != "" {
			r.Header[http.CanonicalHeaderKey(name)] = []string{value}
		}
		w := x.send(r)
		if w.Code >= 500 {
			t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
		checkAnswer(t, x, w)
	})
}

func checkAnswer(t *testing.T, x *twoTenants, w *httptest.ResponseRecorder) {
	t.Helper()
	text := w.Body.String()
	if strings.Contains(text, hidden) || strings.Contains(text, x.inside.ID()) ||
		strings.Contains(text, x.foreign.ID()) {
		t.Fatalf("data of another tenant: %s", text)
	}
	if len(text) > 0 && !json.Valid(w.Body.Bytes()) {
		t.Fatalf("%d is not JSON: %s", w.Code, text)
	}
	if w.Header().Get("X-Request-Id") == "" {
		t.Fatal("no request id")
	}
	for name, values := range w.Header() {
		if strings.ContainsAny(strings.Join(values, ""), "\r\n") {
			t.Fatalf("%s: %q", name, values)
		}
	}
	for _, other := range []*seshat.Tenant{x.inside, x.foreign} {
		if s, err := other.Get(t.Context(), "foreign"); err != nil || s.Version != 1 || s.MessageCount != 1 {
			t.Fatalf("another tenant's session is %v, %v", s, err)
		}
	}
}
