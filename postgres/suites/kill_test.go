//go:build unix

package suites

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/postgres/internal/pgserver"
	"github.com/seshatdb/seshat/test/lin"
)

// kills is a disaster: the server is killed.
type kills struct {
	server *pgserver.Server
	calls  int // that begin before it happens
	cut    *cut
}

// cut is a tenant whose server may be gone. It turns what a lost connection
// answers into ErrFailed, of which it is known that nothing happened: so the
// driver promises of every error but ErrUnknown.
type cut struct {
	*seshat.Tenant
	left  chan bool // calls that may still begin before the server is killed
	fatal chan struct{}
}

// Arm kills the server after so many calls.
func (k *kills) Arm(int) (<-chan struct{}, error) {
	c := &cut{left: make(chan bool), fatal: make(chan struct{})}
	k.cut = c
	go func() {
		for range k.calls {
			<-c.left
		}
		_ = k.server.Kill() // Recover finds out
		close(c.fatal)
	}()
	return c.fatal, nil
}

// Recover starts the server again.
func (k *kills) Recover(int) error { return k.server.Start() }

func (k *kills) wrap(t *seshat.Tenant) lin.API { return &cut{t, k.cut.left, k.cut.fatal} }

// begin counts a call.
func (c *cut) begin() {
	select {
	case c.left <- true:
	case <-c.fatal:
	}
}

var known = []error{
	seshat.ErrUnknown, seshat.ErrNotFound, seshat.ErrExists, seshat.ErrConflict, seshat.ErrReadOnly,
	seshat.ErrTransition, seshat.ErrClosed,
}

func undone[T any](v T, err error) (T, error) {
	for _, k := range known {
		if err == nil || errors.Is(err, k) {
			return v, err
		}
	}
	return v, fmt.Errorf("%w: %w", seshat.ErrFailed, err)
}

func (c *cut) Create(ctx context.Context, n seshat.NewSession) (*seshat.Session, error) {
	c.begin()
	return undone(c.Tenant.Create(ctx, n))
}

func (c *cut) Get(ctx context.Context, id string) (*seshat.Session, error) {
	c.begin()
	return undone(c.Tenant.Get(ctx, id))
}

func (c *cut) Update(ctx context.Context, id string, fn func(*seshat.Session) error,
	o seshat.UpdateOptions,
) (*seshat.Session, error) {
	c.begin()
	return undone(c.Tenant.Update(ctx, id, fn, o))
}

func (c *cut) Append(ctx context.Context, id string, messages ...seshat.Message) (*seshat.Session, error) {
	c.begin()
	return undone(c.Tenant.Append(ctx, id, messages...))
}

func (c *cut) Touch(ctx context.Context, id string) (*seshat.Session, error) {
	c.begin()
	return undone(c.Tenant.Touch(ctx, id))
}

func (c *cut) Transition(ctx context.Context, id string, to seshat.Status,
	o seshat.TransitionOptions,
) (*seshat.Session, error) {
	c.begin()
	return undone(c.Tenant.Transition(ctx, id, to, o))
}

func (c *cut) Delete(ctx context.Context, id string) (seshat.EraseReport, error) {
	c.begin()
	return undone(c.Tenant.Delete(ctx, id))
}

// Promise: calls stay linearizable when the server is killed under them and
// started again: one of unknown outcome happened or did not, another that
// failed did nothing.
func TestLinearizableAcrossKills(t *testing.T) {
	server, err := pgserver.New()
	if errors.Is(err, pgserver.ErrMissing) {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	p := plan(*seed, place{server.DSN(), "seshat"})
	k := &kills{server: server, calls: 200}
	p.Disaster, p.Disasters, p.Wrap, p.Pace = k, scaled(3, 30), k.wrap, 40
	h, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	linear(t, p.Seed, h)
	if h.Codes["failed"]+h.Codes["unknown"] == 0 {
		t.Error("no kill met a call")
	}
}
