package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

// quorum starts a primary with two standbys, of which any one must have a
// commit before it is acknowledged.
func quorum(t *testing.T, ctx context.Context) (primary *pgserver.Server, standbys [2]*pgserver.Server) {
	t.Helper()
	primary = started(t, "wal_level=replica", "shared_buffers=32MB", "hot_standby=on")
	for i := range standbys {
		s, err := primary.Standby(fmt.Sprintf("p%d", i+2))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		})
		standbys[i] = s
	}
	err := errors.Join(
		primary.Do(ctx, `alter system set synchronous_standby_names = 'ANY 1 (p2, p3)'`),
		primary.Do(ctx, `select pg_reload_conf()`),
		primary.Until(ctx, `select count(*)::text from pg_stat_replication where sync_state = 'quorum'`, "2"),
	)
	if err != nil {
		t.Fatal(err)
	}
	return primary, standbys
}

// TestPromoted kills a primary and promotes the standby that has most. Writers
// go on there by a DSN that names all, and what was acknowledged is there.
func TestPromoted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	primary, standbys := quorum(t, ctx)
	const parameters = "sslmode=disable&target_session_attrs=read-write&connect_timeout=5"
	dsn := fmt.Sprintf("postgres://seshat@%s,%s,%s/postgres?"+parameters,
		primary.Addr(), standbys[0].Addr(), standbys[1].Addr())
	d := open(t, dsn, postgres.Options{})
	store, err := seshat.OpenDriver(d, seshat.Options{SweepEvery: seshat.Never})
	if err != nil {
		t.Fatal(err)
	}
	const writers = 16
	tenant, l := prepare(t, store, writers)
	l.writeOn(t, tenant, writers, scaled(300, 5_000), func() {
		if err := primary.Kill(); err != nil {
			t.Error(err)
		}
		best, err := pgserver.Best(ctx, standbys[:]...)
		if err != nil {
			t.Error(err)
			return
		}
		if err := best.Do(ctx, `select pg_promote()`); err != nil {
			t.Error(err)
		}
	})
	t.Logf("%d acknowledged, longest gap %v", l.n, l.gap)
	l.complete(t, tenant)
	audit(t, d)
}

// TestNoQuorum proves that a commit for which no standby is left ends at the
// call's deadline, and is of unknown outcome.
func TestNoQuorum(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	primary := started(t)
	d := open(t, primary.DSN(), postgres.Options{})
	store, err := seshat.OpenDriver(d, seshat.Options{SweepEvery: seshat.Never})
	if err != nil {
		t.Fatal(err)
	}
	tenant, _ := prepare(t, store, 1)
	err = errors.Join(
		primary.Do(ctx, `alter system set synchronous_standby_names = 'ANY 1 (p2, p3)'`),
		primary.Do(ctx, `select pg_reload_conf()`),
		primary.Until(ctx, `show synchronous_standby_names`, "ANY 1 (p2, p3)"),
	)
	if err != nil {
		t.Fatal(err)
	}
	soon, stop := context.WithTimeout(ctx, 300*time.Millisecond)
	defer stop()
	_, err = tenant.Append(soon, "w0", seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "x"})
	if !errors.Is(err, seshat.ErrUnknown) {
		t.Errorf("Append: got error %v, want %v", err, seshat.ErrUnknown)
	}
	err = errors.Join(
		primary.Do(ctx, `alter system set synchronous_standby_names = ''`),
		primary.Do(ctx, `select pg_reload_conf()`),
		primary.Until(ctx, `show synchronous_standby_names`, ""),
	)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tenant.Append(ctx, "w0", seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "x"}); err != nil {
		t.Error(err)
	}
	s, err := tenant.Get(ctx, "w0")
	if err != nil || s.MessageCount != 1 {
		t.Errorf("%d messages, error %v", s.MessageCount, err)
	}
}
