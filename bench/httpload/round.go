package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// mix is the percentage of requests that append, which also extends the
// session's life. The others are GETs.
type mix int

var mixes = []mix{0, 10}

func (m mix) String() string { return fmt.Sprintf("%d %% GET, %d %% append", 100-m, int(m)) }

// result is one mix, with a value for each round.
type result struct {
	mix
	rate [2][]float64 // requests a second: constant bodies, sessions
	gets []time.Duration
	puts []time.Duration // latencies of sessions, of all rounds
}

func (w *world) measure(ctx context.Context) ([]*result, error) {
	results := make([]*result, len(mixes))
	for i, m := range mixes {
		results[i] = &result{mix: m}
	}
	for round := range w.rounds {
		for _, r := range results {
			for k := range 2 {
				which := (round + k) % 2 // each is the first in turn
				if err := w.burst(ctx, r, which, uint64(round)); err != nil {
					return nil, err
				}
			}
		}
	}
	return results, nil
}

// burst measures one server once.
func (w *world) burst(ctx context.Context, r *result, which int, seed uint64) error {
	clients := make([]*client, w.clients)
	for i := range clients {
		c, err := w.dial(ctx, []string{w.constant, w.sessions}[which], seed<<32|uint64(i))
		if err != nil {
			return err
		}
		defer func() { _ = c.c.Close() }()
		clients[i] = c
	}
	var left, answered atomic.Int64
	left.Store(int64(w.requests))
	took := make([][2][]time.Duration, w.clients)
	errs := make([]error, w.clients)
	var wg sync.WaitGroup
	began := time.Now()
	for i, c := range clients {
		wg.Go(func() {
			for errs[i] == nil && ctx.Err() == nil && time.Since(began) < w.time && left.Add(-1) >= 0 {
				errs[i] = c.one(r.mix, w.options.sessions, &took[i])
				answered.Add(1)
			}
		})
	}
	wg.Wait()
	r.rate[which] = append(r.rate[which], float64(answered.Load())/time.Since(began).Seconds())
	for _, t := range took {
		if which == 1 {
			r.gets = append(r.gets, t[0]...)
			r.puts = append(r.puts, t[1]...)
		}
	}
	return errors.Join(append(errs, ctx.Err())...)
}

// one sends one request for a random session.
func (c *client) one(m mix, sessions int, took *[2][]time.Duration) error {
	session := id(c.rand.IntN(sessions))
	put := 0
	send := c.get
	if c.rand.IntN(100) < int(m) {
		put = 1
		send = c.post
	}
	began := time.Now()
	err := send(session)
	took[put] = append(took[put], time.Since(began))
	return err
}

func report(out io.Writer, o options, results []*result) error {
	fmt.Fprintf(out, "%d sessions, %d clients, medians of %d interleaved rounds of at most %s\n\n", o.sessions,
		o.clients, o.rounds, o.time)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "requests\tconstant/s\tsessions/s\tratio\tleast–most\tGET p50, p99\tappend p50, p99")
	for _, r := range results {
		ratios := make([]float64, len(r.rate[0]))
		for i := range ratios {
			ratios[i] = r.rate[1][i] / r.rate[0][i]
		}
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%.3f\t%.3f–%.3f\t%s\t%s\n", r.mix, at(r.rate[0], 50), at(r.rate[1], 50),
			at(ratios, 50), slices.Min(ratios), slices.Max(ratios), latency(r.gets), latency(r.puts))
	}
	return t.Flush()
}

func latency(took []time.Duration) string {
	if len(took) == 0 {
		return "-"
	}
	return fmt.Sprint(at(took, 50).Round(10*time.Microsecond), ", ", at(took, 99).Round(10*time.Microsecond))
}

// at returns a percentile of values, which must not be empty.
func at[T float64 | time.Duration](values []T, percent int) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)]
}
