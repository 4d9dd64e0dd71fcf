package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

// row is one call with one number of goroutines.
type row struct {
	call       *call
	goroutines int       // that call at once
	perSecond  []float64 // of each store
	trips      float64   // of one call, once a connection knows the statement
}

// compare measures all calls on all stores, by turns.
func (r *results) compare(ctx context.Context, server *pgserver.Server) (err error) {
	all, counted, proxy, err := r.stores(ctx, server)
	if err != nil {
		return err
	}
	defer func() {
		for _, s := range append(all, counted) {
			err = errors.Join(err, s.close())
		}
	}()
	for _, s := range all[:2] { // the third shares the tables of the second
		if err := s.fill(ctx, r.sessions); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	for _, s := range all {
		r.names = append(r.names, s.name)
	}
	if r.near, r.far, err = distances(ctx, all[1], all[2], r.sessions); err != nil {
		return err
	}
	for i := range calls {
		c := &calls[i]
		trips, err := c.trips(ctx, counted, proxy, r.sessions)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		for _, s := range all { // connections are made, and know the statement
			warm := row{call: c, goroutines: maxConns}
			if _, err := warm.round(ctx, s, r.sessions, r.each); err != nil {
				return fmt.Errorf("%s: %s: %w", c.name, s.name, err)
			}
		}
		for _, g := range r.goroutines {
			w := row{call: c, goroutines: g, trips: trips}
			if err := r.fill(ctx, &w, all); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			r.rows = append(r.rows, w)
			fmt.Fprintln(os.Stderr, c.name, g, w.perSecond, w.trips)
		}
	}
	return nil
}

// distances returns the fastest get on each of two stores. The difference is
// the delay of the second.
func distances(ctx context.Context, near, far *store, n int) (a, b time.Duration, err error) {
	get := &calls[slices.IndexFunc(calls, func(c call) bool { return c.name == "get" })]
	for _, side := range []struct {
		s    *store
		best *time.Duration
	}{{near, &a}, {far, &b}} {
		for i := range 200 {
			start := time.Now()
			if err := get.on(ctx, side.s, i, n); err != nil {
				return 0, 0, err
			}
			if took := time.Since(start); i == 0 || took < *side.best {
				*side.best = took
			}
		}
	}
	return a, b, nil
}

// trips counts the round trips of the call.
func (c *call) trips(ctx context.Context, s *store, p *pgserver.Proxy, n int) (float64, error) {
	const times = 20
	var before int64
	for i := range times + 2 { // the statements become known
		if i == 2 {
			before = p.Trips()
		}
		if err := c.on(ctx, s, i, n); err != nil {
			return 0, err
		}
	}
	return float64(p.Trips()-before) / times, nil
}

func (r *results) fill(ctx context.Context, w *row, all []*store) error {
	found := make([][]float64, len(all))
	for range r.rounds {
		for i, s := range all {
			v, err := w.round(ctx, s, r.sessions, r.each)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			found[i] = append(found[i], v)
		}
	}
	for _, f := range found {
		slices.Sort(f)
		w.perSecond = append(w.perSecond, f[len(f)/2])
	}
	return nil
}

// round returns the calls per second of one round.
func (w *row) round(ctx context.Context, s *store, n int, each time.Duration) (float64, error) {
	var all sync.WaitGroup
	var made atomic.Int64
	errs := make([]error, w.goroutines)
	start := time.Now()
	for g := range w.goroutines {
		all.Go(func() {
			for i := g; time.Since(start) < each && errs[g] == nil; i += w.goroutines {
				errs[g] = w.call.on(ctx, s, i, n)
				made.Add(1)
			}
		})
	}
	all.Wait()
	return float64(made.Load()) / time.Since(start).Seconds(), errors.Join(errs...)
}
