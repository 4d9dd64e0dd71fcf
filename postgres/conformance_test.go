package postgres_test

import (
	"sync"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/drivertest"
	"github.com/seshatdb/seshat/postgres"
)

// places remembers where drivers keep their data.
type places struct{ open sync.Map }

type place struct {
	dsn string
	o   postgres.Options
}

func (p *places) at(t testing.TB, where place) driver.Driver {
	t.Helper()
	d := open(t, where.dsn, where.o)
	p.open.Store(d, where)
	return d
}

func (p *places) again(t testing.TB, d driver.Driver, change func(*postgres.Options)) driver.Driver {
	t.Helper()
	where, _ := p.open.Load(d)
	closed(t, d)
	w := where.(place)
	change(&w.o)
	return p.at(t, w)
}

// harness opens drivers with these options, each on a schema of its own.
func harness(o postgres.Options) drivertest.Harness { return harnessBy(o, database) }

// harnessBy is harness for drivers that reach the database by a DSN of their
// own.
func harnessBy(o postgres.Options, dsn func(testing.TB) string) drivertest.Harness {
	var p places
	return drivertest.Harness{
		Open: func(t testing.TB) driver.Driver {
			w := place{dsn: dsn(t), o: o}
			w.o.Schema = schemas.Get(t, database(t), o.Partitions)
			return p.at(t, w)
		},
		Reopen: func(t testing.TB, d driver.Driver) driver.Driver {
			return p.again(t, d, func(*postgres.Options) {})
		},
		ReadOnly: func(t testing.TB, d driver.Driver) driver.Driver {
			return p.again(t, d, func(o *postgres.Options) { o.ReadOnly = true })
		},
	}
}

// TestConformance proves that the driver keeps every promise of the seam.
func TestConformance(t *testing.T) {
	t.Parallel()
	drivertest.Run(t, harness(postgres.Options{}))
}
