package adktest

import (
	"fmt"
	"slices"

	"google.golang.org/adk/v2/session"
)

var lists = []Case{
	{Group: "lists", Name: "all users of an app or one", test: listUsers},
	{Group: "lists", Name: "sessions come with state and without events", test: listContent},
	{Group: "lists", Name: "a listed session takes events", test: listAppend},
	{Group: "lists", Name: "what is there throughout is listed once while others write", test: listRace},
}

func listUsers(e *env) {
	for _, p := range [][2]string{{"a", "1"}, {"a", "2"}, {"ab", "1"}, {"b", "1"}} {
		e.create(p[0], p[1], nil)
	}
	e.same("all", []string{"a/1", "a/2", "ab/1", "b/1"}, e.list(""))
	e.same("a", []string{"a/1", "a/2"}, e.list("a"))
	e.same("ab", []string{"ab/1"}, e.list("ab"))
	e.same("nobody", []string{}, e.list("c"))
	r, err := e.s.List(e.ctx, &session.ListRequest{AppName: "another"})
	e.must(err)
	if len(r.Sessions) != 0 {
		e.Fatalf("another app has %d sessions", len(r.Sessions))
	}
}

func listContent(e *env) {
	e.append(e.create("u", "s", map[string]any{"k": "v", "user:k": "u", "app:k": "a"}), said("a", 0))
	e.create("u2", "s", nil)
	r, err := e.s.List(e.ctx, &session.ListRequest{AppName: app})
	e.must(err)
	for _, s := range r.Sessions {
		want := map[string]any{"app:k": "a"}
		if s.UserID() == "u" {
			want = map[string]any{"k": "v", "user:k": "u", "app:k": "a"}
		}
		e.same("state", want, stateOf(s))
		if s.Events().Len() != 0 || s.AppName() != app || s.LastUpdateTime().IsZero() {
			e.Fatalf("got %d events, app %q, updated %v", s.Events().Len(), s.AppName(), s.LastUpdateTime())
		}
	}
}

func listAppend(e *env) {
	e.append(e.create("u", "s", nil), said("a", 0))
	r, err := e.s.List(e.ctx, &session.ListRequest{AppName: app})
	e.must(err)
	e.append(r.Sessions[0], said("b", 1))
	e.same("events", []string{"a", "b"}, ids(e.get("u", "s")))
}

func listRace(e *env) {
	const kept = 40
	var want []string
	for i := range kept {
		e.create("kept", fmt.Sprintf("%03d", i), nil)
		want = append(want, fmt.Sprintf("kept/%03d", i))
	}
	race(3, func(w int) {
		for i := range 10 {
			if err := listStep(e, w, fmt.Sprint(i), want); err != nil {
				e.Errorf("goroutine %d: %v", w, err)
			}
		}
	})
}

// listStep makes the calls of goroutine w in listRace.
func listStep(e *env, w int, id string, want []string) error {
	if w == 2 {
		r, err := e.s.List(e.ctx, &session.ListRequest{AppName: app})
		if err != nil {
			return err
		}
		got := slices.DeleteFunc(namesOf(r.Sessions), func(s string) bool { return s[:4] != "kept" })
		if !slices.Equal(got, want) {
			return fmt.Errorf("listed %d of %d", len(got), len(want))
		}
		return nil
	}
	id = fmt.Sprint(w, "-", id)
	r, err := e.s.Create(e.ctx, &session.CreateRequest{AppName: app, UserID: "new", SessionID: id})
	if err != nil {
		return err
	}
	if w == 0 {
		return e.s.AppendEvent(e.ctx, r.Session, soon("a", 0))
	}
	return e.s.Delete(e.ctx, &session.DeleteRequest{AppName: app, UserID: "new", SessionID: id})
}
