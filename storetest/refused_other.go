package storetest

import (
	"context"
	"io"
	"math"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

// firstError returns the error of an iterator's first element.
func firstError[T any](next func(func(T, error) bool)) (err error) {
	next(func(_ T, e error) bool {
		err = e
		return false
	})
	return err
}

// refusedIDs calls each method that takes a session id with bad ids.
func refusedIDs(e *env) {
	t := e.refusedStore()
	hello := seshat.Message{Role: seshat.RoleUser, Content: "hello"}
	calls := map[string]func(string) error{
		"History":  func(id string) error { return second(t.History(e.ctx, id, seshat.HistoryQuery{})) },
		"Messages": func(id string) error { return firstError(t.Messages(e.ctx, id, seshat.HistoryQuery{})) },
		"State":    func(id string) error { return second(t.State(e.ctx, seshat.SessionScope(id))) },
		"StateAt":  func(id string) error { return second(t.StateAt(e.ctx, id, 0)) },
		"MergeState": func(id string) error {
			return t.MergeState(e.ctx, seshat.SessionScope(id), map[string]any{"k": 2})
		},
		"AcquireLease": func(id string) error { return second(t.AcquireLease(e.ctx, id, "o", hour)) },
		"RenewLease":   func(id string) error { return second(t.RenewLease(e.ctx, id, 1, hour)) },
		"ReleaseLease": func(id string) error { return t.ReleaseLease(e.ctx, id, 1) },
		"AppendTurn": func(id string) error {
			return second(t.AppendTurn(e.ctx, id, seshat.Turn{Messages: []seshat.Message{hello}}))
		},
		"DeleteMessage": func(id string) error { return second(t.DeleteMessage(e.ctx, id, 1)) },
		"Truncate":      func(id string) error { return second(t.Truncate(e.ctx, id, 0)) },
		"Summarize": func(id string) error {
			return second(t.Summarize(e.ctx, id, seshat.Range{From: 1, To: 1}, hello))
		},
		"Fork": func(id string) error { return second(t.Fork(e.ctx, id, seshat.ForkOptions{})) },
		"EditMessage": func(id string) error {
			return second(t.EditMessage(e.ctx, id, 1, func(*seshat.Message) error { return nil }))
		},
	}
	for name, call := range onSession {
		calls[name] = func(id string) error { return call(e.ctx, t, id) }
	}
	id := badNamesOf("session_id", true, func(s *string) *string { return s })
	for name, call := range calls {
		refuseAll(e, t, name, "", "s", call, id)
	}
}

func refusedNamespaces(e *env) {
	t := e.refusedStore()
	type n = seshat.Namespace
	rows := [][]refusal[n]{
		badNamesOf("name", true, func(v *n) *string { return &v.Name }),
		badNamesOf("internal_id", false, func(v *n) *string { return &v.OrganizationID }),
		badLifecycles(func(v *n) *seshat.Lifecycle { return &v.Lifecycle }),
		{
			{"id given", "namespace_id", func(v *n) { v.ID = t.ID() }},
			{"name has the form of an id", "name", func(v *n) { v.Name = t.ID() }},
		},
	}
	good := n{Name: "new"}
	refuseAll(e, t, "CreateTenant", "", good, func(v n) error { return second(e.CreateTenant(e.ctx, v)) }, rows...)
	refuseAll(e, t, "EnsureTenant", "", good, func(v n) error { return second(e.EnsureTenant(e.ctx, v)) }, rows...)
	refuseAll(e, t, "Tenant", "", good, func(v n) error { return second(e.Tenant(e.ctx, v)) }, rows[0], rows[1])
	refuseAll(e, t, "Rename", "", good, func(v n) error { return t.Rename(e.ctx, v.Name) }, rows[0], rows[3][1:])
	refuseAll(e, t, "SetLifecycle", "", good, func(v n) error { return t.SetLifecycle(e.ctx, v.Lifecycle) }, rows[2])
	refuseAll(e, t, "Namespaces", "", good,
		func(v n) error { return firstError(e.Namespaces(e.ctx, v.OrganizationID)) }, rows[1])
	refuseAll(e, t, "APIKeys", "", good, func(v n) error { return firstError(e.APIKeys(e.ctx, v.OrganizationID)) },
		rows[1])
}

func refusedQueries(e *env) {
	t := e.refusedStore()
	type q = seshat.Query
	rows := [][]refusal[q]{
		badNamesOf("user_id", false, func(v *q) *string { return &v.UserID }),
		badLabels(func(v *q) *map[string]string { return &v.Labels }),
		{
			{"status zero", "status", func(v *q) { v.Statuses = []seshat.Status{0} }},
			{"status out of range", "status", func(v *q) { v.Statuses = []seshat.Status{seshat.StatusActive, 5} }},
			{"too many statuses", "status", func(v *q) { v.Statuses = make([]seshat.Status, 1000) }},
			{"order out of range", "order", func(v *q) { v.Order = 2 }},
			{"negative limit", "limit", func(v *q) { v.Limit = -1 }},
			{"limit too high", "limit", func(v *q) { v.Limit = seshat.MaxPage + 1 }},
			{"order and limit", "order", func(v *q) {
				v.Limit = -1
				v.Order = 9
			}},
		},
	}
	refuseAll(e, t, "Count", "", q{}, func(v q) error { return second(t.Count(e.ctx, v)) }, rows...)
	rows = append(rows, []refusal[q]{
		{"no cursor", "cursor", func(v *q) { v.Cursor = "x" }},
		{"cursor too long", "cursor", func(v *q) { v.Cursor = longText }},
		{"cursor with a control character", "cursor", func(v *q) { v.Cursor = "\n" }},
		{"cursor not UTF-8", "cursor", func(v *q) { v.Cursor = "\xff" }},
	})
	refuseAll(e, t, "List", "", q{}, func(v q) error { return second(t.List(e.ctx, v)) }, rows...)
	refuseAll(e, t, "Sessions", "", q{}, func(v q) error { return firstError(t.Sessions(e.ctx, v)) }, rows...)
}

func refusedKeys(e *env) {
	t := e.refusedStore()
	type k = seshat.APIKey
	refuseAll(e, t, "CreateAPIKey", "", k{}, func(v k) error {
		_, _, err := e.CreateAPIKey(e.ctx, v)
		return err
	},
		badNamesOf("name", false, func(v *k) *string { return &v.Name }),
		badNamesOf("internal_id", false, func(v *k) *string { return &v.OrganizationID }),
		[]refusal[k]{
			{"id given", "key_id", func(v *k) { v.ID = "x" }},
			{"too many namespaces", "namespaces", func(v *k) { v.Namespaces = make([]string, 257) }},
			{"a namespace by its name", "namespaces", func(v *k) { v.Namespaces = []string{t.ID(), "t"} }},
			{"expiry too early", "expires_at", func(v *k) { v.ExpiresAt = time.Unix(-1, 0) }},
			{
				"expiry and namespaces", "expires_at",
				func(v *k) { v.Namespaces, v.ExpiresAt = []string{"t"}, time.Unix(-1, 0) },
			},
		})
	refuseAll(e, t, "RevokeAPIKey", "", k{}, func(v k) error { return e.RevokeAPIKey(e.ctx, v.ID) },
		badNamesOf("key_id", true, func(v *k) *string { return &v.ID }))
}

// refusedOthers makes the calls with other bad arguments.
func refusedOthers(e *env) {
	t := e.refusedStore()
	before := e.fingerprint(t)
	for _, r := range append(callsWithBadArguments(e, t), callsWithBadQueries(t)...) {
		for range refusedTries {
			e.isInvalidNamed(r.method, r.call(e.ctx), r.field)
		}
	}
	refuseBadTexts(e, t)
	equal(e, "the store after refused calls", e.fingerprint(t), before)
}

// refusedCall is a call with one bad argument, and the field that the error
// names.
type refusedCall struct {
	method, field string
	call          func(context.Context) error
}

// callsWithBadArguments returns the calls whose bad arguments are not queries
// of a log.
func callsWithBadArguments(e *env, t *seshat.Tenant) []refusedCall {
	hello := seshat.Message{Role: seshat.RoleUser, Content: "hello"}
	return []refusedCall{
		{"Transition", "status", func(c context.Context) error {
			return second(t.Transition(c, "s", 0, seshat.TransitionOptions{}))
		}},
		{"Transition", "status", func(c context.Context) error {
			return second(t.Transition(c, "s", 5, seshat.TransitionOptions{}))
		}},
		{"AcquireLease", "ttl", func(c context.Context) error { return second(t.AcquireLease(c, "s", "o", 0)) }},
		{"AcquireLease", "ttl", func(c context.Context) error { return second(t.AcquireLease(c, "s", "o", -1)) }},
		{
			"AcquireLease", "ttl",
			func(c context.Context) error { return second(t.AcquireLease(c, "s", "o", seshat.MaxLease+1)) },
		},
		{"RenewLease", "ttl", func(c context.Context) error { return second(t.RenewLease(c, "s", 1, math.MinInt64)) }},
		{"State", "scope", func(c context.Context) error { return second(t.State(c, seshat.Scope{})) }},
		{"StateAt", "seq", func(c context.Context) error { return second(t.StateAt(c, "s", 2)) }},
		{"MergeState", "scope", func(c context.Context) error { return t.MergeState(c, seshat.Scope{}, nil) }},
		{"States", "sessions", func(c context.Context) error { return second(t.States(c, []*seshat.Session{nil})) }},
		{"Update", "fn", func(c context.Context) error {
			return second(t.Update(c, "s", nil, seshat.UpdateOptions{}))
		}},
		{"EditMessage", "fn", func(c context.Context) error { return second(t.EditMessage(c, "s", 1, nil)) }},
		{"Truncate", "seq", func(c context.Context) error { return second(t.Truncate(c, "s", math.MaxUint64)) }},
		{
			"Summarize", "range",
			func(c context.Context) error { return second(t.Summarize(c, "s", seshat.Range{To: 1}, hello)) },
		},
		{"Summarize", "range", func(c context.Context) error {
			return second(t.Summarize(c, "s", seshat.Range{From: 2, To: 1}, hello))
		}},
		{"Fork", "seq", func(c context.Context) error { return second(t.Fork(c, "s", seshat.ForkOptions{Seq: 2})) }},
		{"Events", "limit", func(c context.Context) error { return thirdOf(t.Events(c, 0, 0)) }},
		{"Events", "limit", func(c context.Context) error { return thirdOf(t.Events(c, 0, -1)) }},
		{"Events", "limit", func(c context.Context) error { return thirdOf(t.Events(c, 0, seshat.MaxEvents+1)) }},
		{"Events", "since", func(c context.Context) error { return thirdOf(t.Events(c, math.MaxUint64, 1)) }},
		{"Watch", "since", func(c context.Context) error { return firstError(t.Watch(c, 1000)) }},
		{"Sweep", "limit", func(c context.Context) error { return second(e.Sweep(c, seshat.SweepOptions{Limit: -1})) }},
		{"Backup", "w", func(c context.Context) error { return second(e.Backup(c, io.Writer(nil))) }},
		{
			"Get", "ctx",
			func(context.Context) error {
				return second(t.Get(nil, "s")) //nolint:staticcheck // the point of the row
			},
		},
	}
}

// callsWithBadQueries returns the calls with bad queries of a log.
func callsWithBadQueries(t *seshat.Tenant) []refusedCall {
	history := func(c context.Context, q seshat.HistoryQuery) error { return second(t.History(c, "s", q)) }
	return []refusedCall{
		{"History", "last", func(c context.Context) error { return history(c, seshat.HistoryQuery{Last: -1}) }},
		{"History", "limit", func(c context.Context) error { return history(c, seshat.HistoryQuery{Limit: -1}) }},
		{"History", "last", func(c context.Context) error {
			return history(c, seshat.HistoryQuery{Last: seshat.MaxHistory + 1, Limit: -1})
		}},
		{
			"History", "limit",
			func(c context.Context) error { return history(c, seshat.HistoryQuery{Last: 1, Limit: 1}) },
		},
		{"Messages", "last", func(c context.Context) error {
			return firstError(t.Messages(c, "s", seshat.HistoryQuery{Last: 1, TokenBudget: 1}))
		}},
		{"Messages", "token_budget", func(c context.Context) error {
			return firstError(t.Messages(c, "s", seshat.HistoryQuery{TokenBudget: 1}))
		}},
	}
}

// refuseBadTexts makes the calls whose arguments are bad names or documents.
func refuseBadTexts(e *env, t *seshat.Tenant) {
	refuseAll(e, t, "AcquireLease", "", "o",
		func(owner string) error { return second(t.AcquireLease(e.ctx, "s", owner, hour)) },
		badNamesOf("owner", true, func(s *string) *string { return s }))
	type options = seshat.TransitionOptions
	refuseAll(e, t, "Transition", "", options{}, func(o options) error {
		return second(t.Transition(e.ctx, "s", seshat.StatusIdle, o))
	}, badNamesOf("actor", false, func(o *options) *string { return &o.Actor }), []refusal[options]{
		{"reason too long", "reason", func(o *options) { o.Reason = longText[:1025] }},
		{"reason with a control character", "reason", func(o *options) { o.Reason = "a\n" }},
		{"reason not UTF-8", "reason", func(o *options) { o.Reason = "a\xff" }},
		{"reason and actor", "reason", func(o *options) {
			o.Actor = "\n"
			o.Reason = "\n"
		}},
	})
	refuseAll(e, t, "DeleteUser", "", "nobody", func(user string) error { return second(t.DeleteUser(e.ctx, user)) },
		badNamesOf("user_id", true, func(s *string) *string { return s }))
	refuseAll(e, t, "State", "", "nobody",
		func(user string) error { return second(t.State(e.ctx, seshat.UserScope(user))) },
		badNamesOf("user_id", true, func(s *string) *string { return s }))
	refuseAll(e, t, "Fork", "", "new",
		func(id string) error { return second(t.Fork(e.ctx, "s", seshat.ForkOptions{ID: id})) },
		badNamesOf("session_id", false, func(s *string) *string { return s }))
	refuseAll(e, t, "MergeState", "", map[string]any{}, func(d map[string]any) error {
		return t.MergeState(e.ctx, seshat.NamespaceScope(), d)
	}, []refusal[map[string]any]{
		{"an empty key", "state", func(d *map[string]any) { *d = map[string]any{"": 1} }},
		{
			"a bad key and a bad value", "state.a",
			func(d *map[string]any) { *d = map[string]any{"b\n": 1, "a": math.NaN()} },
		},
		{"a long key", "state", func(d *map[string]any) { *d = map[string]any{strings.Repeat("x", 1<<20): 1} }},
	}, badDocumentsOf("state", func(d *map[string]any, bad map[string]any) { *d = bad }))
}

// thirdOf returns the error of a call with two results.
func thirdOf[A, B any](_ A, _ B, err error) error { return err }
