package seshat_test

import (
	"context"
	"io"
	"math"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

var (
	long      = strings.Repeat("x", seshat.MaxNameBytes+1)
	negative  = seshat.Lifecycle{TTL: -2}
	noRole    = seshat.Message{Content: "hello"}
	unstorage = map[string]any{"k": func() {}}
)

type refusals = map[string]func(w *world, ctx context.Context) error

// methods are all of them, by type and name. Methods that differ in their
// session alone take the test's id.
var methods = map[string]method{
	"Store.Close":           {},
	"Store.Driver":          {},
	"Tenant.ID":             {},
	"Tenant.OrganizationID": {},

	"Store.AllNamespaces": {call: func(w *world, ctx context.Context, _ string) error { return first(w.s.AllNamespaces(ctx)) }},
	"Store.Authenticate": {
		call: func(w *world, ctx context.Context, _ string) error { return only(w.s.Authenticate(ctx, w.secret)) },
	},
	"Store.Backup": {
		call:    func(w *world, ctx context.Context, _ string) error { return only(w.s.Backup(ctx, io.Discard)) },
		refused: refusals{"w": func(w *world, ctx context.Context) error { return only(w.s.Backup(ctx, nil)) }},
	},
	"Store.Check": {call: func(w *world, ctx context.Context, _ string) error { return only(w.s.Check(ctx)) }},
	"Store.Compact": {call: func(w *world, ctx context.Context, _ string) error {
		_, _, err := w.s.Compact(ctx)
		return err
	}},
	"Store.CreateAPIKey": {
		call: func(w *world, ctx context.Context, _ string) error { return createKey(w, ctx, seshat.APIKey{}) },
		refused: refusals{
			"key_id": func(w *world, ctx context.Context) error { return createKey(w, ctx, seshat.APIKey{ID: "x"}) },
			"internal_id": func(w *world, ctx context.Context) error {
				return createKey(w, ctx, seshat.APIKey{OrganizationID: long})
			},
			"name": func(w *world, ctx context.Context) error { return createKey(w, ctx, seshat.APIKey{Name: "\n"}) },
			"namespaces": func(w *world, ctx context.Context) error {
				return createKey(w, ctx, seshat.APIKey{Namespaces: []string{"t"}})
			},
			"namespaces (many)": func(w *world, ctx context.Context) error {
				return createKey(w, ctx, seshat.APIKey{Namespaces: make([]string, 1000)})
			},
		},
	},
	"Store.CreateTenant": {
		call: func(w *world, ctx context.Context, _ string) error {
			return only(w.s.CreateTenant(ctx, seshat.Namespace{Name: "new"}))
		},
		refused: refusedNamespaces(func(w *world, ctx context.Context, n seshat.Namespace) error {
			return only(w.s.CreateTenant(ctx, n))
		}),
	},
	"Store.EnsureTenant": {
		call: func(w *world, ctx context.Context, _ string) error {
			return only(w.s.EnsureTenant(ctx, seshat.Namespace{Name: "t"}))
		},
		refused: refusedNamespaces(func(w *world, ctx context.Context, n seshat.Namespace) error {
			return only(w.s.EnsureTenant(ctx, n))
		}),
	},
	"Store.APIKeys": {
		call:    func(w *world, ctx context.Context, _ string) error { return first(w.s.APIKeys(ctx, "")) },
		refused: refusals{"internal_id": func(w *world, ctx context.Context) error { return first(w.s.APIKeys(ctx, long)) }},
	},
	"Store.Namespaces": {
		call:    func(w *world, ctx context.Context, _ string) error { return first(w.s.Namespaces(ctx, "")) },
		refused: refusals{"internal_id": func(w *world, ctx context.Context) error { return first(w.s.Namespaces(ctx, "\x00")) }},
	},
	"Store.RevokeAPIKey": {
		call:    func(w *world, ctx context.Context, _ string) error { return w.s.RevokeAPIKey(ctx, w.keyID) },
		refused: refusals{"key_id": func(w *world, ctx context.Context) error { return w.s.RevokeAPIKey(ctx, "") }},
	},
	"Store.Stats": {call: func(w *world, ctx context.Context, _ string) error { return only(w.s.Stats(ctx)) }},
	"Store.Sweep": {
		call: func(w *world, ctx context.Context, _ string) error {
			return only(w.s.Sweep(ctx, seshat.SweepOptions{}))
		},
		refused: refusals{"limit": func(w *world, ctx context.Context) error {
			return only(w.s.Sweep(ctx, seshat.SweepOptions{Limit: -1}))
		}},
	},
	"Store.Tenant": {
		call: func(w *world, ctx context.Context, _ string) error {
			return only(w.s.Tenant(ctx, seshat.Namespace{Name: "t"}))
		},
		refused: refusals{
			"name": func(w *world, ctx context.Context) error { return only(w.s.Tenant(ctx, seshat.Namespace{})) },
			"internal_id": func(w *world, ctx context.Context) error {
				return only(w.s.Tenant(ctx, seshat.Namespace{Name: "t", OrganizationID: long}))
			},
		},
	},

	"Tenant.ApplyPolicy": {call: func(w *world, ctx context.Context, _ string) error { return only(w.t.ApplyPolicy(ctx)) }},
	"Tenant.Create": {
		call: func(w *world, ctx context.Context, _ string) error {
			return only(w.t.Create(ctx, seshat.NewSession{}))
		},
		refused: refusedSessions(func(w *world, ctx context.Context, n seshat.NewSession) error {
			return only(w.t.Create(ctx, n))
		}),
	},
	"Tenant.Ensure": {
		call: func(w *world, ctx context.Context, _ string) error { return ensure(w, ctx, seshat.NewSession{ID: "s"}) },
		refused: refusedSessions(func(w *world, ctx context.Context, n seshat.NewSession) error {
			return ensure(w, ctx, n)
		}),
	},
	"Tenant.Count": {
		call: func(w *world, ctx context.Context, _ string) error { return only(w.t.Count(ctx, seshat.Query{})) },
		refused: refusedQueries(func(w *world, ctx context.Context, q seshat.Query) error {
			return only(w.t.Count(ctx, q))
		}),
	},
	"Tenant.List": {
		call: func(w *world, ctx context.Context, _ string) error { return only(w.t.List(ctx, seshat.Query{})) },
		refused: refusedQueries(func(w *world, ctx context.Context, q seshat.Query) error {
			return only(w.t.List(ctx, q))
		}),
	},
	"Tenant.Sessions": {
		call: func(w *world, ctx context.Context, _ string) error { return first(w.t.Sessions(ctx, seshat.Query{})) },
		refused: refusedQueries(func(w *world, ctx context.Context, q seshat.Query) error {
			return first(w.t.Sessions(ctx, q))
		}),
	},
	"Tenant.DeleteNamespace": {
		call: func(w *world, ctx context.Context, _ string) error { return only(w.t.DeleteNamespace(ctx)) },
	},
	"Tenant.DeleteUser": {
		call: func(w *world, ctx context.Context, _ string) error { return only(w.t.DeleteUser(ctx, "mia")) },
		refused: refusals{
			"user_id":        func(w *world, ctx context.Context) error { return only(w.t.DeleteUser(ctx, "")) },
			"user_id (long)": func(w *world, ctx context.Context) error { return only(w.t.DeleteUser(ctx, long)) },
		},
	},
	"Tenant.Namespace": {call: func(w *world, ctx context.Context, _ string) error { return only(w.t.Namespace(ctx)) }},
	"Tenant.Rename": {
		call: func(w *world, ctx context.Context, _ string) error { return w.t.Rename(ctx, "new") },
		refused: refusals{
			"name":       func(w *world, ctx context.Context) error { return w.t.Rename(ctx, "") },
			"name (id)":  func(w *world, ctx context.Context) error { return w.t.Rename(ctx, w.t.ID()) },
			"name (bad)": func(w *world, ctx context.Context) error { return w.t.Rename(ctx, "\xff") },
		},
	},
	"Tenant.SetLifecycle": {
		call: func(w *world, ctx context.Context, _ string) error { return w.t.SetLifecycle(ctx, seshat.Lifecycle{}) },
		refused: refusals{"lifecycle.ttl": func(w *world, ctx context.Context) error {
			return w.t.SetLifecycle(ctx, negative)
		}},
	},
	"Tenant.SetQuotas": {
		call: func(w *world, ctx context.Context, _ string) error {
			return w.t.SetQuotas(ctx, seshat.NamespaceQuotas{})
		},
	},
	"Tenant.Usage": {call: func(w *world, ctx context.Context, _ string) error { return only(w.t.Usage(ctx)) }},

	"Tenant.Events": {
		call: func(w *world, ctx context.Context, _ string) error { return events(w, ctx, 0, 1) },
		refused: refusals{
			"limit":        func(w *world, ctx context.Context) error { return events(w, ctx, 0, 0) },
			"limit (many)": func(w *world, ctx context.Context) error { return events(w, ctx, 0, math.MaxInt) },
			"since":        func(w *world, ctx context.Context) error { return events(w, ctx, math.MaxUint64, 1) },
		},
	},
	"Tenant.FeedHead": {call: func(w *world, ctx context.Context, _ string) error { return only(w.t.FeedHead(ctx)) }},
	"Tenant.Watch": {
		call:    func(w *world, ctx context.Context, _ string) error { return first(w.t.Watch(ctx, 0)) },
		refused: refusals{"since": func(w *world, ctx context.Context) error { return first(w.t.Watch(ctx, 1000)) }},
	},
	"Tenant.StateUsers": {call: func(w *world, ctx context.Context, _ string) error { return first(w.t.StateUsers(ctx)) }},
	"Tenant.State": {
		call: func(w *world, ctx context.Context, id string) error {
			return only(w.t.State(ctx, seshat.SessionScope(id)))
		},
		session: true,
		refused: refusals{
			"scope":   func(w *world, ctx context.Context) error { return only(w.t.State(ctx, seshat.Scope{})) },
			"user_id": func(w *world, ctx context.Context) error { return only(w.t.State(ctx, seshat.UserScope(""))) },
		},
	},
	"Tenant.States": {
		call: func(w *world, ctx context.Context, _ string) error { return only(w.t.States(ctx, nil)) },
		refused: refusals{"sessions": func(w *world, ctx context.Context) error {
			return only(w.t.States(ctx, []*seshat.Session{nil}))
		}},
	},
	"Tenant.StateAt": {
		call:    func(w *world, ctx context.Context, id string) error { return only(w.t.StateAt(ctx, id, 0)) },
		session: true,
		refused: refusals{"seq": func(w *world, ctx context.Context) error { return only(w.t.StateAt(ctx, "s", 99)) }},
	},
	"Tenant.MergeState": {
		call: func(w *world, ctx context.Context, id string) error {
			return w.t.MergeState(ctx, seshat.SessionScope(id), map[string]any{"k": 1})
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{
			"scope": func(w *world, ctx context.Context) error {
				return w.t.MergeState(ctx, seshat.Scope{}, map[string]any{"k": 1})
			},
			"state": func(w *world, ctx context.Context) error {
				return w.t.MergeState(ctx, seshat.NamespaceScope(), map[string]any{"": 1})
			},
			"state.k": func(w *world, ctx context.Context) error {
				return w.t.MergeState(ctx, seshat.NamespaceScope(), unstorage)
			},
		},
	},

	"Tenant.Get":   {call: func(w *world, ctx context.Context, id string) error { return only(w.t.Get(ctx, id)) }, session: true},
	"Tenant.Touch": {call: func(w *world, ctx context.Context, id string) error { return only(w.t.Touch(ctx, id)) }, session: true, ended: seshat.ErrReadOnly},
	"Tenant.Delete": {
		call:    func(w *world, ctx context.Context, id string) error { return only(w.t.Delete(ctx, id)) },
		session: true,
	},
	"Tenant.Update": {
		call: func(w *world, ctx context.Context, id string) error {
			return only(w.t.Update(ctx, id, func(*seshat.Session) error { return nil }, seshat.UpdateOptions{}))
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusedUpdates(),
	},
	"Tenant.Transition": {
		call: func(w *world, ctx context.Context, id string) error {
			return only(w.t.Transition(ctx, id, seshat.StatusIdle, seshat.TransitionOptions{}))
		},
		session: true, ended: seshat.ErrTransition,
		refused: refusals{
			"status": func(w *world, ctx context.Context) error {
				return only(w.t.Transition(ctx, "s", 0, seshat.TransitionOptions{}))
			},
			"reason": func(w *world, ctx context.Context) error {
				return only(w.t.Transition(ctx, "s", seshat.StatusIdle,
					seshat.TransitionOptions{Reason: strings.Repeat("x", 1025)}))
			},
			"actor": func(w *world, ctx context.Context) error {
				return only(w.t.Transition(ctx, "s", seshat.StatusIdle, seshat.TransitionOptions{Actor: long}))
			},
		},
	},
	"Tenant.AcquireLease": {
		call: func(w *world, ctx context.Context, id string) error {
			return only(w.t.AcquireLease(ctx, id, "o", time.Hour))
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{
			"owner":      func(w *world, ctx context.Context) error { return only(w.t.AcquireLease(ctx, "s", "", time.Hour)) },
			"ttl":        func(w *world, ctx context.Context) error { return only(w.t.AcquireLease(ctx, "s", "o", 0)) },
			"ttl (long)": func(w *world, ctx context.Context) error { return only(w.t.AcquireLease(ctx, "s", "o", 25*time.Hour)) },
		},
	},
	"Tenant.RenewLease": {
		call: func(w *world, ctx context.Context, id string) error {
			return only(w.t.RenewLease(ctx, id, w.lease(ctx, id), time.Hour))
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{"ttl": func(w *world, ctx context.Context) error { return only(w.t.RenewLease(ctx, "s", 1, -1)) }},
	},
	"Tenant.ReleaseLease": {
		call: func(w *world, ctx context.Context, id string) error {
			return w.t.ReleaseLease(ctx, id, w.lease(ctx, id))
		},
		session: true,
	},
	"Tenant.Append": {
		call:    func(w *world, ctx context.Context, id string) error { return only(w.t.Append(ctx, id, hello)) },
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{
			"messages":         func(w *world, ctx context.Context) error { return only(w.t.Append(ctx, "s")) },
			"messages[0].role": func(w *world, ctx context.Context) error { return only(w.t.Append(ctx, "s", noRole)) },
		},
	},
	"Tenant.AppendTurn": {
		call: func(w *world, ctx context.Context, id string) error {
			return only(w.t.AppendTurn(ctx, id, seshat.Turn{Messages: []seshat.Message{hello}}))
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{"messages": func(w *world, ctx context.Context) error {
			return only(w.t.AppendTurn(ctx, "s", seshat.Turn{Messages: make([]seshat.Message, seshat.MaxTurnMessages+1)}))
		}},
	},
	"Tenant.History": {
		call: func(w *world, ctx context.Context, id string) error {
			return only(w.t.History(ctx, id, seshat.HistoryQuery{}))
		},
		session: true,
		refused: refusedHistories(func(w *world, ctx context.Context, q seshat.HistoryQuery) error {
			return only(w.t.History(ctx, "s", q))
		}, nil),
	},
	"Tenant.Messages": {
		call: func(w *world, ctx context.Context, id string) error {
			return first(w.t.Messages(ctx, id, seshat.HistoryQuery{}))
		},
		session: true,
		refused: refusedHistories(func(w *world, ctx context.Context, q seshat.HistoryQuery) error {
			return first(w.t.Messages(ctx, "s", q))
		}, map[string]seshat.HistoryQuery{
			"last (of an iteration)": {Last: 1},
			"token_budget":           {TokenBudget: 1},
		}),
	},
	"Tenant.EditMessage": {
		call: func(w *world, ctx context.Context, id string) error {
			return only(w.t.EditMessage(ctx, id, 1, func(*seshat.Message) error { return nil }))
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{
			"fn": func(w *world, ctx context.Context) error { return only(w.t.EditMessage(ctx, "s", 1, nil)) },
			"message.seq": func(w *world, ctx context.Context) error {
				return only(w.t.EditMessage(ctx, "s", 1, func(m *seshat.Message) error {
					m.Seq = 2
					return nil
				}))
			},
		},
	},
	"Tenant.DeleteMessage": {
		call:    func(w *world, ctx context.Context, id string) error { return only(w.t.DeleteMessage(ctx, id, 1)) },
		session: true, ended: seshat.ErrReadOnly,
	},
	"Tenant.Truncate": {
		call:    func(w *world, ctx context.Context, id string) error { return only(w.t.Truncate(ctx, id, 1)) },
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{"seq": func(w *world, ctx context.Context) error {
			return only(w.t.Truncate(ctx, "s", math.MaxUint64))
		}},
	},
	"Tenant.Summarize": {
		call: func(w *world, ctx context.Context, id string) error {
			return only(w.t.Summarize(ctx, id, seshat.Range{From: 1, To: 1}, hello))
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{"range": func(w *world, ctx context.Context) error {
			return only(w.t.Summarize(ctx, "s", seshat.Range{From: 2, To: 1}, hello))
		}},
	},
	"Tenant.Fork": {
		call: func(w *world, ctx context.Context, id string) error {
			return only(w.t.Fork(ctx, id, seshat.ForkOptions{}))
		},
		session: true,
		refused: refusals{
			"seq": func(w *world, ctx context.Context) error {
				return only(w.t.Fork(ctx, "s", seshat.ForkOptions{Seq: 99}))
			},
			"session_id": func(w *world, ctx context.Context) error {
				return only(w.t.Fork(ctx, "s", seshat.ForkOptions{ID: long}))
			},
		},
	},
	"Tenant.Restore": {
		call: func(w *world, ctx context.Context, _ string) error {
			return only(w.t.Restore(ctx, seshat.Snapshot{Session: w.snapshot()}))
		},
		refused: refusedSnapshots(),
	},
}
