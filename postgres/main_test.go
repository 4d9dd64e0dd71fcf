package postgres_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

// quick is a server that gives up durability for speed: enough for all tests
// but those that kill it.
var quick, stopQuick = pgserver.Shared("fsync=off", "full_page_writes=off", "synchronous_commit=off",
	"max_connections=300", "shared_buffers=64MB", "autovacuum=off", "jit=off", "max_wal_size=2GB",
	"deadlock_timeout=200ms")

// shorten lets the models of the suites take fewer steps than on an engine in
// memory, unless the command line says how many.
func shorten() {
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range map[string]string{
		"drivertest.steps": "15", "storetest.steps": "50",
		"storetest.runs": "2",
	} {
		if !given[name] {
			if err := flag.Set(name, value); err != nil {
				panic(err)
			}
		}
	}
}

func TestMain(m *testing.M) {
	flag.Parse()
	shorten()
	code := m.Run()
	schemas.Close()
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

// schemas are those of all tests.
var schemas pgserver.Schemas

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
