package main

import (
	"context"
	"errors"

	"github.com/seshatdb/seshat/sessionhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// watch is the route whose duration is the life of a stream.
const watch = "/v1/agents/sessions/watch"

// observe returns a hook that records requests with the meter. The names follow
// the semantic conventions for HTTP servers. The attributes are routes, never
// paths, so that ids do not multiply the series.
func observe(m metric.Meter) (func(sessionhttp.Observation), error) {
	requests, err1 := m.Int64Counter("seshat.http.requests", metric.WithUnit("{request}"))
	duration, err2 := m.Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5))
	received, err3 := m.Int64Histogram("http.server.request.body.size", metric.WithUnit("By"))
	sent, err4 := m.Int64Histogram("http.server.response.body.size", metric.WithUnit("By"))
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	return func(o sessionhttp.Observation) {
		ctx := context.Background()
		of := metric.WithAttributeSet(attributes(o))
		requests.Add(ctx, 1, of)
		if o.Route != watch {
			duration.Record(ctx, o.Duration.Seconds(), of)
		}
		received.Record(ctx, o.Received, of)
		sent.Record(ctx, o.Sent, of)
	}, nil
}

func attributes(o sessionhttp.Observation) attribute.Set {
	method := o.Method
	if method == "other" {
		method = "_OTHER" // the conventions' name
	}
	return attribute.NewSet(
		attribute.String("http.request.method", method),
		attribute.String("http.route", o.Route),
		attribute.Int("http.response.status_code", o.Status),
	)
}
