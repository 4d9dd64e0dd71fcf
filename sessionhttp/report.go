package sessionhttp

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/seshatdb/seshat"
)

// Observation is one request and its outcome.
type Observation struct {
	// Method is the HTTP method if some route takes it, or else "other".
	Method string
	// Route is the pattern of the route, such as
	// "/v1/agents/sessions/{session_id}", or "" if no route matched.
	Route string
	// Status is the status of the answer.
	Status int
	// Duration is the time until the answer was written, for a watch its whole
	// life.
	Duration time.Duration
	// Received counts the bytes of the body that were read.
	Received int64
	// Sent counts the bytes of the answer's body.
	Sent int64
}

// report writes the access log and calls Observe.
func (x *exchange) report(took time.Duration) {
	if x.o.Observe != nil {
		method := x.r.Method
		if x.route == nil {
			method = "other"
		}
		x.o.Observe(Observation{method, x.pattern(), x.status, took, x.got, x.sent})
	}
	if x.o.AccessLog == nil {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", x.id), slog.String("method", shortened(x.r.Method)),
		slog.String("route", x.pattern()), slog.Int("status", x.status), slog.Duration("took", took),
		slog.Int64("received", x.got), slog.Int64("sent", x.sent),
	}
	if x.grant.Subject != "" {
		attrs = append(attrs, slog.String("subject", x.grant.Subject))
	}
	if x.t != nil {
		attrs = append(attrs, slog.String("namespace_id", x.t.ID()))
	}
	if id := x.session; id != "" && len(id) <= seshat.MaxNameBytes {
		attrs = append(attrs, slog.String("session_id", id))
	}
	if x.cause != nil && x.status != 0 {
		attrs = append(attrs, slog.String("error", types[x.status]))
	}
	level := slog.LevelInfo
	if x.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	x.o.AccessLog.LogAttrs(x.r.Context(), level, "request", attrs...)
}

// Counters counts requests by route, for the metrics of a process. Its method
// Observe fits Options.Observe, and Snapshot fits expvar.Func. The zero value
// is ready to use. Counters is safe for concurrent use.
type Counters struct {
	mu sync.Mutex // guards by
	by map[counted]*Count
}

type counted struct {
	method, route string
	status        int
}

// Count holds the totals of the requests with one method, route and status.
type Count struct {
	// The requests that are counted.
	Method   string        `json:"method"`
	Route    string        `json:"route"`
	Status   int           `json:"status"`
	Requests uint64        `json:"requests"`
	Duration time.Duration `json:"duration_ns"` // sum
	Longest  time.Duration `json:"longest_ns"`
	Received int64         `json:"received_bytes"`
	Sent     int64         `json:"sent_bytes"`
}

// Observe counts a request.
func (c *Counters) Observe(o Observation) {
	key := counted{o.Method, o.Route, o.Status}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.by[key]
	if n == nil {
		n = &Count{Method: o.Method, Route: o.Route, Status: o.Status}
		if c.by == nil {
			c.by = map[counted]*Count{}
		}
		c.by[key] = n
	}
	n.Requests++
	n.Duration += o.Duration
	n.Longest = max(n.Longest, o.Duration)
	n.Received += o.Received
	n.Sent += o.Sent
}

// Snapshot returns a copy of the counts, in no particular order.
func (c *Counters) Snapshot() []Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Count, 0, len(c.by))
	for _, n := range c.by {
		out = append(out, *n)
	}
	return out
}
