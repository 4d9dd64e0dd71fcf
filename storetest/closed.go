package storetest

import (
	"context"
	"errors"
	"sync"

	"github.com/seshatdb/seshat"
)

var closed = []promise{
	{name: "a closed store says so", test: closedStore},
	{name: "close may be called again, and at once", test: closeTwice},
	{name: "close lets running calls finish", test: closeWaits},
	{name: "a cancelled context does nothing", test: cancelled},
}

// callAll makes every call on the store, a namespace or a list, and returns
// the errors. The calls on one session are in onSession.
func (e *env) callAll(ctx context.Context, t *seshat.Tenant) map[string]error {
	m := map[string]error{
		"CreateTenant": second(e.CreateTenant(ctx, seshat.Namespace{Name: "new"})),
		"EnsureTenant": second(e.EnsureTenant(ctx, seshat.Namespace{Name: "new"})),
		"Tenant":       second(e.Tenant(ctx, seshat.Namespace{Name: "t"})),
		"Sweep":        second(e.Sweep(ctx, seshat.SweepOptions{})),
		"dry run":      second(e.Sweep(ctx, seshat.SweepOptions{DryRun: true})),
		"Stats":        second(e.Stats(ctx)),
		"Check":        second(e.Check(ctx)),
		"Create":       second(t.Create(ctx, seshat.NewSession{})),
		"List":         second(t.List(ctx, seshat.Query{})),
		"Count":        second(t.Count(ctx, seshat.Query{})),
		"Usage":        second(t.Usage(ctx)),
		"Namespace":    second(t.Namespace(ctx)),
		"Rename":       t.Rename(ctx, "new"),
		"SetLifecycle": t.SetLifecycle(ctx, seshat.Lifecycle{}),
		"SetQuotas":    t.SetQuotas(ctx, seshat.NamespaceQuotas{}),
		"DeleteUser":   second(t.DeleteUser(ctx, "mia")),

		"DeleteNamespace": second(t.DeleteNamespace(ctx)),
	}
	_, _, m["Ensure"] = t.Ensure(ctx, seshat.NewSession{ID: "s"})
	for _, m["Namespaces"] = range e.Namespaces(ctx, "") {
		break
	}
	for _, m["AllNamespaces"] = range e.AllNamespaces(ctx) {
		break
	}
	for _, m["Sessions"] = range t.Sessions(ctx, seshat.Query{}) {
		break
	}
	for name, call := range onSession {
		m[name] = call(ctx, t, "s")
	}
	return m
}

func closedStore(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", UserID: "mia"})
	e.must(e.Close())
	for name, err := range e.callAll(e.ctx, t) {
		if !errors.Is(err, seshat.ErrClosed) {
			e.Errorf("%s on a closed store: got error %v, want %v", name, err, seshat.ErrClosed)
		}
	}
}

func closeTwice(e *env) {
	race(func(int) {
		if err := e.Close(); err != nil {
			e.Error(err)
		}
	})
	e.must(e.Close())
}

// closeWaits closes the store while many calls run. Each call succeeds or
// returns ErrClosed.
func closeWaits(e *env) {
	t := e.tenant("t")
	var mu sync.Mutex // guards acked
	acked := map[string]bool{}
	race(func(n int) {
		for i := range 20 {
			if n == 0 && i == 5 {
				if err := e.Close(); err != nil {
					e.Error(err)
				}
				return
			}
			s, err := t.Create(e.ctx, seshat.NewSession{})
			switch {
			case err == nil:
				mu.Lock()
				acked[s.ID] = true
				mu.Unlock()
			case !errors.Is(err, seshat.ErrClosed):
				e.Error(err)
			}
		}
	})
	if e.h.Reopen == nil {
		return
	}
	e.Store = e.h.Reopen(e.T, e.Store, e.o)
	t = e.tenant("t")
	for id := range acked {
		e.get(t, id)
	}
	equal(e, "sessions", e.count(t, seshat.Query{}), uint64(len(acked)))
}

func cancelled(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", UserID: "mia"})
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	before := e.state(t)
	for name, err := range e.callAll(ctx, t) {
		if !errors.Is(err, context.Canceled) {
			e.Errorf("%s with a cancelled context: got error %v, want %v", name, err, context.Canceled)
		}
	}
	equal(e, "state", e.state(t), before)
}
