package postgres_test

import (
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/drivertest"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

// BenchmarkDriver is the suite's own set, comparable between drivers, on a
// server that makes every commit durable.
func BenchmarkDriver(b *testing.B) {
	server, err := pgserver.New("shared_buffers=128MB")
	if err != nil {
		b.Skipf("SKIPPED: %v", err)
	}
	b.Cleanup(func() {
		if err := server.Stop(); err != nil {
			b.Error(err)
		}
	})
	drivertest.Bench(b, drivertest.Harness{Open: func(tb testing.TB) driver.Driver {
		return open(tb, server.DSN(), postgres.Options{Schema: schemas.Get(tb, server.DSN(), 0), MaxConns: 32})
	}})
}
