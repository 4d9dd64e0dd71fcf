package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/internal/fixture"
)

const storeName = "seshat.db"

// work is a list of calls that its seed determines. Step n is one call on a
// store that has made all steps before it. On any engine, the same step on the
// same state has the same result.
type work struct {
	seed  uint64
	kind  string // of small; grow, whose messages make the file grow; wide; sweep
	quiet bool   // compare without feeds: a step may have been made twice
	clock atomic.Int64
}

// step is one call.
type step struct {
	name      string
	resumable bool // made of several commits; a part of it can be done again
	do        func(ctx context.Context, t *seshat.Tenant) error
}

// dense reports whether steps follow more closely and use fewer sessions, so
// that more of them find a live session and write.
func (w *work) dense() bool { return w.kind == "wide" || w.kind == "sweep" }

// at sets the time of step n, which is later than that of the step before.
func (w *work) at(n int) {
	apart := 20 * time.Second
	if w.dense() {
		apart = 6 * time.Second
	}
	w.clock.Store(int64(n) * int64(apart))
}

func (w *work) now() time.Time {
	return time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC).Add(time.Duration(w.clock.Load()))
}

// options returns the options of a store for this work.
func (w *work) options() seshat.Options {
	return seshat.Options{Now: w.now, SweepEvery: seshat.Never, FeedEvents: 40, Lifecycle: seshat.Lifecycle{
		TTL: 8 * time.Minute, IdleAfter: 2 * time.Minute, ArchiveAfter: 2 * time.Minute, Retention: 3 * time.Minute,
	}}
}

// do makes step n.
func (w *work) do(ctx context.Context, s *seshat.Store, n int) error {
	w.at(n)
	t, err := s.EnsureTenant(ctx, seshat.Namespace{Name: "t"})
	if err != nil {
		return err
	}
	err = w.step(s, n).do(ctx, t)
	if isAnswer(err) {
		return nil
	}
	return err
}

// isAnswer reports whether err is a legitimate answer, not a failure: random
// calls also meet sessions that are gone or read-only.
func isAnswer(err error) bool {
	for _, e := range []error{
		seshat.ErrNotFound, seshat.ErrReadOnly, seshat.ErrExists, seshat.ErrTransition,
		seshat.ErrInvalid, errors.ErrUnsupported,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// dump returns as text everything that the store shows.
func (w *work) dump(ctx context.Context, s *seshat.Store, feeds bool) (string, error) {
	return fixture.Dump(ctx, s, fixture.DumpOptions{NoFeeds: !feeds})
}

// step returns step n.
func (w *work) step(s *seshat.Store, n int) step {
	r := rand.New(rand.NewPCG(w.seed, uint64(n)))
	ids := 8
	if w.dense() {
		ids = 4
	}
	id := fmt.Sprintf("s%d/ß", r.IntN(ids))
	user := fmt.Sprintf("u%d", r.IntN(3))
	kinds := []step{
		w.create(r, id, user), w.append(r, id, n), w.touch(id), w.update(r, id, n), w.merge(r, user, n),
		w.transition(r, id), w.truncate(r, id), w.remove(id), w.erase(user), w.sweep(s),
	}
	weights := []int{18, 34, 8, 8, 6, 8, 4, 4, 2, 8}
	if w.kind == "wide" {
		more, theirs := w.wider(r, s, id, n)
		kinds = append(kinds, more...)
		weights = append(weights, theirs...)
	}
	return choose(r, kinds, weights)
}

func (w *work) create(r *rand.Rand, id, user string) step {
	memory := map[string]any{"note": strings.Repeat("m", r.IntN(400))}
	return step{name: "create", do: func(ctx context.Context, t *seshat.Tenant) error {
		_, err := t.Create(ctx, seshat.NewSession{
			ID: id, UserID: user, UserMemory: memory, Labels: map[string]string{"of": user},
			State: map[string]any{"k": "begun"}, UserState: map[string]any{"last": id},
		})
		return err
	}}
}

func (w *work) append(r *rand.Rand, id string, n int) step {
	size := 10 + r.IntN(900)
	if long := map[string]int{"grow": 60_000, "sweep": 60_000, "wide": 12_000}[w.kind]; long > 0 && r.IntN(3) == 0 {
		size = long/3 + r.IntN(long)
	}
	var messages []seshat.Message
	for i := range 1 + r.IntN(3) {
		messages = append(messages, seshat.Message{
			ID: fmt.Sprintf("m%d-%d", n, i), Role: seshat.RoleUser,
			Content: strings.Repeat(string(rune('a'+n%26)), size), Tokens: 3,
		})
	}
	return step{name: "append", do: func(ctx context.Context, t *seshat.Tenant) error {
		_, err := t.AppendTurn(ctx, id,
			seshat.Turn{Messages: messages, State: map[string]any{"k": n}, NamespaceState: map[string]any{"turns": n}})
		return err
	}}
}

func (w *work) touch(id string) step {
	return step{name: "touch", do: func(ctx context.Context, t *seshat.Tenant) error {
		_, err := t.Touch(ctx, id)
		return err
	}}
}

func (w *work) update(r *rand.Rand, id string, n int) step {
	long := strings.Repeat("l", r.IntN(300))
	return step{name: "update", do: func(ctx context.Context, t *seshat.Tenant) error {
		_, err := t.Update(ctx, id, func(s *seshat.Session) error {
			s.Name = fmt.Sprint("name ", n)
			s.Labels = map[string]string{"long": long[:min(len(long), 128)]}
			s.Metadata = seshat.NewDocument(map[string]any{"n": n, "long": long})
			return nil
		}, seshat.UpdateOptions{})
		return err
	}}
}

func (w *work) merge(r *rand.Rand, user string, n int) step {
	key := fmt.Sprint("k", r.IntN(5))
	return step{name: "merge", do: func(ctx context.Context, t *seshat.Tenant) error {
		return t.MergeState(ctx, seshat.UserScope(user), map[string]any{key: n, "gone": nil})
	}}
}

func (w *work) transition(r *rand.Rand, id string) step {
	to := []seshat.Status{
		seshat.StatusActive, seshat.StatusIdle, seshat.StatusArchived,
		seshat.StatusTerminated,
	}[r.IntN(4)]
	return step{name: "transition", do: func(ctx context.Context, t *seshat.Tenant) error {
		_, err := t.Transition(ctx, id, to, seshat.TransitionOptions{Reason: "by chance", Actor: "test"})
		return err
	}}
}

func (w *work) truncate(r *rand.Rand, id string) step {
	seq := r.Uint64N(4)
	return step{name: "truncate", do: func(ctx context.Context, t *seshat.Tenant) error {
		_, err := t.Truncate(ctx, id, seq)
		return err
	}}
}

func (w *work) remove(id string) step {
	return step{name: "delete", do: func(ctx context.Context, t *seshat.Tenant) error {
		_, err := t.Delete(ctx, id)
		return err
	}}
}

func (w *work) erase(user string) step {
	return step{name: "erase", resumable: true, do: func(ctx context.Context, t *seshat.Tenant) error {
		_, err := t.DeleteUser(ctx, user)
		return err
	}}
}

func (w *work) sweep(s *seshat.Store) step {
	return step{name: "sweep", resumable: true, do: func(ctx context.Context, _ *seshat.Tenant) error {
		_, err := s.Sweep(ctx, seshat.SweepOptions{})
		return err
	}}
}
