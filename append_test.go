package seshat_test

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

func after(n uint64, id string) seshat.Turn {
	m := seshat.Message{ID: id, Role: seshat.RoleUser, Content: id}
	return seshat.Turn{Messages: []seshat.Message{m}, IfLastSeq: &n, State: map[string]any{"by": id}}
}

func TestAppendAfterRefusesWhoMissedAMessage(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store) {
		tenant := s.MustTenant(t, "t")
		ctx := context.Background()
		seshattest.MustCreate(t, tenant, seshat.NewSession{ID: "s"})
		for n, id := range []string{"a", "b"} {
			if _, err := tenant.AppendTurn(ctx, "s", after(uint64(n), id)); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range []uint64{0, 1, 3} {
			_, err := tenant.AppendTurn(ctx, "s", after(n, "c"))
			var conflict *seshat.ConflictError
			if !errors.As(err, &conflict) || *conflict != (seshat.ConflictError{Have: n, Stored: 2}) {
				t.Fatalf("after %d: got error %v", n, err)
			}
		}
		wantLog(t, tenant, 2, "b")
		a, err := tenant.AppendTurn(ctx, "s", after(0, "a"))
		if err != nil || !a.Repeated || a.First != 1 {
			t.Fatalf("a repeated turn: got %+v, error %v", a, err)
		}
		wantLog(t, tenant, 2, "b")
	})
}

func wantLog(t *testing.T, tenant *seshat.Tenant, last uint64, by string) {
	t.Helper()
	s, err := tenant.Get(context.Background(), "s")
	if err != nil || s.LastSeq != last || s.MessageCount != last {
		t.Fatalf("got %v, last %d, error %v; want %d messages", s, s.LastSeq, err, last)
	}
	state, err := tenant.State(context.Background(), seshat.SessionScope("s"))
	if err != nil || state["by"] != by {
		t.Fatalf("got state %v, error %v; want %q", state, err, by)
	}
}

func TestAppendAfterHasOneWinner(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store) {
		tenant := s.MustTenant(t, "t")
		seshattest.MustCreate(t, tenant, seshat.NewSession{ID: "s"})
		var won, lost atomic.Int64
		var wg sync.WaitGroup
		for n := range 8 {
			wg.Go(func() {
				_, err := tenant.AppendTurn(context.Background(), "s", after(0, string(rune('a'+n))))
				switch {
				case err == nil:
					won.Add(1)
				case errors.Is(err, seshat.ErrConflict):
					lost.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() != 7 {
			t.Fatalf("got %d winners and %d conflicts, want 1 and 7", won.Load(), lost.Load())
		}
	})
}

func TestAppendToALifeThatEndedFindsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store) {
		tenant := s.MustTenant(t, "t")
		ctx := context.Background()
		old := seshattest.MustCreate(t, tenant, seshat.NewSession{ID: "s"})
		turn := seshat.Turn{Messages: []seshat.Message{{Role: seshat.RoleUser, Content: "hi"}}, IfSession: old}
		if _, err := tenant.AppendTurn(ctx, "s", turn); err != nil {
			t.Fatal(err)
		}
		if _, err := tenant.Delete(ctx, "s"); err != nil {
			t.Fatal(err)
		}
		seshattest.MustCreate(t, tenant, seshat.NewSession{ID: "s"})
		if _, err := tenant.AppendTurn(ctx, "s", turn); !errors.Is(err, seshat.ErrNotFound) {
			t.Fatalf("got error %v, want ErrNotFound", err)
		}
		if s, err := tenant.Get(ctx, "s"); err != nil || s.LastSeq != 0 {
			t.Fatalf("got %v, error %v; want an empty session", s, err)
		}
	})
}

func TestCreateMergesSharedStateWithTheSessionOrNotAtAll(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store) {
		tenant := s.MustTenant(t, "t")
		ctx := context.Background()
		n := seshat.NewSession{
			ID: "s", UserID: "mia", State: map[string]any{"k": "session"},
			UserState: map[string]any{"k": "user"}, NamespaceState: map[string]any{"k": "namespace"},
		}
		if _, err := tenant.Create(ctx, n); err != nil {
			t.Fatal(err)
		}
		n.UserState = map[string]any{"k": 2}
		n.NamespaceState = map[string]any{"k": 2}
		if _, err := tenant.Create(ctx, n); !errors.Is(err, seshat.ErrExists) {
			t.Fatalf("got error %v, want ErrExists", err)
		}
		n.ID = "alone"
		n.UserID = ""
		if _, err := tenant.Create(ctx, n); !errors.Is(err, seshat.ErrInvalid) {
			t.Fatalf("got error %v, want ErrInvalid", err)
		}
		for want, scope := range map[string]seshat.Scope{
			"session": seshat.SessionScope("s"), "user": seshat.UserScope("mia"), "namespace": seshat.NamespaceScope(),
		} {
			got, err := tenant.State(ctx, scope)
			if err != nil || !reflect.DeepEqual(got, map[string]any{"k": want}) {
				t.Errorf("state of the %s: got %v, error %v", want, got, err)
			}
		}
	})
}
