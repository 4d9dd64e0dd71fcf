package sessionhttp

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonout"
)

// problem is an error answer.
type problem struct {
	status  int
	message string
	details []detail
	retry   time.Duration // for Retry-After, 0 = none
}

// detail is one member of an error's details. Its value is JSON.
type detail struct {
	name  string
	value []byte
}

func text(name, value string) detail   { return detail{name, jsonout.Text(nil, value)} }
func num(name string, n uint64) detail { return detail{name, jsonout.Uint(nil, n)} }

// optText is text, with null for an empty value.
func optText(name, value string) detail { return detail{name, jsonout.OptText(nil, value)} }

func (p *problem) Error() string { return p.message }

// types maps a status to the name of its error.
var types = map[int]string{
	http.StatusBadRequest:                  "BadRequestError",
	http.StatusUnauthorized:                "AuthenticationError",
	http.StatusForbidden:                   "PermissionError",
	http.StatusNotFound:                    "NotFoundError",
	http.StatusMethodNotAllowed:            "MethodNotAllowedError",
	http.StatusConflict:                    "ConflictError",
	http.StatusGone:                        "LaggedError",
	http.StatusPreconditionFailed:          "PreconditionFailedError",
	http.StatusRequestEntityTooLarge:       "PayloadTooLargeError",
	http.StatusRequestURITooLong:           "URITooLongError",
	http.StatusUnsupportedMediaType:        "UnsupportedMediaTypeError",
	http.StatusUnprocessableEntity:         "ValidationError",
	http.StatusTooManyRequests:             "QuotaExceededError",
	http.StatusRequestHeaderFieldsTooLarge: "HeaderTooLargeError",
	http.StatusInternalServerError:         "InternalError",
	http.StatusServiceUnavailable:          "UnavailableError",
}

// Errors without details.
var (
	errNoRoute = &problem{
		status: http.StatusNotFound, message: "no such route",
		details: []detail{text("resource", "route")},
	}
	errMethod          = &problem{status: http.StatusMethodNotAllowed, message: "the route does not allow this method"}
	errUnauthenticated = &problem{status: http.StatusUnauthorized, message: "a valid API key is required"}
	errReadOnlyKey     = &problem{status: http.StatusForbidden, message: "the API key is read-only"}
	errLongQuery       = &problem{
		status: http.StatusRequestURITooLong, message: "the query is too long",
		details: []detail{num("maximum", maxQuery)},
	}
	errStale = &problem{
		status:  http.StatusPreconditionFailed,
		message: "the session does not match If-Match",
	}
	errShutdown = &problem{
		status: http.StatusServiceUnavailable, message: "the server is shutting down",
		retry: time.Second,
	}
	errStoreUnavailable = &problem{
		status: http.StatusServiceUnavailable, message: "the store is not available",
		retry: time.Second,
	}
	errCanceled = &problem{
		status:  http.StatusServiceUnavailable,
		message: "the request was canceled or took too long", retry: time.Second,
	}
	errReadOnlyStore = &problem{status: http.StatusForbidden, message: "the store is read-only"}
	errTooLarge      = &problem{
		status:  http.StatusRequestEntityTooLarge,
		message: "the stored value would be too large",
	}
	errUnknownOutcome = &problem{
		status:  http.StatusInternalServerError,
		message: "the change may or may not have been made; read to find out",
	}
	errInternal = &problem{status: http.StatusInternalServerError, message: "internal error"}
	errPanic    = errors.New("panic")
	errNoBytes  = &problem{status: http.StatusBadRequest, message: "the route takes no body"}
)

func malformed(message string) error {
	return &problem{status: http.StatusBadRequest, message: message}
}

func tooLong(header string, most int) error {
	return &problem{
		status: http.StatusRequestHeaderFieldsTooLarge, message: "the header " + header + " is too long",
		details: []detail{text("header", header), num("maximum", uint64(most))},
	}
}

func notFound(resource, id string) *problem {
	return &problem{
		status: http.StatusNotFound, message: resource + " not found",
		details: []detail{text("resource", resource), text("id", id)},
	}
}

// conflict returns a 409 with the reason and further details.
func conflict(message, reason string, more ...detail) *problem {
	return &problem{
		status: http.StatusConflict, message: message,
		details: append([]detail{text("reason", reason)}, more...),
	}
}

// problemOf returns the answer for an error. No other function decides that.
func problemOf(err error, x *exchange) *problem {
	var p *problem
	var invalid *seshat.InvalidError
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &tooBig):
		return &problem{
			status: http.StatusRequestEntityTooLarge, message: "the body is too large",
			details: []detail{num("maximum", uint64(tooBig.Limit))},
		}
	case errors.As(err, &invalid):
		return (&problems{list: []fieldProblem{{field: invalid.Field, message: invalid.Reason}}}).problem()
	case errors.Is(err, seshat.ErrNotFound):
		return x.absent()
	case errors.Is(err, driver.ErrTooLarge):
		return errTooLarge
	}
	if p := conflictOf(err, x); p != nil {
		return p
	}
	return failureOf(err, x)
}

// absent returns the answer for a session that does not exist, or for a
// namespace deleted in the meantime.
func (x *exchange) absent() *problem {
	if x.session != "" {
		return notFound("session", x.session)
	}
	return notFound("namespace", x.r.Header.Get("X-Namespace"))
}

// conflictOf returns the answer for an error about the state of the session or
// a quota, or nil.
func conflictOf(err error, x *exchange) *problem {
	var stale *seshat.ConflictError
	var move *seshat.TransitionError
	var id *seshat.MessageIDError
	var quota *seshat.QuotaError
	var lagged *seshat.LaggedError
	var lease *seshat.LeaseError
	switch {
	case errors.As(err, &stale):
		return conflict("the session has changed", "stale", num("have", stale.Have), num("stored", stale.Stored))
	case errors.As(err, &move):
		return transitionProblem(move)
	case errors.As(err, &id):
		return conflict(id.Error(), "message_id", text("message_id", id.MessageID), num("seq", id.Seq))
	case errors.As(err, &lease):
		return conflict("another owner holds the lease", "lease", optText("owner", lease.Owner),
			detail{"expires_at", jsonout.Time(nil, lease.ExpiresAt)})
	case errors.As(err, &quota):
		return quotaProblem(quota)
	case errors.As(err, &lagged):
		return &problem{
			status: http.StatusGone, message: "the feed no longer has these events; read the sessions again",
			details: []detail{num("since", lagged.Since), num("oldest", lagged.Oldest)},
		}
	case errors.Is(err, seshat.ErrExists):
		return conflict("the id is taken", "exists")
	case isBare(err, seshat.ErrReadOnly):
		return errReadOnlyStore
	case errors.Is(err, seshat.ErrReadOnly):
		return conflict("the session's status is read-only", "read_only",
			text("id", x.session))
	case errors.Is(err, seshat.ErrConflict):
		return conflict("the session changed during every attempt", "busy")
	}
	return nil
}

// isBare reports whether err is or wraps target itself, not an error that only
// matches it. This tells a read-only store from a read-only session.
func isBare(err, target error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if err == target { //nolint:errorlint // identity, not a match
			return true
		}
	}
	return false
}

func transitionProblem(e *seshat.TransitionError) *problem {
	allowed := []byte{'['}
	for i, s := range e.Allowed {
		if i > 0 {
			allowed = append(allowed, ',')
		}
		allowed = jsonout.Text(allowed, s.String())
	}
	return conflict(e.Error(), "transition", text("from", e.From.String()), text("to", e.To.String()),
		detail{"allowed", append(allowed, ']')})
}

func quotaProblem(e *seshat.QuotaError) *problem {
	return &problem{
		status: http.StatusTooManyRequests, message: e.Error(), retry: e.RetryAfter,
		details: []detail{text("quota", e.Quota), num("limit", e.Limit), num("use", e.Use)},
	}
}

// failureOf returns the answer for any other error.
func failureOf(err error, x *exchange) *problem {
	switch {
	case errors.Is(err, seshat.ErrClosed):
		return errShutdown
	case errors.Is(err, seshat.ErrFailed), errors.Is(err, seshat.ErrLocked):
		return errStoreUnavailable
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errCanceled
	case errors.Is(err, seshat.ErrUnknown):
		return errUnknownOutcome.with(text("request_id", x.id))
	}
	return errInternal.with(text("request_id", x.id))
}

func (p *problem) with(d detail) *problem {
	q := *p
	q.details = append([]detail{d}, p.details...)
	return &q
}

// headers sets the headers that belong to the status.
func (p *problem) headers(h http.Header) {
	if p.status == http.StatusUnauthorized {
		h["Www-Authenticate"] = []string{`Bearer realm="seshat"`}
	}
	if p.retry > 0 {
		h["Retry-After"] = []string{strconv.Itoa(int(math.Ceil(p.retry.Seconds())))}
	}
}

// append appends the answer's body.
func (p *problem) append(b []byte) []byte {
	b = append(b, `{"success":false,"status":`...)
	b = strconv.AppendInt(b, int64(p.status), 10)
	b = jsonout.Text(append(b, `,"error":{"message":`...), p.message)
	b = jsonout.Text(append(b, `,"type":`...), types[p.status])
	b = append(b, `,"details":{`...)
	for i, d := range p.details {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(jsonout.Text(b, d.name), ':')
		b = append(b, d.value...)
	}
	return append(b, "}}}\n"...)
}
