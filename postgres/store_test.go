package postgres_test

import (
	"sync"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/storetest"
)

// stores opens stores with these options, each on a schema of its own.
func stores(o postgres.Options) storetest.Harness { return storesBy(o, database) }

// storesBy is stores for stores that reach the database by a DSN of their own.
func storesBy(o postgres.Options, dsn func(testing.TB) string) storetest.Harness {
	var places sync.Map
	at := func(t testing.TB, w place, so seshat.Options) *seshat.Store {
		t.Helper()
		d, err := postgres.Open(t.Context(), w.dsn, w.o)
		if err != nil {
			t.Fatal(err)
		}
		s, err := seshat.OpenDriver(d, so)
		if err != nil {
			t.Fatal(err)
		}
		places.Store(s, w)
		return s
	}
	return storetest.Harness{
		Open: func(t testing.TB, so seshat.Options) *seshat.Store {
			w := place{dsn: dsn(t), o: o}
			w.o.Schema = schemas.Get(t, database(t), o.Partitions)
			return at(t, w, so)
		},
		Reopen: func(t testing.TB, s *seshat.Store, so seshat.Options) *seshat.Store {
			w, _ := places.Load(s)
			return at(t, w.(place), so)
		},
	}
}

// TestStore proves that a store on this driver keeps every promise of package
// seshat.
func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, stores(postgres.Options{}))
}
