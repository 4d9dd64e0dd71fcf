package sessionhttp

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonout"
)

const (
	// recheckInterval is the time after which a watch checks its key again.
	recheckInterval = 500 * time.Millisecond

	// eventWriteTimeout is the time limit for a client to read one event.
	eventWriteTimeout = 30 * time.Second
)

// watchStep is one step of a watch.
type watchStep struct {
	seshat.Event
	err error
}

// watch answers GET /v1/agents/sessions/watch with server-sent events.
func (x *exchange) watch() error {
	if _, err := x.queryOf(); err != nil {
		return err
	}
	if x.closing() {
		return errShutdown
	}
	since, err := x.since()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(x.r.Context())
	events := x.follow(ctx, since)
	defer func() {
		cancel()
		for range events { // drain until follow has ended
		}
	}()
	s := &stream{x: x, rc: http.NewResponseController(x.w), checked: time.Now()}
	if err := s.open(since); err != nil {
		return nil
	}
	if err := s.run(ctx, events); err != nil {
		s.end(err)
		return err
	}
	return nil
}

// since returns the position after which the watch begins: that of the header
// Last-Event-ID or, without it, the newest position.
func (x *exchange) since() (uint64, error) {
	v := x.r.Header["Last-Event-Id"]
	if len(v) == 0 {
		return x.t.FeedHead(x.r.Context())
	}
	n, err := strconv.ParseUint(v[0], 10, 64)
	if err != nil {
		return 0, malformed("the header Last-Event-ID is not the id of an event")
	}
	// Refuse a bad position before the answer begins.
	_, _, err = x.t.Events(x.r.Context(), n, 1)
	return n, err
}

func (x *exchange) closing() bool {
	select {
	case <-x.o.Closing:
		return true
	default:
		return false
	}
}

// follow sends the events of the feed, and then the error that ended it.
func (x *exchange) follow(ctx context.Context, since uint64) <-chan watchStep {
	events := make(chan watchStep)
	go func() {
		defer close(events)
		for e, err := range x.t.Watch(ctx, since) {
			select {
			case events <- watchStep{e, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return events
}

// stream is an answer of server-sent events.
type stream struct {
	x       *exchange
	rc      *http.ResponseController
	checked time.Time // last check of the key
}

// open begins the answer. Its first event has the start position of the watch,
// so a client that disconnects at once can resume without a gap.
func (s *stream) open(since uint64) error {
	h := s.x.w.Header()
	h["Content-Type"] = []string{"text/event-stream"}
	h["X-Accel-Buffering"] = []string{"no"} // proxies must not buffer events
	s.x.status = http.StatusOK
	s.x.w.WriteHeader(http.StatusOK)
	b := append(s.x.out[:0], "retry: 1000\nevent: open\nid: "...)
	b = strconv.AppendUint(b, since, 10)
	b = strconv.AppendUint(append(b, "\ndata: {\"position\":"...), since, 10)
	return s.send(append(b, "}\n\n"...))
}

// run sends events until the watch ends or the client leaves. It returns nil if
// the client leaves.
func (s *stream) run(ctx context.Context, events <-chan watchStep) error {
	beat := time.NewTicker(s.x.o.Heartbeat)
	defer beat.Stop()
	for {
		var b []byte
		select {
		case <-ctx.Done():
			return nil
		case <-s.x.o.Closing:
			return errShutdown
		case <-beat.C:
			b = append(s.x.out[:0], ": still here\n\n"...)
		case e := <-events:
			if e.err != nil {
				return e.err
			}
			b = appendEvent(s.x.out[:0], &e.Event)
			beat.Reset(s.x.o.Heartbeat)
		}
		if err := s.check(); err != nil {
			return err
		}
		if s.send(b) != nil {
			return nil
		}
	}
}

// check authenticates again, so that a revoked key gets no more events.
func (s *stream) check() error {
	if time.Since(s.checked) < recheckInterval {
		return nil
	}
	s.checked = time.Now()
	return s.x.stillGranted()
}

// send writes and flushes b. An error means that the client has left.
func (s *stream) send(b []byte) error {
	s.x.out = b
	// Some connections have no deadline.
	_ = s.rc.SetWriteDeadline(time.Now().Add(eventWriteTimeout))
	n, err := s.x.w.Write(b)
	s.x.sent += int64(n)
	if err != nil {
		return err
	}
	return s.rc.Flush()
}

// end sends the error that ended the watch.
func (s *stream) end(err error) {
	p := problemOf(err, s.x)
	b := append(s.x.out[:0], "event: error\ndata: "...)
	// The body of an error ends with a newline of its own.
	_ = s.send(append(p.append(b), '\n'))
}

// appendEvent appends an event of the feed.
func appendEvent(b []byte, e *seshat.Event) []byte {
	b = append(append(b, "event: "...), e.Kind.String()...)
	b = jsonout.Uint(append(b, "\nid: "...), e.Position)
	b = jsonout.Uint(append(b, "\ndata: {\"position\":"...), e.Position)
	b = jsonout.Time(append(b, `,"time":`...), e.Time)
	b = jsonout.Text(append(b, `,"kind":`...), e.Kind.String())
	b = jsonout.OptText(append(b, `,"session_id":`...), e.SessionID)
	b = jsonout.OptText(append(b, `,"user_id":`...), e.UserID)
	b = append(b, `,"status":`...)
	if e.Status == 0 {
		b = jsonout.Null(b)
	} else {
		b = jsonout.Text(b, e.Status.String())
	}
	b = jsonout.Uint(append(b, `,"version":`...), e.Version)
	b = jsonout.Uint(append(b, `,"last_seq":`...), e.LastSeq)
	return append(b, "}\n\n"...)
}
