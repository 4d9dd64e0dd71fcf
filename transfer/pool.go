package transfer

import (
	"context"
	"sync"
)

// pool runs functions, a bounded number of them at once, until one fails.
type pool struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	slots  chan struct{}
	wg     sync.WaitGroup
}

func newPool(ctx context.Context, n int) *pool {
	p := &pool{slots: make(chan struct{}, n)}
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	return p
}

// run runs fn in a goroutine, once there is room. It returns the first failure
// of the functions before.
func (p *pool) run(fn func(context.Context) error) error {
	select {
	case p.slots <- struct{}{}:
	case <-p.ctx.Done():
		return context.Cause(p.ctx)
	}
	p.wg.Add(1)
	go func() {
		defer p.wg.Done()
		defer func() { <-p.slots }()
		if err := fn(p.ctx); err != nil {
			p.cancel(err)
		}
	}()
	return context.Cause(p.ctx)
}

// wait returns when all functions have, with the first failure, or err if that
// came before.
func (p *pool) wait(err error) error {
	if err != nil {
		p.cancel(err)
	}
	p.wg.Wait()
	err = context.Cause(p.ctx)
	p.cancel(nil)
	return err
}
