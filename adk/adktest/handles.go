package adktest

import (
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"google.golang.org/adk/v2/session"
)

var handles = []Case{
	{Group: "handles", Name: "a session of another service is refused", test: handlesForeign},
	{Group: "handles", Name: "nil is refused", test: handlesNil},
	{Group: "handles", Name: "events are a snapshot", test: handlesSnapshot},
	{Group: "handles", Name: "many may append by one handle", test: handlesShared},
	{Group: "handles", Name: "readers of a handle do not disturb its writer", test: handlesRead},
	{Group: "handles", Name: "a canceled call changes nothing", test: handlesCanceled},
}

// foreign is a session that no service made. Its State and Events are nil.
type foreign struct{}

func (foreign) ID() string                { return "s" }
func (foreign) AppName() string           { return app }
func (foreign) UserID() string            { return "u" }
func (foreign) State() session.State      { return nil }
func (foreign) Events() session.Events    { return nil }
func (foreign) LastUpdateTime() time.Time { return time.Time{} }

func handlesForeign(e *env) {
	e.create("u", "s", nil)
	if err := e.s.AppendEvent(e.ctx, foreign{}, said("a", 0)); err == nil {
		e.Fatal("no error")
	}
	e.same("events", []string{}, ids(e.get("u", "s")))
}

func handlesNil(e *env) {
	s := e.create("u", "s", nil)
	if err := e.s.AppendEvent(e.ctx, nil, said("a", 0)); err == nil {
		e.Fatal("no session: no error")
	}
	if err := e.s.AppendEvent(e.ctx, s, nil); err == nil {
		e.Fatal("no event: no error")
	}
}

func handlesSnapshot(e *env) {
	s := e.create("u", "s", nil)
	e.append(s, said("a", 0))
	was := s.Events()
	next, stop := iter.Pull(was.All())
	defer stop()
	e.append(s, said("b", 1))
	if was.Len() != 1 || was.At(1) != nil || was.At(-1) != nil || s.Events().Len() != 2 {
		e.Fatalf("snapshot of %d, now %d", was.Len(), s.Events().Len())
	}
	next()
	if _, more := next(); more {
		e.Fatal("a later append shows in an earlier snapshot")
	}
}

func handlesShared(e *env) {
	const n = 20
	s := e.create("u", "s", nil)
	var failed atomic.Int64
	race(n, func(i int) {
		event := deltaEvent(fmt.Sprint(i), map[string]any{fmt.Sprint(i): "v", "user:" + fmt.Sprint(i): "v"})
		if e.s.AppendEvent(e.ctx, s, event) != nil {
			failed.Add(1)
		}
	})
	got := e.get("u", "s")
	if failed.Load() != 0 || got.Events().Len() != n || len(stateOf(got)) != 2*n {
		e.Fatalf("%d failed, %d events, %d state keys", failed.Load(), got.Events().Len(), len(stateOf(got)))
	}
	e.same("order on the handle", ids(got), ids(s))
	e.same("state of the handle", stateOf(got), stateOf(s))
}

func handlesRead(e *env) {
	s := e.create("u", "s", nil)
	race(4, func(i int) {
		for n := range 50 {
			if i == 0 {
				event := deltaEvent(fmt.Sprint(n), map[string]any{"k": fmt.Sprint(n)})
				event.Timestamp = begin.Add(time.Duration(n) * time.Second)
				if err := e.s.AppendEvent(e.ctx, s, event); err != nil {
					e.Errorf("append %d: %v", n, err)
				}
				continue
			}
			stateOf(s)
			ids(s)
			s.LastUpdateTime()
		}
	})
	if s.Events().Len() != 50 {
		e.Fatalf("got %d events", s.Events().Len())
	}
}

func handlesCanceled(e *env) {
	s := e.create("u", "s", nil)
	ctx, cancel := withCancel(e)
	cancel()
	if err := e.s.AppendEvent(ctx, s, deltaEvent("a", map[string]any{"k": "v"})); err == nil {
		e.Fatal("no error")
	}
	got := e.get("u", "s")
	if got.Events().Len() != 0 || s.Events().Len() != 0 || len(stateOf(s)) != 0 || len(stateOf(got)) != 0 {
		e.Fatalf("stored %v, handle %v with %v", ids(got), ids(s), stateOf(s))
	}
	e.append(s, said("b", 0))
}
