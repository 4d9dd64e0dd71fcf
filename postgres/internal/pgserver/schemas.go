package pgserver

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Schemas lends schemas to tests and reuses them, because creating one takes
// longer than most tests. It is safe for concurrent use.
type Schemas struct {
	mu     sync.Mutex // guards all
	free   map[shelf][]string
	made   int
	admins map[string]*pgxpool.Pool // by DSN
}

// shelf holds the schemas of one kind that are free.
type shelf struct {
	dsn        string
	partitions int
}

// Get returns the name of an empty schema whose tables have that many
// partitions. When the test ends, Schemas takes the schema back, unless the
// test failed.
func (s *Schemas) Get(t testing.TB, dsn string, partitions int) string {
	t.Helper()
	w := shelf{dsn, partitions}
	s.mu.Lock()
	defer s.mu.Unlock()
	var name string
	if n := len(s.free[w]); n > 0 {
		name = s.free[w][n-1]
		s.free[w] = s.free[w][:n-1]
	} else {
		s.made++
		name = fmt.Sprintf("seshat_test_%d_%d", os.Getpid(), s.made)
	}
	t.Cleanup(func() {
		if t.Failed() {
			return // and leave it to be looked at, where the server is not ours
		}
		s.takeBack(t, w, name)
	})
	return name
}

// wipe empties all tables of a schema except that of its version.
const wipe = `do $$ declare name text; begin
	for name in select c.oid::regclass from pg_class c
		where c.relnamespace = '%s'::regnamespace and c.relkind in ('r', 'p')
			and not c.relispartition and c.relname <> 'schema'
	loop execute 'delete from ' || name; end loop; end $$`

func (s *Schemas) takeBack(t testing.TB, w shelf, name string) {
	t.Helper()
	sql := strings.Replace(wipe, "%s", name, 1)
	if _, err := s.Admin(t, w.dsn).Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Error(err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free == nil {
		s.free = map[shelf][]string{}
	}
	s.free[w] = append(s.free[w], name)
}

// Admin returns connections that bypass the drivers.
func (s *Schemas) Admin(t testing.TB, dsn string) *pgxpool.Pool {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.admins[dsn]; ok {
		return p
	}
	p, err := pgxpool.New(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if s.admins == nil {
		s.admins = map[string]*pgxpool.Pool{}
	}
	s.admins[dsn] = p
	return p
}

// Close drops the schemas that were taken back. A server that the tests did not
// start is then as it was.
func (s *Schemas) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w, names := range s.free {
		for _, name := range names {
			_, _ = s.admins[w.dsn].Exec(context.Background(), "drop schema if exists "+name+" cascade")
		}
	}
	for _, p := range s.admins {
		p.Close()
	}
}
