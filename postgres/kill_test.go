package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

// started returns a server of the test's own.
func started(t *testing.T, set ...string) *pgserver.Server {
	t.Helper()
	s, err := pgserver.New(set...)
	if errors.Is(err, pgserver.ErrMissing) {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ledger remembers what was acknowledged, and when.
type ledger struct {
	mu    sync.Mutex // guards all
	acked map[string]int
	n     int
	last  time.Time
	gap   time.Duration
}

func (l *ledger) ack(session string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !l.last.IsZero() {
		l.gap = max(l.gap, now.Sub(l.last))
	}
	l.last = now
	l.acked[session]++
	l.n++
	return l.n
}

// writeOn appends to sessions from so many goroutines until enough was
// acknowledged, whatever fails meanwhile, and calls halfway in the middle.
func (l *ledger) writeOn(t *testing.T, tenant *seshat.Tenant, writers, enough int, halfway func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var done sync.WaitGroup
	var half sync.Once
	for i := range writers {
		done.Add(1)
		go func() {
			defer done.Done()
			id := fmt.Sprintf("w%d", i)
			for n := 0; ; {
				message := seshat.Message{ID: fmt.Sprint(n), Role: seshat.RoleUser, Content: "x"}
				if _, err := tenant.Append(ctx, id, message); err != nil {
					if ctx.Err() != nil {
						t.Error(err)
						return
					}
					continue
				}
				n++
				all := l.ack(id)
				if all >= enough {
					return
				}
				if all >= enough/2 {
					half.Do(halfway)
				}
			}
		}()
	}
	done.Wait()
}

// complete expects each acknowledged message once.
func (l *ledger) complete(t *testing.T, tenant *seshat.Tenant) {
	t.Helper()
	for id, acked := range l.acked {
		s, err := tenant.Get(t.Context(), id)
		if err != nil {
			t.Errorf("session %s: %v", id, err)
			continue
		}
		// The last call may have had no answer.
		if got := int(s.MessageCount); got < acked || got > acked+1 {
			t.Errorf("session %s has %d messages, %d were acknowledged", id, got, acked)
		}
	}
}

// prepare makes the sessions that writeOn appends to.
func prepare(t *testing.T, store *seshat.Store, writers int) (*seshat.Tenant, *ledger) {
	t.Helper()
	tenant, err := store.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{acked: map[string]int{}}
	for i := range writers {
		if _, err := tenant.Create(t.Context(), seshat.NewSession{ID: fmt.Sprintf("w%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	return tenant, l
}

// TestKilled kills a server, with all that waits for it, and starts it again:
// what was acknowledged is there, and all that is kept twice agrees.
func TestKilled(t *testing.T) {
	server := started(t)
	d := open(t, server.DSN(), postgres.Options{})
	store, err := seshat.OpenDriver(d, seshat.Options{SweepEvery: seshat.Never})
	if err != nil {
		t.Fatal(err)
	}
	const writers = 16
	tenant, l := prepare(t, store, writers)
	l.writeOn(t, tenant, writers, scaled(400, 10_000), func() {
		if err := errors.Join(server.Kill(), server.Start()); err != nil {
			t.Error(err)
		}
	})
	t.Logf("%d acknowledged, longest gap %v", l.n, l.gap)
	l.complete(t, tenant)
	audit(t, d)
}
