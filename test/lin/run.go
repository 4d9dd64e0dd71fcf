package lin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/seshatdb/seshat"
)

// Plan describes how to make a history.
type Plan struct {
	Seed     uint64 // repeats the history, except for the scheduler
	Clients  int    // goroutines that call the store
	Calls    int    // per client
	Sessions int    // fewer sessions make more calls meet
	Reopens  int    // how often the store is closed and opened during calls

	// If other processes make part of the history, First is the number of the
	// first client here, and all processes share Clock. Without Clock, the
	// history has its own.
	First int
	Clock *Clock

	// Open opens the store with o, always on the same data.
	Open func(o seshat.Options) (*seshat.Store, error)

	// Wrap, if set, wraps the tenant that the clients call.
	Wrap func(*seshat.Tenant) API

	// Disaster, if set, strikes the store Disasters times while the clients
	// call. Calls is then ignored: clients call until the last disaster is
	// over.
	Disaster  Disaster
	Disasters int

	// A client moves the clock once in about Pace calls. 0 means 8.
	Pace int
}

// run is the execution of a plan.
type run struct {
	Plan
	tenant atomic.Pointer[tenant]
	done   atomic.Int64 // calls
	stuck  atomic.Int64 // clients that wait for the store to be reopened
	over   atomic.Bool  // the last disaster is over, or the run failed

	mu sync.Mutex // guards the fields below
	h  History
}

// tenant is the tenant that clients call until its store is closed.
type tenant struct {
	API
	replaced chan struct{} // closed when the store is open again or will not be
	failing  chan struct{} // closed when a call shows that the store must be reopened
	once     sync.Once
}

func newTenant(api API) *tenant {
	return &tenant{API: api, replaced: make(chan struct{}), failing: make(chan struct{})}
}

// Run executes the plan and returns its history.
func (p Plan) Run(ctx context.Context) (*History, error) {
	if p.Clock == nil {
		p.Clock = new(Clock)
	}
	if p.Pace == 0 {
		p.Pace = 8
	}
	r := &run{Plan: p, h: History{Codes: map[string]int{}, disasters: p.Disaster != nil}}
	if p.Disaster != nil {
		return &r.h, r.survive(ctx)
	}
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

// awaitCalls returns after n calls, or when all clients have finished.
func (r *run) awaitCalls(n int64, finished <-chan struct{}) {
	for r.done.Load() < n {
		select {
		case <-finished:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// open opens the store and hands its tenant to the clients.
func (r *run) open(ctx context.Context) (*seshat.Store, error) {
	s, api, err := r.openTenant(ctx)
	if err == nil {
		r.tenant.Store(newTenant(api))
	}
	return s, err
}

func (r *run) openTenant(ctx context.Context) (*seshat.Store, API, error) {
	s, err := r.Open(seshat.Options{
		Now: r.Clock.Now, SweepEvery: time.Millisecond,
		Lifecycle: seshat.Lifecycle{TTL: ttl * time.Millisecond, Retention: retention * time.Millisecond},
	})
	if err != nil {
		return nil, nil, err
	}
	t, err := s.EnsureTenant(ctx, seshat.Namespace{Name: "t"})
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	if r.Wrap != nil {
		return s, r.Wrap(t), nil
	}
	return s, t, nil
}

// client makes one client's calls and sometimes moves the clock.
func (r *run) client(ctx context.Context, c int) {
	p := rand.New(rand.NewPCG(r.Seed, uint64(c)))
	versions := map[string]uint64{}
	var mine History
	for n := 0; r.wants(n); n++ {
		in := random(p, r.Sessions, fmt.Sprintf("%d.%d", c, n), versions)
		if p.IntN(r.Pace) == 0 {
			r.Clock.Advance(time.Duration(p.Int64N(8)) * time.Millisecond)
		}
		at := r.tenant.Load()
		o := r.call(ctx, c, at, in)
		out := o.Output.(output)
		if out.version != 0 {
			versions[in.id] = out.version
		}
		if fails(out.code) || out.code == codeClosed {
			r.await(at, out.code)
		}
		// Until the store is reopened, the call may still take effect.
		if out.code == codeUnknown {
			o.Return = r.Clock.ticks.Add(1)
		}
		mine.add(o)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.h.Merge(&mine)
}

// wants reports whether a client should make its nth call.
func (r *run) wants(n int) bool {
	if r.Disaster == nil {
		return n < r.Calls
	}
	return !r.over.Load()
}

// call makes a call.
func (r *run) call(ctx context.Context, c int, at *tenant, in input) porcupine.Operation {
	call := r.Clock.ticks.Add(1)
	in.began = r.Clock.millis.Load()
	out := do(ctx, at.API, in)
	in.end = r.Clock.millis.Load()
	r.done.Add(1)
	return porcupine.Operation{ClientId: c, Input: in, Call: call, Output: out, Return: r.Clock.ticks.Add(1)}
}

// await waits until a closed or failed store is open again.
func (r *run) await(at *tenant, code string) {
	if fails(code) {
		at.once.Do(func() { close(at.failing) })
	}
	r.stuck.Add(1)
	<-at.replaced
	r.stuck.Add(-1)
}

// fails reports whether a call's outcome requires reopening the store.
func fails(code string) bool { return code == codeUnknown || code == codeFailed }
