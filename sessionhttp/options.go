package sessionhttp

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/seshatdb/seshat"
)

// Options configure a handler. The zero value is a good default.
type Options struct {
	// Authenticate returns what a request may do. It replaces the store's API
	// keys. Many goroutines may call it at once, and a watch calls it
	// repeatedly. An error that matches ErrUnauthenticated or
	// seshat.ErrNotFound is answered with 401, any other error by its kind. The
	// default checks the bearer token as the secret of an API key.
	Authenticate func(*http.Request) (Grant, error)

	// Logger gets failures of the server: panics, and errors that are answered
	// with 500 or 503. It gets no content. The default is silent.
	Logger *slog.Logger

	// AccessLog gets one record for each request: caller, route and status, but
	// no secrets, no content and no user ids. The default is none.
	AccessLog *slog.Logger

	// Observe is called after each request, in its goroutine; see [Counters].
	// The default is none.
	Observe func(Observation)

	// MaxBody is the largest body of a request, in bytes. The default is
	// [DefaultMaxBody].
	MaxBody int64

	// Heartbeat is the interval at which an idle watch sends a comment, so that
	// proxies keep the connection open. The default is 15 seconds.
	Heartbeat time.Duration

	// Closing, if set, is closed when the server begins to shut down. Then
	// watches end and /readyz answers 503. Close it in
	// [http.Server.RegisterOnShutdown], because Shutdown waits for watches.
	// Watches also end when the store is closed.
	Closing <-chan struct{}
}

// Grant describes what a request may do.
type Grant struct {
	// OrganizationID is the caller's organization, by default
	// seshat.DefaultOrganization.
	OrganizationID string
	// Namespaces holds the ids of the namespaces that the request may use. If
	// it is empty, the request may use all of the organization.
	Namespaces []string
	// ReadOnly rejects writes.
	ReadOnly bool
	// Subject identifies the caller in the access log, such as the id of a key.
	Subject string
}

// ErrUnauthenticated reports that a request has no valid credentials.
// [Options].Authenticate returns it.
var ErrUnauthenticated = errors.New("sessionhttp: not authenticated")

// DefaultMaxBody is the largest body of a request by default, in bytes: enough
// for the largest turn that a store takes, and for what JSON adds to it.
const DefaultMaxBody = 2 * seshat.MaxTurnBytes

const defaultHeartbeat = 15 * time.Second

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = defaultHeartbeat
	}
	return o
}
