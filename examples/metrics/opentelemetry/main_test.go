package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seshatdb/seshat/seshattest"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Promise: what was answered is in what a reader collects, by route and status.
func TestMetricsAreCollected(t *testing.T) {
	reader := sdk.NewManualReader()
	h, err := handler(seshattest.Open(t).Store, sdk.NewMeterProvider(sdk.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/healthz", "/healthz", "/v1/agents/sessions/s"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, http.NoBody))
	}
	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	metrics := map[string]metricdata.Aggregation{}
	for _, m := range got.ScopeMetrics[0].Metrics {
		metrics[m.Name] = m.Data
	}
	counts := map[string]int64{}
	for _, p := range metrics["seshat.http.requests"].(metricdata.Sum[int64]).DataPoints {
		counts[of(p.Attributes)] = p.Value
	}
	timed := map[string]int64{}
	for _, p := range metrics["http.server.request.duration"].(metricdata.Histogram[float64]).DataPoints {
		timed[of(p.Attributes)] = int64(p.Count)
	}
	for name, have := range map[string]map[string]int64{"counter": counts, "histogram": timed} {
		if have["GET /healthz 200"] != 2 || have["GET /v1/agents/sessions/{session_id} 401"] != 1 || len(have) != 2 {
			t.Errorf("%s: %v", name, have)
		}
	}
}

// of is the method, route and status of a point.
func of(s attribute.Set) string {
	text := ""
	for _, key := range []attribute.Key{"http.request.method", "http.route", "http.response.status_code"} {
		v, _ := s.Value(key)
		text += " " + v.String()
	}
	return text[1:]
}
