package storetest

import (
	"context"
	"io"
	"math"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

// The calls of the table use these values.
var (
	long       = strings.Repeat("x", seshat.MaxNameBytes+1)
	hello      = seshat.Message{Role: seshat.RoleUser, Content: "hello"}
	negative   = seshat.Lifecycle{TTL: -2}
	noRole     = seshat.Message{Content: "hello"}
	unstorable = map[string]any{"k": func() {}}
)

type refusals = map[string]func(sc *Scene, ctx context.Context) error

// methods are all methods of Store and Tenant, keyed by type and name. A method
// that takes a session id gets it from the test.
var methods = map[string]method{
	"Store.Close":           {},
	"Store.Driver":          {},
	"Tenant.ID":             {},
	"Tenant.OrganizationID": {},

	"Store.AllNamespaces": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return first(sc.store.AllNamespaces(ctx)) },
	},
	"Store.Authenticate": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return second(sc.store.Authenticate(ctx, sc.secret))
		},
	},
	"Store.Backup": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return second(sc.store.Backup(ctx, io.Discard))
		},
		refused: refusals{"w": func(sc *Scene, ctx context.Context) error {
			return second(sc.store.Backup(ctx, nil))
		}},
	},
	"Store.Check": {call: func(sc *Scene, ctx context.Context, _ string) error {
		return second(sc.store.Check(ctx))
	}},
	"Store.Compact": {call: func(sc *Scene, ctx context.Context, _ string) error {
		_, _, err := sc.store.Compact(ctx)
		return err
	}},
	"Store.CreateAPIKey": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return createKey(sc, ctx, seshat.APIKey{}) },
		refused: refusals{
			"key_id": func(sc *Scene, ctx context.Context) error {
				return createKey(sc, ctx, seshat.APIKey{ID: "x"})
			},
			"internal_id": func(sc *Scene, ctx context.Context) error {
				return createKey(sc, ctx, seshat.APIKey{OrganizationID: long})
			},
			"name": func(sc *Scene, ctx context.Context) error {
				return createKey(sc, ctx, seshat.APIKey{Name: "\n"})
			},
			"namespaces": func(sc *Scene, ctx context.Context) error {
				return createKey(sc, ctx, seshat.APIKey{Namespaces: []string{"t"}})
			},
			"namespaces (many)": func(sc *Scene, ctx context.Context) error {
				return createKey(sc, ctx, seshat.APIKey{Namespaces: make([]string, 1000)})
			},
		},
	},
	"Store.CreateTenant": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return second(sc.store.CreateTenant(ctx, seshat.Namespace{Name: "new"}))
		},
		refused: misusedNamespaces(func(sc *Scene, ctx context.Context, n seshat.Namespace) error {
			return second(sc.store.CreateTenant(ctx, n))
		}),
	},
	"Store.EnsureTenant": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return second(sc.store.EnsureTenant(ctx, seshat.Namespace{Name: "t"}))
		},
		refused: misusedNamespaces(func(sc *Scene, ctx context.Context, n seshat.Namespace) error {
			return second(sc.store.EnsureTenant(ctx, n))
		}),
	},
	"Store.APIKeys": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return first(sc.store.APIKeys(ctx, "")) },
		refused: refusals{
			"internal_id": func(sc *Scene, ctx context.Context) error { return first(sc.store.APIKeys(ctx, long)) },
		},
	},
	"Store.Namespaces": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return first(sc.store.Namespaces(ctx, "")) },
		refused: refusals{
			"internal_id": func(sc *Scene, ctx context.Context) error {
				return first(sc.store.Namespaces(ctx, "\x00"))
			},
		},
	},
	"Store.RevokeAPIKey": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return sc.store.RevokeAPIKey(ctx, sc.keyID) },
		refused: refusals{
			"key_id": func(sc *Scene, ctx context.Context) error { return sc.store.RevokeAPIKey(ctx, "") },
		},
	},
	"Store.Stats": {call: func(sc *Scene, ctx context.Context, _ string) error {
		return second(sc.store.Stats(ctx))
	}},
	"Store.Sweep": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return second(sc.store.Sweep(ctx, seshat.SweepOptions{}))
		},
		refused: refusals{"limit": func(sc *Scene, ctx context.Context) error {
			return second(sc.store.Sweep(ctx, seshat.SweepOptions{Limit: -1}))
		}},
	},
	"Store.Tenant": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return second(sc.store.Tenant(ctx, seshat.Namespace{Name: "t"}))
		},
		refused: refusals{
			"name": func(sc *Scene, ctx context.Context) error {
				return second(sc.store.Tenant(ctx, seshat.Namespace{}))
			},
			"internal_id": func(sc *Scene, ctx context.Context) error {
				return second(sc.store.Tenant(ctx, seshat.Namespace{Name: "t", OrganizationID: long}))
			},
		},
	},

	"Tenant.ApplyPolicy": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return second(sc.tenant.ApplyPolicy(ctx)) },
	},
	"Tenant.Create": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return second(sc.tenant.Create(ctx, seshat.NewSession{}))
		},
		refused: misusedSessions(func(sc *Scene, ctx context.Context, n seshat.NewSession) error {
			return second(sc.tenant.Create(ctx, n))
		}),
	},
	"Tenant.Ensure": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return ensureSession(sc, ctx, seshat.NewSession{ID: "s"})
		},
		refused: misusedSessions(func(sc *Scene, ctx context.Context, n seshat.NewSession) error {
			return ensureSession(sc, ctx, n)
		}),
	},
	"Tenant.Count": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return second(sc.tenant.Count(ctx, seshat.Query{}))
		},
		refused: misusedQueries(func(sc *Scene, ctx context.Context, q seshat.Query) error {
			return second(sc.tenant.Count(ctx, q))
		}),
	},
	"Tenant.List": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return second(sc.tenant.List(ctx, seshat.Query{}))
		},
		refused: misusedQueries(func(sc *Scene, ctx context.Context, q seshat.Query) error {
			return second(sc.tenant.List(ctx, q))
		}),
	},
	"Tenant.Sessions": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return first(sc.tenant.Sessions(ctx, seshat.Query{}))
		},
		refused: misusedQueries(func(sc *Scene, ctx context.Context, q seshat.Query) error {
			return first(sc.tenant.Sessions(ctx, q))
		}),
	},
	"Tenant.DeleteNamespace": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return second(sc.tenant.DeleteNamespace(ctx)) },
	},
	"Tenant.DeleteUser": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return second(sc.tenant.DeleteUser(ctx, "mia"))
		},
		refused: refusals{
			"user_id": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.DeleteUser(ctx, ""))
			},
			"user_id (long)": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.DeleteUser(ctx, long))
			},
		},
	},
	"Tenant.Namespace": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return second(sc.tenant.Namespace(ctx)) },
	},
	"Tenant.Rename": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return sc.tenant.Rename(ctx, "new") },
		refused: refusals{
			"name":       func(sc *Scene, ctx context.Context) error { return sc.tenant.Rename(ctx, "") },
			"name (id)":  func(sc *Scene, ctx context.Context) error { return sc.tenant.Rename(ctx, sc.tenant.ID()) },
			"name (bad)": func(sc *Scene, ctx context.Context) error { return sc.tenant.Rename(ctx, "\xff") },
		},
	},
	"Tenant.SetLifecycle": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return sc.tenant.SetLifecycle(ctx, seshat.Lifecycle{})
		},
		refused: refusals{"lifecycle.ttl": func(sc *Scene, ctx context.Context) error {
			return sc.tenant.SetLifecycle(ctx, negative)
		}},
	},
	"Tenant.SetQuotas": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return sc.tenant.SetQuotas(ctx, seshat.NamespaceQuotas{})
		},
	},
	"Tenant.Usage": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return second(sc.tenant.Usage(ctx)) },
	},

	"Tenant.Events": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return events(sc, ctx, 0, 1) },
		refused: refusals{
			"limit":        func(sc *Scene, ctx context.Context) error { return events(sc, ctx, 0, 0) },
			"limit (many)": func(sc *Scene, ctx context.Context) error { return events(sc, ctx, 0, math.MaxInt) },
			"since":        func(sc *Scene, ctx context.Context) error { return events(sc, ctx, math.MaxUint64, 1) },
		},
	},
	"Tenant.FeedHead": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return second(sc.tenant.FeedHead(ctx)) },
	},
	"Tenant.Watch": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return first(sc.tenant.Watch(ctx, 0)) },
		refused: refusals{
			"since": func(sc *Scene, ctx context.Context) error { return first(sc.tenant.Watch(ctx, 1000)) },
		},
	},
	"Tenant.StateUsers": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return first(sc.tenant.StateUsers(ctx)) },
	},
	"Tenant.State": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return second(sc.tenant.State(ctx, seshat.SessionScope(id)))
		},
		session: true,
		refused: refusals{
			"scope": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.State(ctx, seshat.Scope{}))
			},
			"user_id": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.State(ctx, seshat.UserScope("")))
			},
		},
	},
	"Tenant.States": {
		call: func(sc *Scene, ctx context.Context, _ string) error { return second(sc.tenant.States(ctx, nil)) },
		refused: refusals{"sessions": func(sc *Scene, ctx context.Context) error {
			return second(sc.tenant.States(ctx, []*seshat.Session{nil}))
		}},
	},
	"Tenant.StateAt": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return second(sc.tenant.StateAt(ctx, id, 0))
		},
		session: true,
		refused: refusals{
			"seq": func(sc *Scene, ctx context.Context) error { return second(sc.tenant.StateAt(ctx, "s", 99)) },
		},
	},
	"Tenant.MergeState": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return sc.tenant.MergeState(ctx, seshat.SessionScope(id), map[string]any{"k": 1})
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{
			"scope": func(sc *Scene, ctx context.Context) error {
				return sc.tenant.MergeState(ctx, seshat.Scope{}, map[string]any{"k": 1})
			},
			"state": func(sc *Scene, ctx context.Context) error {
				return sc.tenant.MergeState(ctx, seshat.NamespaceScope(), map[string]any{"": 1})
			},
			"state.k": func(sc *Scene, ctx context.Context) error {
				return sc.tenant.MergeState(ctx, seshat.NamespaceScope(), unstorable)
			},
		},
	},

	"Tenant.Get": {
		call:    func(sc *Scene, ctx context.Context, id string) error { return second(sc.tenant.Get(ctx, id)) },
		session: true,
	},
	"Tenant.Touch": {
		call:    func(sc *Scene, ctx context.Context, id string) error { return second(sc.tenant.Touch(ctx, id)) },
		session: true,
		ended:   seshat.ErrReadOnly,
	},
	"Tenant.Delete": {
		call:    func(sc *Scene, ctx context.Context, id string) error { return second(sc.tenant.Delete(ctx, id)) },
		session: true,
	},
	"Tenant.Update": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return second(sc.tenant.Update(ctx, id, func(*seshat.Session) error { return nil }, seshat.UpdateOptions{}))
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: misusedUpdates(),
	},
	"Tenant.Transition": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return second(sc.tenant.Transition(ctx, id, seshat.StatusIdle, seshat.TransitionOptions{}))
		},
		session: true, ended: seshat.ErrTransition,
		refused: refusals{
			"status": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.Transition(ctx, "s", 0, seshat.TransitionOptions{}))
			},
			"reason": func(sc *Scene, ctx context.Context) error {
				return second(
					sc.tenant.Transition(ctx, "s", seshat.StatusIdle,
						seshat.TransitionOptions{Reason: strings.Repeat("x", 1025)}),
				)
			},
			"actor": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.Transition(ctx, "s", seshat.StatusIdle, seshat.TransitionOptions{Actor: long}))
			},
		},
	},
	"Tenant.AcquireLease": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return second(sc.tenant.AcquireLease(ctx, id, "o", time.Hour))
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{
			"owner": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.AcquireLease(ctx, "s", "", time.Hour))
			},
			"ttl": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.AcquireLease(ctx, "s", "o", 0))
			},
			"ttl (long)": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.AcquireLease(ctx, "s", "o", 25*time.Hour))
			},
		},
	},
	"Tenant.RenewLease": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return second(sc.tenant.RenewLease(ctx, id, sc.lease(ctx, id), time.Hour))
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{
			"ttl": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.RenewLease(ctx, "s", 1, -1))
			},
		},
	},
	"Tenant.ReleaseLease": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return sc.tenant.ReleaseLease(ctx, id, sc.lease(ctx, id))
		},
		session: true,
	},
	"Tenant.Append": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return second(sc.tenant.Append(ctx, id, hello))
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{
			"messages": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.Append(ctx, "s"))
			},
			"messages[0].role": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.Append(ctx, "s", noRole))
			},
		},
	},
	"Tenant.AppendTurn": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return second(sc.tenant.AppendTurn(ctx, id, seshat.Turn{Messages: []seshat.Message{hello}}))
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{"messages": func(sc *Scene, ctx context.Context) error {
			return second(
				sc.tenant.AppendTurn(ctx, "s", seshat.Turn{Messages: make([]seshat.Message, seshat.MaxTurnMessages+1)}),
			)
		}},
	},
	"Tenant.History": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return second(sc.tenant.History(ctx, id, seshat.HistoryQuery{}))
		},
		session: true,
		refused: misusedHistories(func(sc *Scene, ctx context.Context, q seshat.HistoryQuery) error {
			return second(sc.tenant.History(ctx, "s", q))
		}, nil),
	},
	"Tenant.Messages": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return first(sc.tenant.Messages(ctx, id, seshat.HistoryQuery{}))
		},
		session: true,
		refused: misusedHistories(func(sc *Scene, ctx context.Context, q seshat.HistoryQuery) error {
			return first(sc.tenant.Messages(ctx, "s", q))
		}, map[string]seshat.HistoryQuery{
			"last (of an iteration)": {Last: 1},
			"token_budget":           {TokenBudget: 1},
		}),
	},
	"Tenant.EditMessage": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return second(sc.tenant.EditMessage(ctx, id, 1, func(*seshat.Message) error { return nil }))
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{
			"fn": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.EditMessage(ctx, "s", 1, nil))
			},
			"message.seq": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.EditMessage(ctx, "s", 1, func(m *seshat.Message) error {
					m.Seq = 2
					return nil
				}))
			},
		},
	},
	"Tenant.DeleteMessage": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return second(sc.tenant.DeleteMessage(ctx, id, 1))
		},
		session: true, ended: seshat.ErrReadOnly,
	},
	"Tenant.Truncate": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return second(sc.tenant.Truncate(ctx, id, 1))
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{"seq": func(sc *Scene, ctx context.Context) error {
			return second(sc.tenant.Truncate(ctx, "s", math.MaxUint64))
		}},
	},
	"Tenant.Summarize": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return second(sc.tenant.Summarize(ctx, id, seshat.Range{From: 1, To: 1}, hello))
		},
		session: true, ended: seshat.ErrReadOnly,
		refused: refusals{"range": func(sc *Scene, ctx context.Context) error {
			return second(sc.tenant.Summarize(ctx, "s", seshat.Range{From: 2, To: 1}, hello))
		}},
	},
	"Tenant.Fork": {
		call: func(sc *Scene, ctx context.Context, id string) error {
			return second(sc.tenant.Fork(ctx, id, seshat.ForkOptions{}))
		},
		session: true,
		refused: refusals{
			"seq": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.Fork(ctx, "s", seshat.ForkOptions{Seq: 99}))
			},
			"session_id": func(sc *Scene, ctx context.Context) error {
				return second(sc.tenant.Fork(ctx, "s", seshat.ForkOptions{ID: long}))
			},
		},
	},
	"Tenant.Restore": {
		call: func(sc *Scene, ctx context.Context, _ string) error {
			return second(sc.tenant.Restore(ctx, seshat.Snapshot{Session: sc.snapshot()}))
		},
		refused: misusedSnapshots(),
	},
}
