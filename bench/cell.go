package main

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// sample is the result of one measurement of one peer.
type sample struct {
	perSec         float64
	p50, p99, p999 time.Duration
}

// op is one call. g is the goroutine's number.
type op func(g int, r *rand.Rand) error

// measure runs fn in g goroutines for about d. A latency is the time of burst
// calls divided by burst, because reading the clock costs as much as a fast
// read.
func measure(g, burst int, d time.Duration, fn op) (sample, error) {
	stop := make(chan struct{})
	time.AfterFunc(d, func() { close(stop) })
	return measureUntil(stop, g, burst, fn)
}

// measureUntil is measure until stop is closed.
func measureUntil(stop <-chan struct{}, g, burst int, fn op) (sample, error) {
	var over atomic.Bool
	go func() {
		<-stop
		over.Store(true)
	}()
	took := make([][]time.Duration, g)
	errs := make([]error, g)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range g {
		wg.Go(func() { took[i], errs[i] = repeat(&over, i, burst, fn) })
	}
	wg.Wait()
	elapsed := time.Since(start)
	all := slices.Concat(took...)
	s := summarize(all)
	s.perSec = float64(len(all)*burst) / elapsed.Seconds()
	return s, errors.Join(errs...)
}

func repeat(over *atomic.Bool, g, burst int, fn op) (took []time.Duration, err error) {
	r := rand.New(rand.NewPCG(uint64(g), uint64(time.Now().UnixNano())))
	for !over.Load() {
		start := time.Now()
		for range burst {
			if err := fn(g, r); err != nil {
				return took, err
			}
		}
		took = append(took, time.Since(start)/time.Duration(burst))
	}
	return took, nil
}

func summarize(all []time.Duration) (s sample) {
	if len(all) == 0 {
		return s
	}
	slices.Sort(all)
	at := func(q float64) time.Duration { return all[min(len(all)-1, int(q*float64(len(all))))] }
	s.p50, s.p99, s.p999 = at(0.5), at(0.99), at(0.999)
	return s
}

// median of samples, figure by figure.
func medianSample(all []sample) sample {
	pick := func(f func(sample) time.Duration) time.Duration { return medianOf(all, f) }
	return sample{
		perSec: medianOf(all, func(s sample) float64 { return s.perSec }),
		p50:    pick(func(s sample) time.Duration { return s.p50 }),
		p99:    pick(func(s sample) time.Duration { return s.p99 }),
		p999:   pick(func(s sample) time.Duration { return s.p999 }),
	}
}

func medianOf[T any, V cmp.Ordered](all []T, f func(T) V) V {
	vs := make([]V, len(all))
	for i, x := range all {
		vs[i] = f(x)
	}
	slices.Sort(vs)
	return vs[len(vs)/2]
}
