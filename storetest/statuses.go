package storetest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/internal/rules"
)

// everyStatus checks promises for every status in the table, including any that
// is added later.
var everyStatus = []promise{
	{name: "each status is counted and listed", test: statusesCounted},
	{name: "each status fills a quota", test: statusesFillQuotas},
	{name: "each status allows what the table says", test: statusesAllow},
	{name: "each status expires", test: statusesExpire},
	{name: "no other status is taken", test: statusesUnknown},
}

// eachStatus runs fn for every status, each in its own namespace.
func (e *env) eachStatus(fn func(*env, *seshat.Tenant, seshat.Status)) {
	e.Helper()
	for _, status := range rules.Statuses() {
		s := seshat.Status(status)
		e.Run(s.String(), func(t *testing.T) {
			sub := *e
			sub.T = t
			fn(&sub, sub.tenant("of "+s.String()), s)
		})
	}
}

// reach creates a session and moves it to a status in as many moves as
// necessary.
func (e *env) reach(t *seshat.Tenant, id string, to seshat.Status) *seshat.Session {
	e.Helper()
	s := e.create(t, seshat.NewSession{ID: id})
	for _, step := range e.pathTo(rules.Status(to)) {
		s = e.move(t, id, seshat.Status(step))
	}
	equal(e, "status reached", s.Status, to)
	return s
}

// pathTo returns the moves from active to a status.
func (e *env) pathTo(to rules.Status) []rules.Status {
	e.Helper()
	ways := [][]rules.Status{{rules.Active}}
	seen := map[rules.Status]bool{}
	for len(ways) > 0 {
		way := ways[0]
		ways = ways[1:]
		last := way[len(way)-1]
		if last == to {
			return way[1:]
		}
		if seen[last] {
			continue
		}
		seen[last] = true
		for _, next := range rules.Allowed(last) {
			ways = append(ways, append(slices.Clone(way), next))
		}
	}
	e.Fatalf("no move leads to status %d", to)
	return nil
}

func statusesCounted(e *env) {
	e.eachStatus(func(e *env, t *seshat.Tenant, s seshat.Status) {
		e.create(t, seshat.NewSession{ID: "active"})
		e.reach(t, "s", s)
		e.reach(t, "another", s)
		want := []string{"another", "s"}
		if s == seshat.StatusActive {
			want = []string{"active", "another", "s"}
		}
		got := e.ids(t, seshat.Query{Statuses: []seshat.Status{s}})
		slices.Sort(got)
		equal(e, "listed", fmt.Sprint(got), fmt.Sprint(want))
		equal(e, "counted", e.count(t, seshat.Query{Statuses: []seshat.Status{s}}), uint64(len(want)))
		equal(e, "counted in all", e.count(t, seshat.Query{}), 3)
		u, err := t.Usage(e.ctx)
		e.must(err)
		equal(e, "in use", u.ByStatus(s), uint64(len(want)))
		equal(e, "in use in all", u.Sessions(), 3)
		equal(e, "read", e.get(t, "s").Status, s)
		text, err := s.MarshalText()
		e.must(err)
		var again seshat.Status
		e.must(again.UnmarshalText(text))
		equal(e, "status by its name", again, s)
	})
}

func statusesFillQuotas(e *env) {
	e.eachStatus(func(e *env, t *seshat.Tenant, s seshat.Status) {
		e.reach(t, "s", s)
		e.must(t.SetQuotas(e.ctx, seshat.NamespaceQuotas{MaxSessions: 1}))
		_, err := t.Create(e.ctx, seshat.NewSession{ID: "another"})
		e.isQuotaError(err, "namespace.max_sessions", 1, 1)
		e.isError(second(t.Create(e.ctx, seshat.NewSession{ID: "s"})), seshat.ErrExists)
		e.must(second(t.Delete(e.ctx, "s")))
		e.create(t, seshat.NewSession{ID: "another"})
	})
}

func statusesAllow(e *env) {
	e.eachStatus(func(e *env, t *seshat.Tenant, from seshat.Status) {
		for name, err := range map[string]error{
			"Touch": second(t.Touch(e.ctx, e.reach(t, "touched", from).ID)),
			"Append": second(t.Append(e.ctx, e.reach(t, "appended", from).ID,
				seshat.Message{Role: seshat.RoleUser, Content: "hello"})),
		} {
			if rules.Status(from).Writable() {
				e.must(err)
			} else if !errors.Is(err, seshat.ErrReadOnly) {
				e.Fatalf("%s: got error %v, want %v", name, err, seshat.ErrReadOnly)
			}
		}
		for _, status := range rules.Statuses() {
			to := seshat.Status(status)
			id := "to " + to.String()
			before := e.reach(t, id, from)
			s, err := t.Transition(e.ctx, id, to, seshat.TransitionOptions{})
			if from == to || rules.CanMove(rules.Status(from), status) {
				e.must(err)
				equal(e, "moved "+id, s.Status, to)
				continue
			}
			var illegal *seshat.TransitionError
			if !errors.As(err, &illegal) || illegal.From != from || illegal.To != to ||
				len(illegal.Allowed) != len(rules.Allowed(rules.Status(from))) {
				e.Fatalf("%s: got error %v, want a TransitionError", id, err)
			}
			equal(e, "version after a refused move", e.get(t, id).Version, before.Version)
		}
	})
}

func statusesExpire(e *env) {
	e.eachStatus(func(e *env, t *seshat.Tenant, s seshat.Status) {
		before := e.reach(t, "s", s)
		equal(e, "terminated", before.TerminatedAt.IsZero(), !rules.Status(s).Final())
		e.clock.Set(before.ExpiresAt.Add(-ms))
		equal(e, "removed before its end", e.sweep().Expired, 0)
		e.clock.Advance(ms)
		equal(e, "counted at its end", e.count(t, seshat.Query{}), 0)
		equal(e, "removed at its end", e.sweep().Expired, 1)
		u, err := t.Usage(e.ctx)
		e.must(err)
		equal(e, "usage", u, seshat.Usage{})
	})
}

func statusesUnknown(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	for n := range math.MaxUint8 + 1 {
		s := seshat.Status(n)
		if rules.Status(s).Valid() {
			continue
		}
		e.isInvalid(second(t.Transition(e.ctx, "s", s, seshat.TransitionOptions{})), "status")
		e.isInvalid(second(t.List(e.ctx, seshat.Query{Statuses: []seshat.Status{s}})), "status")
		e.isError(second(s.MarshalText()), seshat.ErrInvalid)
	}
	equal(e, "status", e.get(t, "s").Status, seshat.StatusActive)
}
