package lin

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/seshatdb/seshat"
)

// Plan is how a history is made.
type Plan struct {
	Seed     uint64
	Clients  int
	Calls    int // of each client
	Sessions int // the fewer, the more they meet
	Reopens  int // times that the store is closed and opened while calls run

	// First is the number of the first client, and Clock what all of them go
	// by, where other processes make a part of the history. Without a Clock the
	// history has its own.
	First int
	Clock *Clock

	// Open opens the store, on the same data each time, with a clock.
	Open func(o seshat.Options) (*seshat.Store, error)

	// Wrap, if set, stands between the clients and the tenant.
	Wrap func(*seshat.Tenant) API
}

// run is a plan that is carried out.
type run struct {
	Plan
	tenant atomic.Pointer[tenant]
	done   atomic.Int64 // calls

	mu sync.Mutex // guards what follows
	h  History
}

// tenant is what the clients call until the store is closed.
type tenant struct {
	API
	replaced chan struct{} // closed when the store is open again, or will not be
}

// Run carries out the plan.
func (p Plan) Run(ctx context.Context) (*History, error) {
	if p.Clock == nil {
		p.Clock = new(Clock)
	}
	r := &run{Plan: p, h: History{Codes: map[string]int{}}}
	s, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	var clients sync.WaitGroup
	for c := range p.Clients {
		clients.Go(func() { r.client(ctx, p.First+c) })
	}
	finished := make(chan struct{})
	go func() { clients.Wait(); close(finished) }()
	for n := 1; n <= p.Reopens && err == nil; n++ {
		r.awaitCalls(int64(p.Clients*p.Calls*n/(p.Reopens+1)), finished)
		old := r.tenant.Load()
		if err = s.Close(); err == nil {
			s, err = r.open(ctx)
		}
		close(old.replaced)
	}
	<-finished
	if err == nil {
		err = s.Close()
	}
	return &r.h, err
}

// awaitCalls returns when so many calls were made, or all.
func (r *run) awaitCalls(n int64, finished <-chan struct{}) {
	for r.done.Load() < n {
		select {
		case <-finished:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

func (r *run) open(ctx context.Context) (*seshat.Store, error) {
	s, err := r.Open(seshat.Options{
		Now: r.Clock.now, SweepEvery: time.Millisecond,
		Lifecycle: seshat.Lifecycle{TTL: ttl * time.Millisecond, Retention: retention * time.Millisecond},
	})
	if err != nil {
		return nil, err
	}
	t, err := s.EnsureTenant(ctx, seshat.Namespace{Name: "t"})
	if err != nil {
		return nil, err
	}
	var api API = t
	if r.Wrap != nil {
		api = r.Wrap(t)
	}
	r.tenant.Store(&tenant{api, make(chan struct{})})
	return s, nil
}

// client makes its calls, and moves the clock now and then.
func (r *run) client(ctx context.Context, c int) {
	p := rand.New(rand.NewPCG(r.Seed, uint64(c)))
	versions := map[string]uint64{}
	operations := make([]porcupine.Operation, 0, r.Calls)
	codes := map[string]int{}
	for n := range r.Calls {
		in := random(p, r.Sessions, fmt.Sprintf("%d.%d", c, n), versions)
		if p.IntN(8) == 0 {
			r.Clock.millis.Add(p.Int64N(8))
		}
		call := r.Clock.ticks.Add(1)
		in.began = r.Clock.millis.Load()
		at := r.tenant.Load()
		out := do(ctx, at.API, in)
		in.end = r.Clock.millis.Load()
		if out.version != 0 {
			versions[in.id] = out.version
		}
		codes[out.code]++
		r.done.Add(1)
		operations = append(operations, porcupine.Operation{
			ClientId: c, Input: in, Call: call, Output: out, Return: r.Clock.ticks.Add(1),
		})
		if out.code == codeClosed {
			<-at.replaced
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.h.operations = append(r.h.operations, operations...)
	for code, n := range codes {
		r.h.Codes[code] += n
	}
}
