package main

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/seshatdb/seshat/sessionhttp"
)

// watch is the route whose duration is the life of a stream.
const watch = "/v1/agents/sessions/watch"

// observe returns a hook that records requests in metrics registered with r.
// The labels are routes, never paths, so that ids do not multiply the series.
func observe(r prometheus.Registerer) func(sessionhttp.Observation) {
	made := promauto.With(r)
	requests := made.NewCounterVec(prometheus.CounterOpts{
		Name: "seshat_http_requests_total", Help: "Requests answered.",
	}, []string{"method", "route", "status"})
	seconds := made.NewHistogramVec(prometheus.HistogramOpts{
		Name: "seshat_http_request_duration_seconds", Help: "Time until the answer was written, except for watches.",
		Buckets: prometheus.ExponentialBuckets(0.0001, 4, 8), // 100 µs to 1.6 s
	}, []string{"method", "route"})
	bytes := made.NewCounterVec(prometheus.CounterOpts{
		Name: "seshat_http_body_bytes_total", Help: "Bytes of request and response bodies.",
	}, []string{"direction"})
	return func(o sessionhttp.Observation) {
		requests.WithLabelValues(o.Method, o.Route, strconv.Itoa(o.Status)).Inc()
		if o.Route != watch {
			seconds.WithLabelValues(o.Method, o.Route).Observe(o.Duration.Seconds())
		}
		bytes.WithLabelValues("received").Add(float64(o.Received))
		bytes.WithLabelValues("sent").Add(float64(o.Sent))
	}
}
