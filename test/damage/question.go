package damage

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seshatdb/seshat"
)

// question is one call of a reader. Its answer consists of lines of text.
type question struct {
	name   string
	counts bool // the answer is numbers
	of     int  // its session, or -1 for several
	space  string
	call   func(ctx context.Context, t *seshat.Tenant) iter.Seq2[any, error]
}

// questions are what a reader asks.
var questions = func() (all []question) {
	for _, space := range spaces {
		add := func(name string, counts bool, of int,
			call func(context.Context, *seshat.Tenant) iter.Seq2[any, error],
		) {
			all = append(all, question{space + " " + name, counts, of, space, call})
		}
		for n := range sessions {
			id := idOf(n)
			add("get "+id, false, n,
				one(func(ctx context.Context, t *seshat.Tenant) (any, error) { return t.Get(ctx, id) }))
			add("messages "+id, false, n,
				func(ctx context.Context, t *seshat.Tenant) iter.Seq2[any, error] {
					return anys(t.Messages(ctx, id, seshat.HistoryQuery{}))
				})
			add("state "+id, false, n, stateOf(seshat.SessionScope(id)))
		}
		add("state u1", false, -1, stateOf(seshat.UserScope("u1")))
		for name, q := range map[string]seshat.Query{
			"all": {Limit: 7}, "oldest": {OldestFirst: true}, "active": {Order: seshat.OrderByActivity},
			"of u2":    {UserID: "u2", Limit: 3},
			"labelled": {Labels: map[string]string{"of": "u3"}},
		} {
			add("list "+name, false, -1,
				func(ctx context.Context, t *seshat.Tenant) iter.Seq2[any, error] { return anys(t.Sessions(ctx, q)) })
			add("count "+name, true, -1,
				one(func(ctx context.Context, t *seshat.Tenant) (any, error) { return t.Count(ctx, q) }))
		}
		add("usage", true, -1, one(func(ctx context.Context, t *seshat.Tenant) (any, error) { return t.Usage(ctx) }))
		add("events", false, -1, events)
	}
	slices.SortFunc(all, func(a, b question) int { return strings.Compare(a.name, b.name) })
	return all
}()

// one returns a call with a single answer.
func one(call func(context.Context, *seshat.Tenant) (any, error)) func(context.Context,
	*seshat.Tenant) iter.Seq2[any, error] {
	return func(ctx context.Context, t *seshat.Tenant) iter.Seq2[any, error] {
		return func(yield func(any, error) bool) { yield(call(ctx, t)) }
	}
}

func anys[T any](seq iter.Seq2[T, error]) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for v, err := range seq {
			if !yield(v, err) {
				return
			}
		}
	}
}

func stateOf(scope seshat.Scope) func(context.Context, *seshat.Tenant) iter.Seq2[any, error] {
	return func(ctx context.Context, t *seshat.Tenant) iter.Seq2[any, error] {
		return func(yield func(any, error) bool) {
			state, err := t.State(ctx, scope)
			if err != nil {
				yield(nil, err)
			}
			for _, k := range slices.Sorted(maps.Keys(state)) {
				if !yield(fmt.Sprint(k, "=", state[k]), nil) {
					return
				}
			}
		}
	}
}

func events(ctx context.Context, t *seshat.Tenant) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		all, head, err := t.Events(ctx, 0, seshat.MaxEvents)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
		yield(head, nil)
	}
}

// ask returns the answer, or the part of it that came before the error.
func (q *question) ask(ctx context.Context, s *seshat.Store) (string, error) {
	t, err := s.Tenant(ctx, seshat.Namespace{Name: q.space})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for v, err := range q.call(ctx, t) {
		if err != nil {
			return b.String(), err
		}
		writeLine(&b, v)
	}
	return b.String(), nil
}

// writeLine writes the parts of a value that a reader sees. It does not use
// JSON, which would be too slow here.
func writeLine(b *strings.Builder, v any) {
	switch v := v.(type) {
	case *seshat.Session:
		memory, _ := v.UserMemory.MarshalBinary()
		text(b, v.ID, v.NamespaceID, v.UserID, v.Name, v.Labels["of"], string(memory))
		numbers(b, uint64(v.Status), v.MessageCount, v.Version, v.LastSeq, v.Stats.TotalMessages,
			uint64(v.UpdatedAt.UnixMilli()), uint64(v.ExpiresAt.UnixMilli()))
	case seshat.Message:
		text(b, v.ID, v.Content)
		numbers(b, v.Seq, uint64(v.Role), uint64(v.AppendedAt.UnixMilli()))
	default:
		fmt.Fprintf(b, "%+v", v)
	}
	b.WriteByte('\n')
}

func text(b *strings.Builder, all ...string) {
	for _, s := range all {
		b.WriteString(s)
		b.WriteByte('|')
	}
}

func numbers(b *strings.Builder, all ...uint64) {
	for _, n := range all {
		b.WriteString(strconv.FormatUint(n, 36))
		b.WriteByte('|')
	}
}

// verdict is the judgement of an answer of a damaged store.
type verdict int

const (
	right   verdict = iota
	noticed         // the answer reports damage
	short           // data is missing, and the answer does not report it
	wrong
)

func judge(q question, got string, err error, want string) (verdict, string) {
	for line := range strings.Lines(got) {
		if !q.counts && !strings.Contains(want, line) {
			return wrong, fmt.Sprintf("%s: %s, want %s", q.name, line, want)
		}
	}
	switch {
	case isDamage(err):
		return noticed, ""
	case errors.Is(err, seshat.ErrNotFound):
		return short, q.name + ": not found"
	case err != nil:
		return wrong, fmt.Sprintf("%s: an error of another kind: %v", q.name, err)
	case got != want:
		return short, fmt.Sprintf("%s: %d of %d bytes", q.name, len(got), len(want))
	}
	return right, ""
}

// isDamage reports whether an error says that the file is damaged.
func isDamage(err error) bool {
	return errors.Is(err, seshat.ErrCorrupt) || errors.Is(err, seshat.ErrFormat) || errors.Is(err, seshat.ErrFailed)
}
