//go:build unix

package suites

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

// quick is a server that gives up durability for speed: nothing here kills it.
var quick, stopQuick = pgserver.Shared("fsync=off", "full_page_writes=off", "synchronous_commit=off",
	"max_connections=300", "shared_buffers=64MB", "autovacuum=off", "jit=off", "max_wal_size=2GB",
	"deadlock_timeout=200ms")

var schemas pgserver.Schemas

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(child(role))
	}
	flag.Parse()
	code := m.Run()
	schemas.Close()
	if err := stopQuick(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// scaled is how much a test does: more if SESHAT_TEST_LONG is set.
func scaled(short, long int) int {
	if os.Getenv("SESHAT_TEST_LONG") != "" {
		return long
	}
	return short
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

// place is where a store is.
type place struct{ dsn, schema string }

func newPlace(t testing.TB) place {
	t.Helper()
	dsn := database(t)
	return place{dsn, schemas.Get(t, dsn, 0)}
}

func (p place) driver(o postgres.Options) (*postgres.Driver, error) {
	o.Schema = p.schema
	return postgres.Open(context.Background(), p.dsn, o)
}

func (p place) open(o seshat.Options) (*seshat.Store, error) {
	d, err := p.driver(postgres.Options{})
	if err != nil {
		return nil, err
	}
	return seshat.OpenDriver(d, o)
}
