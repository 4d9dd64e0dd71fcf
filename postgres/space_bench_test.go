package postgres_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

// BenchmarkOneNamespace has many writers of one namespace, each of sessions of
// its own, on a server that makes every commit durable: at once, and 5 ms
// later, as a standby would.
func BenchmarkOneNamespace(b *testing.B) {
	b.Run("at once", func(b *testing.B) { oneNamespace(b) })
	b.Run("5 ms", func(b *testing.B) { oneNamespace(b, "commit_delay=5000", "commit_siblings=0") })
}

func oneNamespace(b *testing.B, set ...string) {
	server, err := pgserver.New(append(set, "shared_buffers=128MB", "max_connections=200")...)
	if err != nil {
		b.Skipf("SKIPPED: %v", err)
	}
	b.Cleanup(func() {
		if err := server.Stop(); err != nil {
			b.Error(err)
		}
	})
	for _, writers := range []int{1, 16, 64} {
		o := postgres.Options{Schema: fmt.Sprintf("w%d", writers), MaxConns: writers}
		s, err := seshat.OpenDriver(open(b, server.DSN(), o), seshat.Options{SweepEvery: seshat.Never})
		if err != nil {
			b.Fatal(err)
		}
		tenant, err := s.EnsureTenant(b.Context(), seshat.Namespace{Name: "t"})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("create/%d", writers), func(b *testing.B) {
			from(b, writers, func(int) error {
				return second(tenant.Create(b.Context(), seshat.NewSession{UserID: "mia"}))
			})
		})
		for i := range writers {
			if _, err := tenant.Create(b.Context(), seshat.NewSession{ID: fmt.Sprint("s", i)}); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprintf("append/%d", writers), func(b *testing.B) {
			from(b, writers, func(i int) error {
				return second(tenant.Append(b.Context(), fmt.Sprint("s", i),
					seshat.Message{Role: seshat.RoleUser, Content: "hello"}))
			})
		})
	}
}

// from makes b.N calls from so many goroutines.
func from(b *testing.B, writers int, call func(writer int) error) {
	var made atomic.Int64
	var done sync.WaitGroup
	for i := range writers {
		done.Add(1)
		go func() {
			defer done.Done()
			for made.Add(1) <= int64(b.N) {
				if err := call(i); err != nil {
					b.Error(err)
					return
				}
			}
		}()
	}
	done.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
