package lin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/seshatdb/seshat"
)

// Disaster strikes a store and the medium below it.
type Disaster interface {
	// Arm prepares the nth disaster before the store is opened. struck is
	// closed when calls may begin to fail because of it.
	Arm(n int) (struck <-chan struct{}, err error)

	// Recover ends the disaster. The store is closed, and can be opened after
	// Recover.
	Recover(n int) error
}

// ErrViolation means that the store broke a promise after a disaster.
var ErrViolation = errors.New("violation")

// notice is how much later than a failure its cause may be reported.
const notice = 5 * time.Second

// survive lets clients call through all disasters, and once more after the
// last.
func (r *run) survive(ctx context.Context) error {
	unborn := newTenant(nil)
	r.tenant.Store(unborn)
	var clients sync.WaitGroup
	for c := range r.Clients {
		clients.Go(func() {
			<-unborn.replaced
			r.client(ctx, r.First+c)
		})
	}
	err := r.lives(ctx)
	r.over.Store(true)
	close(r.tenant.Load().replaced)
	clients.Wait()
	return err
}

// lives runs the store from each disaster to the next.
func (r *run) lives(ctx context.Context) error {
	for n := range r.Disasters {
		struck, err := r.Disaster.Arm(n)
		if err != nil {
			return err
		}
		if err := r.live(ctx, struck); err != nil {
			return fmt.Errorf("before disaster %d of %d: %w", n+1, r.Disasters, err)
		}
		if err := r.Disaster.Recover(n); err != nil {
			return err
		}
	}
	s, err := r.revive(ctx)
	if err != nil {
		return fmt.Errorf("after the last disaster: %w: %w", ErrViolation, err)
	}
	return s.Close()
}

// live runs the store until a disaster has struck. A failure before that is a
// violation.
func (r *run) live(ctx context.Context, struck <-chan struct{}) error {
	s, err := r.revive(ctx)
	for errors.Is(err, syscall.ENOSPC) {
		s, err = r.revive(ctx)
	}
	if err != nil {
		if errors.Is(err, ErrViolation) || !happens(struck) {
			return fmt.Errorf("%w: %w", ErrViolation, err)
		}
		return nil
	}
	select {
	case <-struck:
	case <-r.tenant.Load().failing:
		if !happens(struck) {
			err = fmt.Errorf("%w: the store fails without a cause", ErrViolation)
		}
	}
	r.linger()
	_ = s.Close() // a failed store cannot write its last changes, as intended
	return err
}

// linger lets clients call a failed store until all of them wait.
func (r *run) linger() {
	for enough := r.done.Load() + int64(4*r.Clients); r.done.Load() < enough && int(r.stuck.Load()) < r.Clients; {
		<-time.After(100 * time.Microsecond)
	}
}

func happens(struck <-chan struct{}) bool {
	select {
	case <-struck:
		return true
	case <-time.After(notice):
		return false
	}
}

// revive opens the store, checks it, reads each session before any client
// writes, and hands the store to the clients.
func (r *run) revive(ctx context.Context) (*seshat.Store, error) {
	s, api, err := r.openTenant(ctx)
	if err != nil {
		return nil, err
	}
	report, err := s.Check(ctx)
	if err == nil && len(report.Findings) > 0 {
		err = fmt.Errorf("%w: check: %s: %s (of %d)", ErrViolation, report.Findings[0].Where, report.Findings[0].What,
			len(report.Findings))
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	old := r.tenant.Load()
	t := newTenant(api)
	if err := r.look(ctx, t); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	r.tenant.Store(t)
	close(old.replaced)
	return s, nil
}

// look reads each session.
func (r *run) look(ctx context.Context, at *tenant) error {
	var seen History
	for n := range r.Sessions {
		o := r.call(ctx, r.First+r.Clients, at, input{kind: get, id: sessionID(n)})
		if code := o.Output.(output).code; fails(code) {
			return fmt.Errorf("get: %s", code)
		}
		seen.add(o)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.h.Merge(&seen)
	return nil
}
