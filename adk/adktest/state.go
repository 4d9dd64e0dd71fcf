package adktest

import (
	"errors"

	"google.golang.org/adk/v2/session"
)

var state = []Case{
	{Group: "state", Name: "scopes do not touch", test: stateScopes},
	{Group: "state", Name: "the handle and a later read agree", test: stateAgrees},
	{Group: "state", Name: "values of JSON come back", test: stateValues},
	{Group: "state", Name: "temp is on the handle and nowhere else", test: stateTemp},
	{Group: "state", Name: "nil is a value that is there", test: stateNil},
	{Group: "state", Name: "an absent key has its own error", test: stateAbsent},
	{Group: "state", Name: "keys may be any string", test: stateKeys},
	{Group: "state", Name: "no map is shared with the caller", test: stateOwned},
}

func stateScopes(e *env) {
	s := e.create("u1", "s", map[string]any{"k": "session", "user:k": "user", "app:k": "app"})
	want := map[string]any{"k": "session", "user:k": "user", "app:k": "app"}
	e.same("created", want, stateOf(s))
	e.same("read", want, stateOf(e.get("u1", "s")))
	e.same("same user", map[string]any{"user:k": "user", "app:k": "app"}, stateOf(e.create("u1", "s2", nil)))
	e.same("other user", map[string]any{"app:k": "app"}, stateOf(e.create("u2", "s", nil)))
}

// deltaEvent returns an event with a delta of the state.
func deltaEvent(id string, delta map[string]any) *session.Event {
	event := said(id, 0)
	event.Actions.StateDelta = delta
	return event
}

func stateAgrees(e *env) {
	s := e.create("u", "s", map[string]any{"k": "1", "gone": "1"})
	e.append(s, deltaEvent("a", map[string]any{"k": "2", "user:k": "2", "app:k": "2"}))
	e.append(s, deltaEvent("b", map[string]any{"user:k": "3", "n": 3.0, "gone": nil}))
	e.same("state", stateOf(s), stateOf(e.get("u", "s")))
	e.same("user", "3", stateOf(e.create("u", "s2", nil))["user:k"])
}

func stateValues(e *env) {
	want := map[string]any{
		"string": "é\x00\n", "float": 1.5, "whole": 3.0, "large": 1e300, "true": true,
		"list": []any{"a", 1.0, nil, map[string]any{}}, "map": map[string]any{"a": map[string]any{"b": []any{}}},
		"empty": "", "zero": 0.0, "exact": float64(1 << 60),
	}
	e.append(e.create("u", "s", want), deltaEvent("e", map[string]any{"delta": want}))
	got := stateOf(e.get("u", "s"))
	e.same("delta", any(want), got["delta"])
	delete(got, "delta")
	e.same("state", want, got)
}

func stateTemp(e *env) {
	s := e.create("u", "s", nil)
	e.append(s, deltaEvent("a", map[string]any{"temp:t": "t", "k": "v"}))
	e.same("handle", map[string]any{"temp:t": "t", "k": "v"}, stateOf(s))
	e.same("event of the handle", map[string]any{"k": "v"}, s.Events().At(0).Actions.StateDelta)
	got := e.get("u", "s")
	e.same("read", map[string]any{"k": "v"}, stateOf(got))
	e.same("event", map[string]any{"k": "v"}, got.Events().At(0).Actions.StateDelta)
}

func stateNil(e *env) {
	s := e.create("u", "s", map[string]any{"k": "v", "user:k": nil})
	e.append(s, deltaEvent("a", map[string]any{"k": nil, "app:k": nil}))
	want := map[string]any{"k": nil, "user:k": nil, "app:k": nil}
	e.same("handle", want, stateOf(s))
	e.same("read", want, stateOf(e.get("u", "s")))
}

func stateAbsent(e *env) {
	e.create("u", "s", nil)
	if _, err := e.get("u", "s").State().Get("k"); !errors.Is(err, session.ErrStateKeyNotExist) {
		e.Fatalf("got error %v", err)
	}
}

func stateKeys(e *env) {
	want := map[string]any{}
	for _, key := range []string{
		"a", "A", "a:b", "app", "user", "~", "~e", "%", " ", "é", "a\nb", "a\x00",
		"app:a\nb", "user:~x", "user:app:x",
	} {
		want[key] = key
	}
	s := e.create("u", "s", want)
	e.append(s, deltaEvent("a", map[string]any{"\t": "tab"}))
	want["\t"] = "tab"
	e.same("state", want, stateOf(e.get("u", "s")))
}

func stateOwned(e *env) {
	fresh := func() map[string]any { return map[string]any{"k": "v", "m": map[string]any{"k": "v"}} }
	given := fresh()
	s := e.create("u", "s", given)
	spoil(given)
	e.same("after changing what Create was given", fresh(), stateOf(e.get("u", "s")))
	event := deltaEvent("a", map[string]any{"m": map[string]any{"k": "v"}})
	e.append(s, event)
	spoil(event.Actions.StateDelta)
	e.same("after changing the delta", fresh(), stateOf(e.get("u", "s")))
	e.same("handle, after changing the delta", fresh(), stateOf(s))
	got := stateOf(e.get("u", "s"))
	spoil(got)
	e.same("after changing what was read", fresh(), stateOf(e.get("u", "s")))
}

func spoil(m map[string]any) {
	if inner, ok := m["m"].(map[string]any); ok {
		inner["k"] = "spoiled"
	}
	m["k"] = "spoiled"
}
