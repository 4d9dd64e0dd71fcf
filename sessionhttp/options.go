package sessionhttp

import (
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// Options configure a handler. The zero value is right for most.
type Options struct {
	// Authenticate says what a request may do, in place of the store's API
	// keys. It may be called by many goroutines, and again during a watch. An
	// error that matches ErrUnauthenticated or seshat.ErrNotFound is answered
	// with 401, others by their kind. The default takes the bearer token for
	// the secret of an API key.
	Authenticate func(*http.Request) (Grant, error)

	// Logger gets what went wrong on this side: panics, and errors that are
	// answered with 500 or 503. It gets no content. The default is silence.
	Logger *slog.Logger

	// AccessLog gets a record of each request: who, which route, the outcome,
	// but no secrets, no content, and no id of a user. The default is none.
	AccessLog *slog.Logger

	// Observe is called after each request, in its goroutine; see [Counters].
	// The default is nothing.
	Observe func(Observation)

	// MaxBody bounds a request's body in bytes. The default is 16 MiB, which
	// holds the largest turn that a store takes.
	MaxBody int64

	// Heartbeat is the pause after which an idle watch sends a comment, so
	// that nothing on the way takes it for dead. The default is 15 seconds.
	Heartbeat time.Duration

	// Closing, if set, is closed when the server begins to shut down: watches
	// end, and /readyz answers 503. Close it in
	// [http.Server.RegisterOnShutdown], as Shutdown waits for watches. The end
	// of the store ends watches in any case.
	Closing <-chan struct{}
}

// Grant is what a request may do.
type Grant struct {
	OrganizationID string   // the organization; "" = seshat.DefaultOrganization
	Namespaces     []string // ids of the namespaces that it opens; none = all of the organization
	ReadOnly       bool     // it may only read
	Subject        string   // who asks, for the access log, such as the id of a key
}

// ErrUnauthenticated says that the request does not say who asks, or not
// credibly.
var ErrUnauthenticated = errors.New("sessionhttp: not authenticated")

const (
	defaultMaxBody   = 16 << 20
	defaultHeartbeat = 15 * time.Second
)

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxBody <= 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = defaultHeartbeat
	}
	return o
}
