package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/seshatdb/seshat"
)

// wider returns steps that few programs make often: copies, imports, edits of
// the log, large records, and changes of the whole file.
func (w *work) wider(r *rand.Rand, s *seshat.Store, id string, n int) ([]step, []int) {
	copied := fmt.Sprintf("c%d", r.IntN(4))
	return []step{
		fork(id, copied), restored(id, copied), w.edit(r, id, n), w.forget(r, id), w.summarize(r, id),
		w.large(r, id, n),
		w.remove(copied), compact(s), eraseNamespace(),
	}, []int{9, 9, 6, 4, 4, 9, 5, 5, 1}
}

func fork(id, to string) step {
	return step{name: "fork", do: func(ctx context.Context, t *seshat.Tenant) error {
		_, err := t.Fork(ctx, id, seshat.ForkOptions{ID: to})
		return err
	}}
}

// restored imports a copy of a session, whose log is staged first.
func restored(id, to string) step {
	return step{name: "restore", do: func(ctx context.Context, t *seshat.Tenant) error {
		s, err := t.Get(ctx, id)
		if err != nil {
			return err
		}
		state, err := t.State(ctx, seshat.SessionScope(id))
		if err != nil {
			return err
		}
		s.ID = to
		_, err = t.Restore(ctx, seshat.Snapshot{
			Session: s, State: state,
			Messages: t.Messages(ctx, id, seshat.HistoryQuery{}),
		})
		return err
	}}
}

func (w *work) edit(r *rand.Rand, id string, n int) step {
	seq := 1 + r.Uint64N(3)
	return step{name: "edit", do: func(ctx context.Context, t *seshat.Tenant) error {
		_, err := t.EditMessage(ctx, id, seq, func(m *seshat.Message) error {
			m.Content = fmt.Sprint("edited by ", n)
			return nil
		})
		return err
	}}
}

func (w *work) forget(r *rand.Rand, id string) step {
	seq := 1 + r.Uint64N(3)
	return step{name: "delete message", do: func(ctx context.Context, t *seshat.Tenant) error {
		_, err := t.DeleteMessage(ctx, id, seq)
		return err
	}}
}

func (w *work) summarize(r *rand.Rand, id string) step {
	to := 2 + r.Uint64N(4)
	return step{name: "summarize", do: func(ctx context.Context, t *seshat.Tenant) error {
		_, err := t.Summarize(ctx, id, seshat.Range{From: 1, To: to},
			seshat.Message{Role: seshat.RoleSystem, Content: "all that"})
		return err
	}}
}

// large makes a record longer than a page, so that the engine moves and splits
// it.
func (w *work) large(r *rand.Rand, id string, n int) step {
	long := strings.Repeat(string(rune('A'+n%26)), 3_000+r.IntN(12_000))
	return step{name: "large", do: func(ctx context.Context, t *seshat.Tenant) error {
		_, err := t.Update(ctx, id, func(s *seshat.Session) error {
			s.Metadata = seshat.NewDocument(map[string]any{"n": n, "long": long})
			return nil
		}, seshat.UpdateOptions{})
		return err
	}}
}

// compact replaces the file and leaves the content. On a store in memory it
// does nothing.
func compact(s *seshat.Store) step {
	return step{name: "compact", do: func(ctx context.Context, _ *seshat.Tenant) error {
		_, _, err := s.Compact(ctx)
		return err
	}}
}

func eraseNamespace() step {
	return step{name: "erase namespace", resumable: true, do: func(ctx context.Context, t *seshat.Tenant) error {
		_, err := t.DeleteNamespace(ctx)
		return err
	}}
}

// choose returns one of the steps at random.
func choose(r *rand.Rand, steps []step, weights []int) step {
	total := 0
	for _, weight := range weights {
		total += weight
	}
	x := r.IntN(total)
	i := slices.IndexFunc(weights, func(weight int) bool { x -= weight; return x < 0 })
	return steps[i]
}
