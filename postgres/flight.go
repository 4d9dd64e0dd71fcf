package postgres

import (
	"context"
	"sync"

	"github.com/seshatdb/seshat/driver"
)

// flights are the changes under way that may extend the life of a session: they
// read the clock before its deadline, but are not committed yet. A reader of
// this process, to whom the session is gone by time, waits for them, or a
// session that it found gone would be back later.
type flights struct {
	mu sync.Mutex // guards in
	in map[*flight]struct{}
}

type flight struct {
	key     driver.Key
	expires int64
	over    chan struct{} // closed when readers see the outcome
}

func (s *flights) begin(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.in == nil {
		s.in = make(map[*flight]struct{})
	}
	s.in[f] = struct{}{}
}

func (s *flights) end(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.in, f)
	close(f.over)
}

// await waits for the flights that may extend a session that is over at now: k,
// or any of its namespace if k has no id. One that begins later reads the clock
// after the caller did, and extends nothing that is over.
func (s *flights) await(ctx context.Context, k driver.Key, now int64) error {
	for _, f := range s.of(k, now) {
		select {
		case <-f.over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (s *flights) of(k driver.Key, now int64) (found []*flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for f := range s.in {
		if f.key.Namespace == k.Namespace && (k.ID == "" || f.key.ID == k.ID) && f.expires <= now {
			found = append(found, f)
		}
	}
	return found
}

// decide runs o's Plan. What it may do to the session's life is in flight from
// before it reads the clock to, if it extends it, the end of the attempt.
func (a *attempt) decide(o *opRun) (*driver.View, driver.Change, error) {
	old := o.view.Record
	if old == nil || old.Expires == driver.Never {
		v := a.view(o)
		c, err := o.Decide(v, a.d.caps)
		return v, c, err
	}
	f := &flight{key: old.Key, expires: old.Expires, over: make(chan struct{})}
	a.d.flights.begin(f)
	v := a.view(o)
	c, err := o.Decide(v, a.d.caps)
	if err == nil && v.Now < f.expires && c.Put != nil && c.Put.Expires > f.expires {
		a.flights = append(a.flights, f)
	} else {
		a.d.flights.end(f)
	}
	return v, c, err
}

// land ends the attempt's flights.
func (a *attempt) land() {
	for _, f := range a.flights {
		a.d.flights.end(f)
	}
}
