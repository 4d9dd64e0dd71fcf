package adktest

var reopened = []Case{
	{Group: "reopen", Name: "everything is there after reopening", test: reopenAll, reopens: true},
	{Group: "reopen", Name: "what was deleted stays deleted", test: reopenDeleted, reopens: true},
}

func reopenAll(e *env) {
	s := e.create("u", "s", map[string]any{"k": "v", "user:k": "u", "app:k": "a", "temp:t": "t"})
	e.append(s, said("b", 0), full(), said("a", 1))
	was := stateOf(e.get("u", "s"))
	events := e.get("u", "s").Events()
	e.reopen()
	got := e.get("u", "s")
	e.same("state", was, stateOf(got))
	if got.Events().Len() != 3 {
		e.Fatalf("got %d events, want 3", got.Events().Len())
	}
	for i := range 3 {
		e.same("event", events.At(i), got.Events().At(i))
	}
	e.append(got, said("c", 2))
	e.same("events", []string{"b", "full", "a", "c"}, ids(e.get("u", "s")))
}

func reopenDeleted(e *env) {
	e.append(e.create("u", "s", map[string]any{"k": "v"}), said("a", 0))
	e.delete("s")
	e.reopen()
	e.same("listed", []string{}, e.list(""))
	s := e.create("u", "s", nil)
	e.same("state", map[string]any{}, stateOf(s))
	e.same("events", []string{}, ids(e.get("u", "s")))
}
