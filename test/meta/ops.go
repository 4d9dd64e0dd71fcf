// Package meta plays one log of calls on several stores that must give the same
// answers. They differ in where they keep their data, in their options, and in
// whether they are closed, compacted, restored from a backup or imported from
// an export during the log.
package meta

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

// op is one call. Its numbers determine it completely.
type op struct {
	name  string
	plain bool // needs no data that an export omits
	do    func(ctx context.Context, s *seshat.Store, t *seshat.Tenant) (any, error)
}

// maker makes a random op. n is unique in the log.
type maker struct {
	weight int
	make   func(c chance, n int) op
}

var makers = []maker{
	{9, create},
	{14, appendTurn},
	{3, repeat},
	{6, get},
	{6, list},
	{3, count},
	{6, history},
	{3, budget},
	{4, update},
	{3, stale},
	{2, touch},
	{4, transition},
	{4, merge},
	{3, state},
	{3, stateAt},
	{2, truncate},
	{2, deleteMessage},
	{2, editMessage},
	{2, summarize},
	{3, fork},
	{2, lease},
	{2, events},
	{2, sweep},
	{1, policy},
	{1, quotas},
	{2, remove},
	{1, removeUser},
	{1, removeNamespace},
}

// chance is the source of an op's random numbers.
type chance struct{ *rand.Rand }

func (c chance) id() string   { return fmt.Sprintf("s%d/ß", c.IntN(4)) }
func (c chance) user() string { return fmt.Sprintf("u%d", c.IntN(3)) }

// plainLog reports whether a log has only plain ops. Every second log does.
func plainLog(seed uint64) bool { return seed%2 == 1 }

// opOf returns op n of a log and the namespace of the op.
func opOf(seed uint64, n int) (op, string) {
	c := chance{rand.New(rand.NewPCG(seed, uint64(n)))}
	space := []string{"a", "ab"}[c.IntN(2)]
	for {
		if o := c.maker().make(c, n); o.plain || !plainLog(seed) {
			return o, space
		}
	}
}

func (c chance) maker() maker {
	sum := 0
	for _, m := range makers {
		sum += m.weight
	}
	x := c.IntN(sum)
	for _, m := range makers {
		if x -= m.weight; x < 0 {
			return m
		}
	}
	panic("weights do not add up")
}

// on returns an op that calls a method of a tenant with one result.
func on[T any](name string, plain bool, call func(ctx context.Context, t *seshat.Tenant) (T, error)) op {
	return op{
		name, plain,
		func(ctx context.Context, _ *seshat.Store, t *seshat.Tenant) (any, error) { return call(ctx, t) },
	}
}

func create(c chance, n int) op {
	s := seshat.NewSession{
		ID: c.id(), UserID: c.user(), Labels: map[string]string{"of": c.user()},
		UserMemory: map[string]any{"note": strings.Repeat("m", c.IntN(300))},
		State:      map[string]any{"k": "begun"}, UserState: map[string]any{"last": n},
		Quotas:    seshat.Quotas{MaxMessages: c.Uint64N(3) * 20},
		Lifecycle: seshat.Lifecycle{TTL: time.Duration(c.IntN(3)) * 4 * time.Minute},
	}
	return on("create", true,
		func(ctx context.Context, t *seshat.Tenant) (*seshat.Session, error) { return t.Create(ctx, s) })
}

func turn(c chance, n int) (ms []seshat.Message) {
	for i := range 1 + c.IntN(3) {
		ms = append(ms, seshat.Message{
			ID: fmt.Sprintf("m%d-%d", n, i), Role: seshat.Role(1 + i%2), Content: strings.Repeat("w ", c.IntN(200)),
			Tokens: c.Uint64N(50), Latency: time.Duration(c.IntN(2)) * time.Second,
		})
	}
	return ms
}

func appendTurn(c chance, n int) op {
	id := c.id()
	given := seshat.Turn{
		Messages: turn(c, n), State: map[string]any{"k": n},
		NamespaceState: map[string]any{"turns": n},
	}
	return on("append", true, func(ctx context.Context, t *seshat.Tenant) (seshat.AppendResult, error) {
		return t.AppendTurn(ctx, id, given)
	})
}

// repeat appends a message that an earlier op of the log may have appended.
func repeat(c chance, n int) op {
	id := c.id()
	before := max(0, n-1-c.IntN(40))
	ms := []seshat.Message{{ID: fmt.Sprintf("m%d-0", before), Role: seshat.RoleUser, Content: "again"}}
	return on("repeat", false,
		func(ctx context.Context, t *seshat.Tenant) (*seshat.Session, error) { return t.Append(ctx, id, ms...) })
}

func get(c chance, _ int) op {
	id := c.id()
	return on("get", true,
		func(ctx context.Context, t *seshat.Tenant) (*seshat.Session, error) { return t.Get(ctx, id) })
}

func query(c chance) seshat.Query {
	q := seshat.Query{Order: seshat.Order(c.IntN(2)), OldestFirst: c.IntN(2) == 0, Limit: 1 + c.IntN(5)}
	if c.IntN(3) == 0 {
		q.UserID = c.user()
	}
	if c.IntN(3) == 0 {
		q.Statuses = []seshat.Status{seshat.StatusActive, seshat.StatusArchived}
	}
	if c.IntN(4) == 0 {
		q.Labels = map[string]string{"of": c.user()}
	}
	return q
}

func list(c chance, _ int) op {
	q := query(c)
	return on("list", true, func(ctx context.Context, t *seshat.Tenant) (all []*seshat.Session, err error) {
		for s, err := range t.Sessions(ctx, q) {
			if err != nil {
				return all, err
			}
			all = append(all, s)
		}
		return all, nil
	})
}

func count(c chance, _ int) op {
	q := query(c)
	return on("count", true, func(ctx context.Context, t *seshat.Tenant) (uint64, error) { return t.Count(ctx, q) })
}

func history(c chance, _ int) op {
	id := c.id()
	q := seshat.HistoryQuery{FromSeq: c.Uint64N(5), Limit: 1 + c.IntN(9), NewestFirst: c.IntN(2) == 0}
	return on("history", true, func(ctx context.Context, t *seshat.Tenant) (seshat.HistoryPage, error) {
		return t.History(ctx, id, q)
	})
}

func budget(c chance, _ int) op {
	id := c.id()
	n := 1 + c.Uint64N(200)
	return on("budget", true, func(ctx context.Context, t *seshat.Tenant) (seshat.HistoryPage, error) {
		return t.History(ctx, id, seshat.HistoryQuery{TokenBudget: n})
	})
}
