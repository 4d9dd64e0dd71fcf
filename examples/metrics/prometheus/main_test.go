package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seshatdb/seshat/seshattest"
)

// Promise: what was answered is in what Prometheus reads, by route and status.
func TestMetricsAreExported(t *testing.T) {
	server := httptest.NewServer(handler(seshattest.Open(t).Store))
	defer server.Close()
	get := func(path string) string {
		answer, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	get("/healthz")
	get("/healthz")
	get("/v1/agents/sessions/secret-id")
	metrics := get("/metrics")
	for _, want := range []string{
		`seshat_http_requests_total{method="GET",route="/healthz",status="200"} 2`,
		`seshat_http_requests_total{method="GET",route="/v1/agents/sessions/{session_id}",status="401"} 1`,
		`seshat_http_request_duration_seconds_count{method="GET",route="/healthz"} 2`,
		`seshat_http_body_bytes_total{direction="received"} 0`,
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("%s is not in\n%s", want, metrics)
		}
	}
	if strings.Contains(metrics, "secret-id") {
		t.Error("an id became a label")
	}
}
