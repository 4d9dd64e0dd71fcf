// Package backup copies a store during writes. Each copy must be complete, have
// all writes that were acknowledged before it began, and show the store after
// one commit: replaying its change feed gives exactly its sessions.
package backup

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/seshatdb/seshat"
)

const (
	writers  = 4
	sessions = 6 // per writer
)

// load writes to a store until it is stopped.
type load struct {
	t     *seshat.Tenant
	stop  atomic.Bool
	done  sync.WaitGroup
	calls atomic.Int64
	acked [writers]atomic.Uint64 // acknowledged turns of each writer's log
	begun [writers]atomic.Uint64 // begun turns of each writer's log
	errs  [writers]error
}

func startLoad(ctx context.Context, s *seshat.Store, seed uint64) (*load, error) {
	t, err := s.EnsureTenant(ctx, seshat.Namespace{Name: "t"})
	if err != nil {
		return nil, err
	}
	l := &load{t: t}
	for w := range writers {
		if _, err := t.Create(ctx, seshat.NewSession{ID: logOf(w)}); err != nil {
			return nil, err
		}
		l.done.Go(func() { l.errs[w] = l.write(ctx, w, rand.New(rand.NewPCG(seed, uint64(w)))) })
	}
	return l, nil
}

func logOf(w int) string { return fmt.Sprintf("log of %d", w) }

// write appends to the writer's log and sometimes changes other sessions of the
// writer.
func (l *load) write(ctx context.Context, w int, r *rand.Rand) error {
	for !l.stop.Load() {
		l.begun[w].Add(1)
		content := strings.Repeat("w", r.IntN(800))
		s, err := l.t.Append(ctx, logOf(w), seshat.Message{Role: seshat.RoleUser, Content: content})
		if err != nil {
			return err
		}
		l.acked[w].Store(s.LastSeq)
		if err := l.other(ctx, fmt.Sprintf("%d of %d", r.IntN(sessions), w), r); err != nil {
			return err
		}
		l.calls.Add(2)
	}
	return nil
}

// other changes a session that may or may not exist.
func (l *load) other(ctx context.Context, id string, r *rand.Rand) (err error) {
	switch r.IntN(6) {
	case 0:
		_, err = l.t.Delete(ctx, id)
	case 1:
		_, err = l.t.Transition(ctx, id, seshat.StatusIdle, seshat.TransitionOptions{})
	case 2:
		_, err = l.t.Append(ctx, id,
			seshat.Message{Role: seshat.RoleAssistant, Content: strings.Repeat("a", r.IntN(3000))})
	case 3:
		_, err = l.t.Update(ctx, id, func(s *seshat.Session) error { s.Name = fmt.Sprint(r.Uint64()); return nil },
			seshat.UpdateOptions{})
	default:
		_, _, err = l.t.Ensure(ctx, seshat.NewSession{ID: id, UserMemory: map[string]any{"n": r.IntN(9)}})
	}
	if errors.Is(err, seshat.ErrNotFound) {
		return nil
	}
	return err
}

// end stops the writers.
func (l *load) end() error {
	l.stop.Store(true)
	l.done.Wait()
	return errors.Join(l.errs[:]...)
}
