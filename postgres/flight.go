package postgres

import (
	"context"
	"sync"

	"github.com/seshatdb/seshat/driver"
)

// flights are running changes that may extend the life of a session: they read
// the clock before its deadline and are not committed yet. If a reader of this
// process finds a session expired, it waits for them. Otherwise it could find
// the session gone and later find it again.
type flights struct {
	mu sync.Mutex // guards in
	in map[*flight]struct{}
}

type flight struct {
	key     driver.Key
	expires int64
	over    chan struct{} // closed when readers see the result
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

// await waits for the flights that may extend a session that is expired at now:
// k, or any session of its namespace if k has no id. A later flight reads the
// clock after the caller did, so it cannot extend an expired session.
func (s *flights) await(ctx context.Context, k driver.Key, now int64) error {
	for _, f := range s.matching(k, now) {
		select {
		case <-f.over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (s *flights) matching(k driver.Key, now int64) (found []*flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for f := range s.in {
		if f.key.Namespace == k.Namespace && (k.ID == "" || f.key.ID == k.ID) && f.expires <= now {
			found = append(found, f)
		}
	}
	return found
}

// runPlan runs o's Plan. A flight is registered before it reads the clock. If
// the change extends the session's life, the flight lasts until the end of the
// attempt.
func (a *attempt) runPlan(o *opRun) (*driver.View, driver.Change, error) {
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

// endFlights ends the attempt's flights.
func (a *attempt) endFlights() {
	for _, f := range a.flights {
		a.d.flights.end(f)
	}
}
