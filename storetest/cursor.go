package storetest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/seshatdb/seshat"
)

var cursors = []promise{
	{name: "a cursor fits its tenant and its query alone", test: foreignCursors},
	{name: "a cursor outlives the session that it names", test: cursorOutlives},
	{name: "a cursor survives a reopen", test: cursorReopened},
	{name: "a tampered cursor shows nobody else's sessions", test: tamperedCursors},
}

// cursorOf returns the cursor after the first session of q.
func (e *env) cursorOf(t *seshat.Tenant, q seshat.Query) string {
	e.Helper()
	q.Limit = 1
	p, err := t.List(e.ctx, q)
	e.must(err)
	if p.NextCursor == "" {
		e.Fatalf("%+v has one page", q)
	}
	return p.NextCursor
}

func foreignCursors(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	e.createCrowd(a, 20)
	e.createCrowd(b, 20)
	variants := []seshat.Query{
		{},
		{OldestFirst: true},
		{Order: seshat.OrderByActivity},
		{UserID: "user 1"},
		{Labels: map[string]string{"even": ""}},
		{Statuses: []seshat.Status{seshat.StatusActive}},
		{CreatedFrom: e.clock.Now().Add(-hour)},
		{CreatedTo: e.clock.Now().Add(hour)},
		{ActiveFrom: e.clock.Now().Add(-hour)},
		{ActiveTo: e.clock.Now().Add(hour)},
	}
	for i, from := range variants {
		cursor := e.cursorOf(a, from)
		for k, to := range variants {
			to.Cursor = cursor
			_, err := a.List(e.ctx, to)
			if i == k {
				e.must(err)
			} else {
				e.isInvalid(err, "cursor")
			}
			_, err = b.List(e.ctx, to)
			e.isInvalid(err, "cursor")
		}
	}
}

func cursorOutlives(e *env) {
	t := e.tenant("t")
	for _, id := range []string{"a", "b", "c", "d"} {
		e.create(t, seshat.NewSession{ID: id})
		e.clock.Advance(ms)
	}
	q := seshat.Query{OldestFirst: true}
	q.Cursor = e.cursorOf(t, q)
	e.must(second(t.Delete(e.ctx, "a")))
	e.must(second(t.Delete(e.ctx, "b")))
	equal(e, "the rest", strings.Join(e.ids(t, q), " "), "c d")
}

func cursorReopened(e *env) {
	t := e.tenant("t")
	e.createCrowd(t, 10)
	q := seshat.Query{}
	want := e.ids(t, q)[1:]
	q.Cursor = e.cursorOf(t, q)
	e.reopen()
	if got := e.ids(e.tenant("t"), q); !slices.Equal(got, want) {
		e.Fatalf("got %v, want %v", got, want)
	}
}

// tamperedCursors flips bits of cursors, cuts them and extends them. Each is
// refused or leads to a place in the caller's own list.
func tamperedCursors(e *env) {
	mine := e.tenant("mine")
	other := e.tenant("other")
	e.createCrowd(mine, 10)
	e.createCrowd(other, 10)
	r := rand.New(rand.NewPCG(1, 2))
	q := seshat.Query{Limit: 3}
	good := e.cursorOf(mine, q)
	for range 2000 {
		q.Cursor = tamper(r, good)
		p, err := mine.List(e.ctx, q)
		if err != nil {
			e.isInvalid(err, "cursor")
			continue
		}
		for _, s := range p.Sessions {
			equal(e, "namespace", s.NamespaceID, mine.ID())
		}
	}
	for _, c := range []string{
		strings.Repeat("A", 1<<20), "A", "\x00", "====", good + good,
		strings.ToLower(good) + "x",
	} {
		q.Cursor = c
		if _, err := mine.List(e.ctx, q); !errors.Is(err, seshat.ErrInvalid) {
			e.Fatalf("cursor %.20q: got error %v", c, err)
		}
	}
}

func tamper(r *rand.Rand, s string) string {
	b := []byte(s)
	for range 1 + r.IntN(3) {
		switch r.IntN(4) {
		case 0:
			b[r.IntN(len(b))] = byte(r.Uint32())
		case 1:
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		case 2:
			b = b[:1+r.IntN(len(b))]
		default:
			b = append(b, "ABCabc-_"[r.IntN(8)])
		}
	}
	return string(b)
}
