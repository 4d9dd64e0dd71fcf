package postgres_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

// quick is a server that gives up durability for speed: enough for all tests
// but those that kill it.
var quick, stopQuick = pgserver.Shared("fsync=off", "full_page_writes=off", "synchronous_commit=off",
	"max_connections=300", "shared_buffers=64MB", "autovacuum=off", "jit=off", "max_wal_size=2GB", "deadlock_timeout=200ms")

// shorten lets the models of the suites take fewer steps than on an engine in
// memory, unless the command line says how many.
func shorten() {
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range map[string]string{"drivertest.steps": "15", "storetest.steps": "50", "storetest.runs": "2"} {
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
	dropSchemas()
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

// schemas are those that tests gave back, empty. To make one takes longer than
// most tests do.
var schemas struct {
	mu   sync.Mutex
	free map[shelf][]string
	made int
}

// shelf is where schemas that are alike are kept.
type shelf struct {
	dsn        string
	partitions int
}

// schema returns the name of a schema that is new, or as good as new. It is
// given back when the test is over, unless that failed.
func schema(t testing.TB, dsn string, partitions int) string {
	t.Helper()
	w := shelf{dsn, partitions}
	schemas.mu.Lock()
	defer schemas.mu.Unlock()
	var name string
	if n := len(schemas.free[w]); n > 0 {
		name, schemas.free[w] = schemas.free[w][n-1], schemas.free[w][:n-1]
	} else {
		schemas.made++
		name = fmt.Sprintf("seshat_test_%d_%d", os.Getpid(), schemas.made)
	}
	t.Cleanup(func() {
		if t.Failed() {
			return // and leave it to be looked at, where the server is not ours
		}
		giveBack(t, w, name)
	})
	return name
}

func giveBack(t testing.TB, w shelf, name string) {
	var wipe strings.Builder
	for _, table := range []string{"spaces", "sessions", "messages", "logs", "entries", "events", "pending"} {
		fmt.Fprintf(&wipe, "delete from %s.%s; ", name, table)
	}
	if _, err := admin(t, w.dsn).Exec(context.Background(), wipe.String(), pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Error(err)
		return
	}
	schemas.mu.Lock()
	defer schemas.mu.Unlock()
	if schemas.free == nil {
		schemas.free = map[shelf][]string{}
	}
	schemas.free[w] = append(schemas.free[w], name)
}

var admins sync.Map // DSN → *pgxpool.Pool

// admin returns connections for what tests do behind the drivers' backs.
func admin(t testing.TB, dsn string) *pgxpool.Pool {
	t.Helper()
	if p, ok := admins.Load(dsn); ok {
		return p.(*pgxpool.Pool)
	}
	p, err := pgxpool.New(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if other, loaded := admins.LoadOrStore(dsn, p); loaded {
		p.Close()
		return other.(*pgxpool.Pool)
	}
	return p
}

// dropSchemas leaves a server that is not ours as it was.
func dropSchemas() {
	for w, names := range schemas.free {
		p, _ := admins.Load(w.dsn)
		for _, name := range names {
			_, _ = p.(*pgxpool.Pool).Exec(context.Background(), "drop schema if exists "+name+" cascade")
		}
	}
	admins.Range(func(_, p any) bool {
		p.(*pgxpool.Pool).Close()
		return true
	})
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
