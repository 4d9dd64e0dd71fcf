package adktest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/adk/v2/model"
	"google.golang.org/adk/v2/session"
	"google.golang.org/genai"
)

const app = "app"

// env is a service under test.
type env struct {
	testing.TB
	h   Harness
	s   session.Service
	ctx context.Context
}

func newEnv(t testing.TB, h Harness) *env {
	return &env{TB: t, h: h, s: h.Open(t), ctx: t.Context()}
}

func (e *env) reopen() {
	e.Helper()
	e.s = e.h.Reopen(e.TB, e.s)
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatalf("unexpected error: %v", err)
	}
}

// create creates a session of the app.
func (e *env) create(user, id string, state map[string]any) session.Session {
	e.Helper()
	r, err := e.s.Create(e.ctx, &session.CreateRequest{AppName: app, UserID: user, SessionID: id, State: state})
	e.must(err)
	return r.Session
}

func (e *env) find(user, id string) (session.Session, error) {
	r, err := e.s.Get(e.ctx, &session.GetRequest{AppName: app, UserID: user, SessionID: id})
	if err != nil {
		return nil, err
	}
	return r.Session, nil
}

func (e *env) get(user, id string) session.Session {
	e.Helper()
	s, err := e.find(user, id)
	e.must(err)
	return s
}

func (e *env) append(s session.Session, all ...*session.Event) {
	e.Helper()
	for _, event := range all {
		e.must(e.s.AppendEvent(e.ctx, s, event))
	}
}

func (e *env) delete(id string) {
	e.Helper()
	e.must(e.s.Delete(e.ctx, &session.DeleteRequest{AppName: app, UserID: "u", SessionID: id}))
}

// list returns the listed sessions as "user/session", sorted.
func (e *env) list(user string) []string {
	e.Helper()
	r, err := e.s.List(e.ctx, &session.ListRequest{AppName: app, UserID: user})
	e.must(err)
	return namesOf(r.Sessions)
}

func namesOf(all []session.Session) []string {
	out := []string{}
	for _, s := range all {
		out = append(out, s.UserID()+"/"+s.ID())
	}
	slices.Sort(out)
	return out
}

// ids returns the ids of the session's events.
func ids(s session.Session) []string {
	out := []string{}
	for event := range s.Events().All() {
		out = append(out, event.ID)
	}
	return out
}

// stateOf returns all of a session's state.
func stateOf(s session.Session) map[string]any {
	m := map[string]any{}
	for k, v := range s.State().All() {
		m[k] = v
	}
	return m
}

var begin = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// said returns an event at second n in which the user says the event's id.
func said(id string, n int) *session.Event {
	return &session.Event{
		ID: id, InvocationID: "inv", Author: "user", Timestamp: begin.Add(time.Duration(n) * time.Second),
		LLMResponse: model.LLMResponse{Content: genai.NewContentFromText(id, genai.RoleUser)},
	}
}

// soon is like said, but its time is after the creation of the session by the
// real clock.
func soon(id string, n int) *session.Event {
	event := said(id, 0)
	event.Timestamp = time.Now().Add(time.Duration(1+n) * time.Second)
	return event
}

// race runs fn n times concurrently and waits. fn must not end the case.
func race(n int, fn func(int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	wg.Wait()
}
