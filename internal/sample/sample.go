// Package sample fills stores for tests with a little of everything that a
// store can keep.
package sample

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/transfer"
)

// Fill makes namespaces with n sessions and more: keys, states, leases, forks,
// edited and shortened logs, sessions of each status, some that are gone, and
// what is left of an erased user.
func Fill(ctx context.Context, s *seshat.Store, n int) error {
	if _, _, err := s.CreateKey(ctx, seshat.APIKey{Name: "ci", ReadOnly: true}); err != nil {
		return err
	}
	for _, ns := range []seshat.Namespace{
		{Name: "acme", Quotas: seshat.NamespaceQuotas{MaxSessions: 1 << 20}},
		{Name: "ünïcode/ ", InternalID: "int_other", Lifecycle: seshat.Lifecycle{TTL: seshat.Never}},
		{Name: "empty"},
	} {
		t, err := s.CreateTenant(ctx, ns)
		if err != nil {
			return err
		}
		if ns.Name == "empty" {
			continue
		}
		if err := errors.Join(chats(ctx, t, n), oddities(ctx, t), gone(ctx, t)); err != nil {
			return err
		}
	}
	return nil
}

// chats makes n plain sessions of some users.
func chats(ctx context.Context, t *seshat.Tenant, n int) error {
	for i := range n {
		id := fmt.Sprintf("chat %04d", i)
		_, err := t.Create(ctx, seshat.NewSession{
			ID: id, User: fmt.Sprintf("user %d", i%7), Labels: map[string]string{"shard": fmt.Sprint(i % 3)},
			Agent: seshat.AgentConfig{Model: "m", SystemPrompt: "Be brief."}, State: map[string]any{"step": int64(i)},
		})
		if err != nil {
			return err
		}
		for range 1 + i%3 {
			turn := []seshat.Message{{Role: seshat.User, Content: "What now?"}, {Role: seshat.Assistant, Content: "This, then that."}}
			if _, err := t.Append(ctx, id, turn...); err != nil {
				return err
			}
		}
	}
	return nil
}

// oddities makes what is not plain.
func oddities(ctx context.Context, t *seshat.Tenant) error {
	steps := []func() error{
		func() error { return t.MergeState(ctx, seshat.NamespaceState(), map[string]any{"rate": 2.5}) },
		func() error { return t.MergeState(ctx, seshat.UserState("no session"), map[string]any{"a": []byte{0}}) },
		func() error {
			return second(t.Create(ctx, seshat.NewSession{ID: "odd", User: "日本", Lifecycle: seshat.Lifecycle{TTL: time.Hour}}))
		},
		func() error {
			for i := range 12 {
				m := seshat.Message{ID: fmt.Sprintf("odd %d", i), Role: seshat.User, Content: fmt.Sprint(i)}
				if _, err := t.Append(ctx, "odd", m); err != nil {
					return err
				}
			}
			return nil
		},
		func() error { return second(t.DeleteMessage(ctx, "odd", 2)) },
		func() error { return second(t.Truncate(ctx, "odd", 10)) },
		func() error {
			return second(t.Summarize(ctx, "odd", seshat.Range{From: 4, To: 6}, seshat.Message{Role: seshat.System, Content: "…"}))
		},
		func() error { return second(t.Fork(ctx, "odd", seshat.Fork{ID: "fork", Seq: 3})) },
		func() error { return second(t.AcquireLease(ctx, "odd", "worker", time.Hour)) },
		func() error { return second(t.Create(ctx, seshat.NewSession{ID: "archived"})) },
		func() error {
			return second(t.Transition(ctx, "archived", seshat.Archived, seshat.Because("done", "mia")))
		},
		func() error { return second(t.Transition(ctx, "fork", seshat.Terminated)) },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("oddity %d: %w", i, err)
		}
	}
	return nil
}

// gone makes sessions that are there no more: one whose id is used again, one
// that expired, and those of a user that was erased.
func gone(ctx context.Context, t *seshat.Tenant) error {
	for i := range 2 {
		if _, err := t.Create(ctx, seshat.NewSession{ID: "reused"}); err != nil {
			return err
		}
		if _, err := t.Append(ctx, "reused", seshat.Message{ID: "same", Role: seshat.User, Content: "again"}); err != nil {
			return err
		}
		if i > 0 {
			break
		}
		if _, err := t.Delete(ctx, "reused"); err != nil {
			return err
		}
	}
	if err := expired(ctx, t); err != nil {
		return err
	}
	if _, err := t.Create(ctx, seshat.NewSession{ID: "erased", User: "erased", State: map[string]any{"a": 1.0}}); err != nil {
		return err
	}
	return second(t.DeleteUser(ctx, "erased"))
}

// expired makes a session and waits until it is gone.
func expired(ctx context.Context, t *seshat.Tenant) error {
	_, err := t.Create(ctx, seshat.NewSession{ID: "expired", Lifecycle: seshat.Lifecycle{TTL: time.Millisecond}})
	for err == nil {
		_, err = t.Get(ctx, "expired")
	}
	if errors.Is(err, seshat.ErrNotFound) {
		return nil
	}
	return err
}

func second[T any](_ T, err error) error { return err }

// conversations lie beside the project, not in it.
const conversations = "../../shared/data/airline-sessions.jsonl"

// Conversations reads real conversations into a namespace of their own, for
// tests in directories right below the project's. fs.ErrNotExist: they are not
// here.
func Conversations(ctx context.Context, s *seshat.Store) (transfer.Report, error) {
	data, err := os.ReadFile(filepath.FromSlash(conversations))
	if err != nil {
		return transfer.Report{}, err
	}
	t, err := s.EnsureTenant(ctx, seshat.Namespace{Name: "airline"})
	if err != nil {
		return transfer.Report{}, err
	}
	return transfer.ImportOpenAI(ctx, t, bytes.NewReader(data), transfer.Options{})
}
