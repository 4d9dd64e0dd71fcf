package postgres_test

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/drivertest"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/postgres/internal/pgserver"
	"github.com/seshatdb/seshat/storetest"
)

// pooled returns a pooler by transaction before the server that is started
// here, with fewer connections than its clients.
func pooled(t *testing.T) *pgserver.Pooler {
	t.Helper()
	if os.Getenv("SESHAT_TEST_POSTGRES") != "" {
		t.Skip("SKIPPED: the pooler is for a server that is started here")
	}
	p, err := pgserver.NewPooler(quick(t).Addr(), 4)
	if errors.Is(err, pgserver.ErrMissing) {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// by is how drivers reach the database through a pooler.
func by(p *pgserver.Pooler) func(testing.TB) string {
	return func(testing.TB) string { return p.DSN() }
}

// TestPooledConformance proves that the driver keeps every promise of the seam
// through a pooler by transaction.
func TestPooledConformance(t *testing.T) {
	t.Parallel()
	drivertest.Run(t, harnessBy(postgres.Options{}, by(pooled(t))))
}

// TestPooledStore takes a minute more than it proves on most days.
func TestPooledStore(t *testing.T) {
	if os.Getenv("SESHAT_TEST_LONG") == "" {
		t.Skip("set SESHAT_TEST_LONG to run it")
	}
	t.Parallel()
	storetest.Run(t, storesBy(postgres.Options{}, by(pooled(t))))
}

// TestPoolerKilled kills the pooler again and again while writers go on, and
// starts it again: what they did happened once.
func TestPoolerKilled(t *testing.T) {
	p := pooled(t)
	dsn, name := database(t), schemas.Get(t, database(t), 0)
	store := storeOn(t, p.DSN(), postgres.Options{Schema: name, MaxConns: 8})
	tenant, err := store.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	const writers = 8
	rounds := scaled(40, 400)
	var unknown atomic.Int64
	var done sync.WaitGroup
	for i := range writers {
		done.Add(1)
		go func() {
			defer done.Done()
			w := cutWriter{t: t, tenant: tenant, id: fmt.Sprintf("w%d", i), unknown: &unknown}
			w.run(rounds)
		}()
	}
	kills := killWhile(t, p, store.Driver().(driver.Statser), &done)
	t.Logf("%d kills, %d commits of unknown outcome", kills, unknown.Load())
	if kills < 3 {
		t.Errorf("only %d kills", kills)
	}
	audit(t, open(t, dsn, postgres.Options{Schema: name}))
}

// killWhile kills and starts the pooler after each so many commits, until the
// work is done.
func killWhile(t *testing.T, p *pgserver.Pooler, d driver.Statser, work *sync.WaitGroup) (kills int) {
	t.Helper()
	ended := make(chan struct{})
	go func() { work.Wait(); close(ended) }()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for next := uint64(50); ; {
		select {
		case <-ended:
			return kills
		case <-look.C:
		}
		if d.Stats().Commits < next {
			continue
		}
		if err := errors.Join(p.Kill(), p.Start()); err != nil {
			t.Error(err)
			return kills
		}
		kills++
		next = d.Stats().Commits + 50
	}
}
