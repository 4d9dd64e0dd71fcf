package lin

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/seshatdb/seshat"
)

// staleReads answers some reads with the result of an earlier one.
type staleReads struct {
	*seshat.Tenant
	seen sync.Map
}

func (b *staleReads) Get(ctx context.Context, id string) (*seshat.Session, error) {
	if s, ok := b.seen.Load(id); ok && rand.IntN(4) == 0 {
		return s.(*seshat.Session), nil
	}
	s, err := b.Tenant.Get(ctx, id)
	if err == nil {
		b.seen.Store(id, s)
	}
	return s, err
}

// lostCompare ignores the version that an update requires.
type lostCompare struct{ *seshat.Tenant }

func (b lostCompare) Update(ctx context.Context, id string, fn func(*seshat.Session) error,
	_ seshat.UpdateOptions,
) (*seshat.Session, error) {
	return b.Tenant.Update(ctx, id, fn, seshat.UpdateOptions{})
}

// earlyAnswer answers a deletion before making it.
type earlyAnswer struct {
	*seshat.Tenant
	late *sync.WaitGroup
}

func (b earlyAnswer) Delete(ctx context.Context, id string) (seshat.EraseReport, error) {
	if _, err := b.Tenant.Get(ctx, id); err != nil {
		return seshat.EraseReport{}, err
	}
	b.late.Go(func() { _, _ = b.Tenant.Delete(ctx, id) })
	return seshat.EraseReport{Sessions: 1}, nil
}

// revivals returns an expired session until another one replaces it.
type revivals struct {
	*seshat.Tenant
	seen sync.Map
}

func (b *revivals) Get(ctx context.Context, id string) (*seshat.Session, error) {
	s, err := b.Tenant.Get(ctx, id)
	if err == nil {
		b.seen.Store(id, s)
	} else if s, ok := b.seen.Load(id); ok {
		return s.(*seshat.Session), nil
	}
	return s, err
}

// Promise: the checker notices planted bugs. Otherwise its success would mean
// nothing.
func TestPlantedBugsAreNotLinearizable(t *testing.T) {
	var late sync.WaitGroup
	for name, wrap := range map[string]func(*seshat.Tenant) API{
		"stale reads":              func(t *seshat.Tenant) API { return &staleReads{Tenant: t} },
		"a lost compare-and-set":   func(t *seshat.Tenant) API { return lostCompare{t} },
		"an answer before the act": func(t *seshat.Tenant) API { return earlyAnswer{t, &late} },
		"a revived session":        func(t *seshat.Tenant) API { return &revivals{Tenant: t} },
	} {
		p := plan(*seed, inFile(t))
		p.Wrap = wrap
		h, err := p.Run(t.Context())
		late.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Check(patience); got != porcupine.Illegal {
			t.Errorf("%s: %s, want it to be found", name, got)
		}
	}
}
