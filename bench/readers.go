package main

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seshatdb/seshat/bench/load"
	"github.com/seshatdb/seshat/bench/peer"
	"github.com/seshatdb/seshat/driver"
)

// readersRow holds the rates of concurrent reads and durable writes of one
// peer.
type readersRow struct {
	name           string
	reads, writes  sample
	writesWithout  sample
	readGoroutines int
}

const (
	underReaders = 16
	underWriters = 32
)

// measureReaders measures reads with concurrent durable writers, and the
// writers alone, in turns.
func (r *results) measureReaders() error {
	m, err := r.pair("readers")
	if err != nil {
		return err
	}
	defer m.close()
	for _, c := range m.peers {
		var reads, with, without []sample
		for range r.rounds {
			alone, err := measure(underWriters, 1, r.each, touchAny(c))
			if err != nil {
				return err
			}
			read, write, err := together(c, 2*r.each)
			if err != nil {
				return err
			}
			reads = append(reads, read)
			with = append(with, write)
			without = append(without, alone)
		}
		r.readers = append(r.readers, readersRow{
			c.kind.Name, medianSample(reads), medianSample(with), medianSample(without), underReaders,
		})
	}
	return nil
}

// pair opens Seshat and plain bbolt.
func (r *results) pair(name string) (*matrix, error) {
	return openPeers(filepath.Join(r.dir, name), r.n, "Seshat,bbolt")
}

func touchAny(c *contender) op {
	return func(_ int, rnd *rand.Rand) error {
		return c.Touch(context.Background(), c.ids[rnd.IntN(c.n)])
	}
}

func getAny(c *contender) op {
	return func(_ int, rnd *rand.Rand) error {
		return c.Get(context.Background(), c.ids[rnd.IntN(c.n)])
	}
}

// together measures concurrent readers and writers. Each reader rests 100 µs
// after a read, to leave processor time to the writers.
func together(c *contender, d time.Duration) (reads, writes sample, err error) {
	stop := make(chan struct{})
	time.AfterFunc(d, func() { close(stop) })
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() { writes, failed = measureUntil(stop, underWriters, 1, touchAny(c)) })
	reads, err = pacedReads(stop, getAny(c))
	wg.Wait()
	if err == nil {
		err = failed
	}
	return reads, writes, err
}

// pacedReads times the reads without the rests between them.
func pacedReads(stop <-chan struct{}, get op) (sample, error) {
	var mu sync.Mutex
	var all []time.Duration
	_, err := measureUntil(stop, underReaders, 1, func(g int, rnd *rand.Rand) error {
		took := make([]time.Duration, 0, 64)
		for range cap(took) {
			start := time.Now()
			if err := get(g, rnd); err != nil {
				return err
			}
			took = append(took, time.Since(start))
			time.Sleep(100 * time.Microsecond)
		}
		mu.Lock()
		all = append(all, took...)
		mu.Unlock()
		return nil
	})
	return summarize(all), err
}

// busyRow compares durable touches while other work keeps all processors busy.
type busyRow struct {
	g    int
	ours sample
	bolt sample
}

// measureBusy measures while other goroutines compute.
func (r *results) measureBusy() error {
	m, err := r.pair("busy")
	if err != nil {
		return err
	}
	defer m.close()
	stop := make(chan struct{})
	for range 2 * runtime.GOMAXPROCS(0) {
		go spin(stop)
	}
	defer close(stop)
	busy := &matrix{peers: m.peers}
	for _, g := range r.routines {
		row := &row{name: "busy", g: g, burst: 1, make: touchAny}
		if err := busy.runRow(row, r.rounds, r.each); err != nil {
			return err
		}
		r.busy = append(r.busy, busyRow{g, *row.found[0], *row.found[1]})
	}
	return nil
}

func spin(stop <-chan struct{}) {
	x := uint64(1)
	for {
		for range 1 << 16 {
			x = x*6364136223846793005 + 1442695040888963407
		}
		select {
		case <-stop:
			sink.Store(x)
			return
		default:
		}
	}
}

var sink atomic.Uint64 // so that the loop is not left out

// measureRaw reads stored records into a reused buffer and counts allocations.
func (r *results) measureRaw() error {
	m, err := openPeers(filepath.Join(r.dir, "raw"), min(r.n, 500), "Seshat,bbolt")
	if err != nil {
		return err
	}
	defer m.close()
	ours := m.peers[0].Peer.(*peer.Seshat)
	ctx := context.Background()
	var into driver.Record
	id := load.ID(0)
	key := driver.Key{Namespace: 1, ID: id}
	calls := 20_000
	if r.quick {
		calls = 500
	}
	r.rawNS, r.rawAllocs, err = perCall(calls, func() error {
		return ours.Store.Driver().Get(ctx, key, load.Now(), &into)
	})
	if err != nil {
		return err
	}
	if _, r.getAllocs, err = perCall(calls, func() error { return ours.Get(ctx, id) }); err != nil {
		return err
	}
	_, r.boltAllocs, err = perCall(calls, func() error { return m.peers[1].Get(ctx, id) })
	return err
}

// perCall returns the mean of many calls by one goroutine.
func perCall(calls int, fn func() error) (ns, allocs float64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	for range calls {
		if err := fn(); err != nil {
			return 0, 0, err
		}
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	n := float64(calls)
	return float64(took) / n, math.Round(float64(after.Mallocs-before.Mallocs)/n*10) / 10, nil
}
