package meta

import (
	"context"
	"fmt"
	"time"

	"github.com/seshatdb/seshat"
)

type session = *seshat.Session

func update(c chance, n int) op {
	id := c.id()
	label := c.user()
	return on("update", true, func(ctx context.Context, t *seshat.Tenant) (session, error) {
		return t.Update(ctx, id, func(s *seshat.Session) error {
			s.Name, s.Labels, s.Metadata = fmt.Sprint("name ", n), map[string]string{"of": label},
				seshat.NewDocument(map[string]any{"n": n})
			return nil
		}, seshat.UpdateOptions{})
	})
}

func stale(c chance, _ int) op {
	id := c.id()
	version := 1 + c.Uint64N(4)
	return on("stale update", true, func(ctx context.Context, t *seshat.Tenant) (session, error) {
		return t.Update(ctx, id, func(s *seshat.Session) error { s.Name = "conditional"; return nil },
			seshat.UpdateOptions{IfVersion: version})
	})
}

func touch(c chance, _ int) op {
	id := c.id()
	return on("touch", true, func(ctx context.Context, t *seshat.Tenant) (session, error) { return t.Touch(ctx, id) })
}

func transition(c chance, _ int) op {
	id := c.id()
	to := seshat.Status(1 + c.IntN(4))
	return on("transition", true, func(ctx context.Context, t *seshat.Tenant) (session, error) {
		return t.Transition(ctx, id, to, seshat.TransitionOptions{Reason: "by chance", Actor: "test"})
	})
}

func scope(c chance) seshat.Scope {
	return []seshat.Scope{seshat.SessionScope(c.id()), seshat.UserScope(c.user()), seshat.NamespaceScope()}[c.IntN(3)]
}

func merge(c chance, n int) op {
	in := scope(c)
	delta := map[string]any{fmt.Sprint("k", c.IntN(5)): n, "gone": nil}
	return on("merge", true,
		func(ctx context.Context, t *seshat.Tenant) (any, error) { return nil, t.MergeState(ctx, in, delta) })
}

func state(c chance, _ int) op {
	in := scope(c)
	return on("state", true,
		func(ctx context.Context, t *seshat.Tenant) (map[string]any, error) { return t.State(ctx, in) })
}

func stateAt(c chance, _ int) op {
	id := c.id()
	seq := c.Uint64N(9)
	return on("state at", false,
		func(ctx context.Context, t *seshat.Tenant) (map[string]any, error) { return t.StateAt(ctx, id, seq) })
}

func truncate(c chance, _ int) op {
	id := c.id()
	seq := c.Uint64N(9)
	return on("truncate", true,
		func(ctx context.Context, t *seshat.Tenant) (uint64, error) { return t.Truncate(ctx, id, seq) })
}

func deleteMessage(c chance, _ int) op {
	id := c.id()
	seq := 1 + c.Uint64N(6)
	return on("delete message", true,
		func(ctx context.Context, t *seshat.Tenant) (session, error) { return t.DeleteMessage(ctx, id, seq) })
}

func editMessage(c chance, n int) op {
	id := c.id()
	seq := 1 + c.Uint64N(6)
	return on("edit message", true, func(ctx context.Context, t *seshat.Tenant) (seshat.Message, error) {
		return t.EditMessage(ctx, id, seq,
			func(m *seshat.Message) error { m.Content = fmt.Sprint("edited ", n); return nil })
	})
}

func summarize(c chance, _ int) op {
	id := c.id()
	from := 1 + c.Uint64N(4)
	r := seshat.Range{From: from, To: from + c.Uint64N(3)}
	return on("summarize", true, func(ctx context.Context, t *seshat.Tenant) (session, error) {
		return t.Summarize(ctx, id, r, seshat.Message{Role: seshat.RoleSystem, Content: "in short"})
	})
}

func fork(c chance, _ int) op {
	id := c.id()
	f := seshat.ForkOptions{ID: c.id(), Seq: c.Uint64N(5)}
	return on("fork", true, func(ctx context.Context, t *seshat.Tenant) (session, error) { return t.Fork(ctx, id, f) })
}

func lease(c chance, _ int) op {
	id := c.id()
	owner := c.user()
	token := c.Uint64N(4)
	return on("lease", false, func(ctx context.Context, t *seshat.Tenant) (any, error) {
		if token > 0 {
			return nil, t.ReleaseLease(ctx, id, token)
		}
		return t.AcquireLease(ctx, id, owner, time.Minute)
	})
}

func events(c chance, _ int) op {
	since := c.Uint64N(30)
	return on("events", false, func(ctx context.Context, t *seshat.Tenant) ([]seshat.Event, error) {
		all, _, err := t.Events(ctx, since, 20)
		return all, err
	})
}

// sweep answers with the parts of a report that are the same for every engine.
func sweep(chance, int) op {
	return op{"sweep", false, func(ctx context.Context, s *seshat.Store, _ *seshat.Tenant) (any, error) {
		r, err := s.Sweep(ctx, seshat.SweepOptions{})
		return []int{r.Expired, r.Idled, r.Archived, r.Failed}, err
	}}
}

func policy(c chance, _ int) op {
	l := seshat.Lifecycle{TTL: time.Duration(4+c.IntN(8)) * time.Minute, IdleAfter: 2 * time.Minute}
	return on("policy", false, func(ctx context.Context, t *seshat.Tenant) (seshat.PolicyReport, error) {
		if err := t.SetLifecycle(ctx, l); err != nil {
			return seshat.PolicyReport{}, err
		}
		return t.ApplyPolicy(ctx)
	})
}

func quotas(c chance, _ int) op {
	q := seshat.NamespaceQuotas{MaxSessions: c.Uint64N(2) * 5, MaxMessages: c.Uint64N(2) * 60}
	return on("quotas", true,
		func(ctx context.Context, t *seshat.Tenant) (any, error) { return nil, t.SetQuotas(ctx, q) })
}

func remove(c chance, _ int) op {
	id := c.id()
	return on("delete", false,
		func(ctx context.Context, t *seshat.Tenant) (seshat.EraseReport, error) { return t.Delete(ctx, id) })
}

// removeUser answers without counts, because they may include expired sessions
// that were not swept.
func removeUser(c chance, _ int) op {
	user := c.user()
	return on("delete user", true, func(ctx context.Context, t *seshat.Tenant) (any, error) {
		_, err := t.DeleteUser(ctx, user)
		return nil, err
	})
}

func removeNamespace(chance, int) op {
	return on("delete namespace", true, func(ctx context.Context, t *seshat.Tenant) (any, error) {
		_, err := t.DeleteNamespace(ctx)
		return nil, err
	})
}
