package httpsuite

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp"
)

var watches = map[string]func(*env){
	"tells what changes from now on": func(e *env) {
		e.create("before")
		w := e.watch()
		w.is("open", "1", "position", 1.0)
		e.create("s")
		w.is("created", "2", "session_id", "s")
		e.say("s", 2)
		w.is("appended", "3", "last_seq", 2.0)
		e.must(second(e.acme.DeleteUser(e.ctx, "mia")))
		data := w.is("user_erased", "4", "user_id", "mia")
		e.keysAre(data, "position", "time", "kind", "session_id", "user_id", "status", "version", "last_seq")
		e.is(data, nil, "session_id")
		e.is(data, nil, "status")
		w.end()
	},
	"goes on after Last-Event-ID without gap": func(e *env) {
		e.fill(3)
		for since := range 3 {
			w := e.watch("Last-Event-ID", strconv.Itoa(since))
			w.is("open", strconv.Itoa(since), "position", float64(since))
			for at := since + 1; at <= 3; at++ {
				w.is("created", strconv.Itoa(at), "session_id", "s"+strconv.Itoa(at))
			}
			w.end()
		}
	},
	"is refused before it begins": watchesRefused,
	"tells of its namespace alone": func(e *env) {
		other := e.namespace(seshat.Namespace{Name: "other"})
		w := e.watch()
		w.is("open", "0", "position", 0.0)
		e.must(second(other.Create(e.ctx, seshat.NewSession{ID: "foreign"})))
		e.create("own")
		w.is("created", "1", "session_id", "own")
		w.end()
	},
	"ends when the server shuts down": func(e *env) {
		closing := make(chan struct{})
		e.rebuild(func(o *sessionhttp.Options) { o.Closing = closing })
		w := e.watch()
		w.is("open", "0", "position", 0.0)
		close(closing)
		w.is("error", "", "status", 503.0)
		w.ended()
		e.refused(503, "UnavailableError", "GET", sessions+"/watch", "")
		e.refused(503, "UnavailableError", "GET", "/readyz", "")
	},
	"ends with the store": func(e *env) {
		w := e.watch()
		w.is("open", "0", "position", 0.0)
		e.must(e.store.Close())
		w.is("error", "", "status", 503.0)
		w.ended()
	},
	"a feed that was trimmed is gone": func(e *env) {
		e.store = e.open(e.T, seshat.Options{FeedEvents: 2})
		e.rebuild(func(*sessionhttp.Options) {})
		e.acme, e.secret = e.namespace(seshat.Namespace{Name: "acme"}), e.key(seshat.APIKey{})
		e.fill(5)
		o := e.refused(410, "LaggedError", "GET", sessions+"/watch", "", "Last-Event-ID", "1")
		e.is(o, 1.0, "error", "details", "since")
		e.is(o, 3.0, "error", "details", "oldest")
	},
}

func watchesRefused(e *env) {
	e.fill(2)
	e.refused(400, "BadRequestError", "GET", sessions+"/watch", "", "Last-Event-ID", "x")
	e.refused(400, "BadRequestError", "GET", sessions+"/watch?since=1", "")
	o := e.refused(422, "ValidationError", "GET", sessions+"/watch", "", "Last-Event-ID", "3")
	e.is(o, "since", "error", "details", "fields", 0, "field")
	e.call(405, "HEAD", sessions+"/watch", "")
}

// watch opens a watch over a real connection.
func (e *env) watch(headers ...string) *watching {
	e.Helper()
	server := httptest.NewServer(e.handler)
	ctx, cancel := context.WithTimeout(e.ctx, time.Minute)
	from := e.request("GET", sessions+"/watch", "", headers...)
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+sessions+"/watch", nil)
	e.must(err)
	r.Header = from.Header
	answer, err := server.Client().Do(r)
	e.must(err)
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
		e.Fatalf("got status %d and %v", answer.StatusCode, answer.Header)
	}
	w := &watching{env: e, answer: answer, cancel: cancel, server: server}
	w.lines = bufio.NewScanner(answer.Body)
	e.Cleanup(w.close)
	return w
}

// watching is a watch under a test.
type watching struct {
	*env
	answer *http.Response
	lines  *bufio.Scanner
	cancel context.CancelFunc
	server *httptest.Server
	read   bytes.Buffer
}

func (w *watching) close() {
	w.cancel()
	_ = w.answer.Body.Close()
	w.server.Close() // waits for the handler
}

// next reads one event, skipping comments.
func (w *watching) next() (name, id string, data object) {
	w.Helper()
	for w.lines.Scan() {
		line := w.lines.Text()
		w.read.WriteString(line + "\n")
		field, value, _ := strings.Cut(line, ": ")
		switch field {
		case "event":
			name = value
		case "id":
			id = value
		case "data":
			w.must(json.Unmarshal([]byte(value), &data))
		case "":
			if data != nil {
				return name, id, data
			}
		}
	}
	w.Fatalf("the watch ended: %v after %s", w.lines.Err(), w.read.String())
	return "", "", nil
}

// is expects an event, its id, and one member of its data.
func (w *watching) is(name, id, key string, want any) object {
	w.Helper()
	gotName, gotID, data := w.next()
	if gotName != name || gotID != id {
		w.Fatalf("got event %s %s, want %s %s: %v", gotName, gotID, name, id, data)
	}
	w.env.is(data, want, key)
	return data
}

// end leaves the watch and hands its exchange to the check.
func (w *watching) end() {
	w.Helper()
	w.close()
	w.check(w, &Exchange{
		Route: sessions + "/watch", Method: "GET", Header: w.answer.Request.Header,
		Status: w.answer.StatusCode, Answer: w.answer.Header, Body: w.read.Bytes(),
	})
}

// ended expects that nothing follows.
func (w *watching) ended() {
	w.Helper()
	for w.lines.Scan() {
		if w.lines.Text() != "" {
			w.Fatalf("%q follows", w.lines.Text())
		}
	}
	w.end()
}
