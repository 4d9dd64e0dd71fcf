package adktest

var deletion = []Case{
	{Group: "deletion", Name: "a session made again starts empty", test: deletionFresh},
	{Group: "deletion", Name: "a handle on a deleted session finds nothing", test: deletionHandle},
	{Group: "deletion", Name: "a handle does not write into a session made again", test: deletionAgain},
	{Group: "deletion", Name: "deleting takes one session only", test: deletionOne},
}

func deletionFresh(e *env) {
	e.append(e.create("u", "s", map[string]any{"k": "v"}), said("a", 0), said("b", 1))
	e.delete("s")
	if _, err := e.find("u", "s"); err == nil {
		e.Fatal("a deleted session is found")
	}
	e.create("u", "s", nil)
	s := e.get("u", "s")
	e.same("events", []string{}, ids(s))
	e.same("state", map[string]any{}, stateOf(s))
	e.append(s, said("a", 0))
	e.same("events", []string{"a"}, ids(e.get("u", "s")))
}

func deletionHandle(e *env) {
	s := e.create("u", "s", nil)
	e.delete("s")
	if err := e.s.AppendEvent(e.ctx, s, said("a", 0)); err == nil {
		e.Fatal("no error")
	}
	if _, err := e.find("u", "s"); err == nil || s.Events().Len() != 0 {
		e.Fatalf("the session is back, or the handle changed: %v", ids(s))
	}
}

func deletionAgain(e *env) {
	old := e.create("u", "s", nil)
	e.delete("s")
	e.create("u", "s", nil)
	if err := e.s.AppendEvent(e.ctx, old, said("a", 0)); err == nil {
		e.Fatal("no error")
	}
	e.same("events", []string{}, ids(e.get("u", "s")))
}

func deletionOne(e *env) {
	for _, id := range []string{"s", "s2", "t"} {
		e.append(e.create("u", id, map[string]any{"user:k": "v"}), said("a", 0))
		e.append(e.create("u2", id, nil), said("a", 0))
	}
	e.delete("s")
	e.same("listed", []string{"u/s2", "u/t", "u2/s", "u2/s2", "u2/t"}, e.list(""))
	for _, p := range [][2]string{{"u", "s2"}, {"u", "t"}, {"u2", "s"}} {
		e.same("events", []string{"a"}, ids(e.get(p[0], p[1])))
	}
	e.same("user state", map[string]any{"user:k": "v"}, stateOf(e.get("u", "t")))
}
