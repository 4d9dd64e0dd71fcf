package postgres_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

// quick is a server that gives up durability for speed: enough for all tests
// but those that kill it.
var quick, stopQuick = pgserver.Shared("fsync=off", "full_page_writes=off", "synchronous_commit=off",
	"max_connections=300", "shared_buffers=64MB", "autovacuum=off", "jit=off", "max_wal_size=2GB", "deadlock_timeout=200ms")

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if err := stopQuick(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// database returns the DSN of a database for tests: that of
// SESHAT_TEST_POSTGRES, or of a server that is started here.
func database(t testing.TB) string {
	t.Helper()
	if dsn := os.Getenv("SESHAT_TEST_POSTGRES"); dsn != "" {
		return dsn
	}
	return quick(t).DSN()
}

var schemas atomic.Int64

// schema returns the name of a schema that is dropped when the test is over.
func schema(t testing.TB, dsn string) string {
	t.Helper()
	name := fmt.Sprintf("seshat_test_%d_%d", os.Getpid(), schemas.Add(1))
	t.Cleanup(func() {
		ctx := context.Background()
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, `drop schema if exists `+name+` cascade`); err != nil {
			t.Error(err)
		}
	})
	return name
}

func open(t testing.TB, dsn string, o postgres.Options) *postgres.Driver {
	t.Helper()
	d, err := postgres.Open(context.Background(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, d) })
	return d
}

func closed(t testing.TB, d driver.Driver) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
