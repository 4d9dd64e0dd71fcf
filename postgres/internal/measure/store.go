package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

const (
	maxConns    = 32
	namespaces  = 16
	sessionsOf  = 64 // each user
	messageSize = 200
)

// store is a store to measure. All stores have the same sessions: the first
// tenant has all, and each later tenant has a part.
type store struct {
	name  string
	s     *seshat.Store
	one   *seshat.Tenant
	many  []*seshat.Tenant
	close func() error
}

// stores opens the stores to compare: the embedded store, PostgreSQL, the same
// behind a proxy with a delay, and behind one that only counts.
func (r *results) stores(ctx context.Context,
	server *pgserver.Server,
) (all []*store, counted *store, trips *pgserver.Proxy, err error) {
	far, err := pgserver.NewDistantProxy(server.Addr(), r.later)
	if err != nil {
		return nil, nil, nil, err
	}
	if trips, err = pgserver.NewProxy(server.Addr()); err != nil {
		return nil, nil, nil, err
	}
	embedded, err := openFile()
	if err != nil {
		return nil, nil, nil, err
	}
	near, err := openPostgres(ctx, "PostgreSQL", server.DSN(), postgres.Options{Schema: "near", MaxConns: maxConns})
	if err != nil {
		return nil, nil, nil, err
	}
	distant, err := openPostgres(ctx, fmt.Sprintf("PostgreSQL, %v further", r.later), far.DSN(),
		postgres.Options{Schema: "near", MaxConns: maxConns})
	if err != nil {
		return nil, nil, nil, err
	}
	counted, err = openPostgres(ctx, "counted", trips.DSN(), postgres.Options{Schema: "near", MaxConns: 1})
	if err != nil {
		return nil, nil, nil, err
	}
	for _, proxy := range []struct {
		s *store
		p *pgserver.Proxy
	}{{distant, far}, {counted, trips}} {
		proxy.s.close = func() error { return errors.Join(proxy.s.s.Close(), proxy.p.Close()) }
	}
	for _, s := range []*store{embedded, near, distant, counted} {
		if err := s.tenants(ctx); err != nil {
			return nil, nil, nil, err
		}
	}
	return []*store{embedded, near, distant}, counted, trips, nil
}

func openFile() (*store, error) {
	dir, err := os.MkdirTemp("", "seshat-measure-")
	if err != nil {
		return nil, err
	}
	s, err := seshat.Open(filepath.Join(dir, "seshat.db"), seshat.Options{SweepEvery: seshat.Never})
	if err != nil {
		return nil, err
	}
	return &store{name: "embedded", s: s, close: func() error { return errors.Join(s.Close(), os.RemoveAll(dir)) }}, nil
}

func openPostgres(ctx context.Context, name, dsn string, o postgres.Options) (*store, error) {
	d, err := postgres.Open(ctx, dsn, o)
	if err != nil {
		return nil, err
	}
	s, err := seshat.OpenDriver(d, seshat.Options{SweepEvery: seshat.Never})
	if err != nil {
		return nil, err
	}
	return &store{name: name, s: s, close: s.Close}, nil
}

func (s *store) tenants(ctx context.Context) error {
	for i := range namespaces + 1 {
		t, err := s.s.EnsureTenant(ctx, seshat.Namespace{Name: fmt.Sprint("namespace ", i)})
		if err != nil {
			return err
		}
		if i == 0 {
			s.one = t
		} else {
			s.many = append(s.many, t)
		}
	}
	return nil
}

func id(i int) string   { return fmt.Sprintf("session %06d", i) }
func user(i int) string { return fmt.Sprintf("user %05d", i/sessionsOf) }

// fill makes n sessions in the first namespace, and n spread over the others.
func (s *store) fill(ctx context.Context, n int) error {
	var all sync.WaitGroup
	errs := make([]error, maxConns)
	for g := range errs {
		all.Go(func() {
			for i := g; i < n && errs[g] == nil; i += len(errs) {
				for _, t := range []*seshat.Tenant{s.one, s.many[i%namespaces]} {
					_, err := t.Create(ctx,
						seshat.NewSession{ID: id(i), UserID: user(i), Agent: seshat.AgentConfig{Model: "gpt-4o"}})
					errs[g] = errors.Join(errs[g], err)
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
