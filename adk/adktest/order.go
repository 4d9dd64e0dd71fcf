package adktest

import (
	"fmt"
	"time"

	"google.golang.org/adk/v2/session"
)

var order = []Case{
	{Group: "order", Name: "events of one instant keep their order", test: orderTies},
	{Group: "order", Name: "an earlier timestamp does not move an event", test: orderBackdated},
	{Group: "order", Name: "filters select after first and then the newest", test: orderFilters},
	{Group: "order", Name: "more events than any page come back in order", test: orderMany},
}

func orderTies(e *env) {
	s := e.create("u", "s", nil)
	want := []string{"c", "a", "b", "z", "d"}
	for _, id := range want {
		e.append(s, said(id, 0))
	}
	e.same("order", want, ids(e.get("u", "s")))
}

func orderBackdated(e *env) {
	s := e.create("u", "s", nil)
	e.append(s, said("a", 10), said("b", 5), said("c", 20))
	e.same("order", []string{"a", "b", "c"}, ids(e.get("u", "s")))
}

func orderFilters(e *env) {
	s := e.create("u", "s", nil)
	for i := range 6 {
		e.append(s, said(fmt.Sprint(i), i))
	}
	at := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Second) }
	for _, c := range []struct {
		n     int
		after time.Time
		want  []string
	}{
		{0, time.Time{}, []string{"0", "1", "2", "3", "4", "5"}},
		{2, time.Time{}, []string{"4", "5"}},
		{9, time.Time{}, []string{"0", "1", "2", "3", "4", "5"}},
		{0, at(4), []string{"4", "5"}},
		{0, at(4).Add(1), []string{"5"}},
		{1, at(2), []string{"5"}},
		{4, at(4), []string{"4", "5"}},
		{0, at(9), []string{}},
	} {
		r, err := e.s.Get(e.ctx, &session.GetRequest{
			AppName: app, UserID: "u", SessionID: "s", NumRecentEvents: c.n, After: c.after,
		})
		e.must(err)
		e.same(fmt.Sprintf("newest %d after %v", c.n, c.after), c.want, ids(r.Session))
	}
}

func orderMany(e *env) {
	const n = 600
	s := e.create("u", "s", nil)
	var want []string
	for i := range n {
		want = append(want, fmt.Sprint(i))
		e.append(s, said(fmt.Sprint(i), i))
	}
	e.same("handle", want, ids(s))
	e.same("all", want, ids(e.get("u", "s")))
	r, err := e.s.Get(e.ctx, &session.GetRequest{AppName: app, UserID: "u", SessionID: "s", NumRecentEvents: 550})
	e.must(err)
	e.same("newest", want[n-550:], ids(r.Session))
}
