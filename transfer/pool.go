package transfer

import (
	"context"
	"sync"
)

// pool runs functions in a bounded number of goroutines until one fails.
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

// run waits for a free place and runs fn in a goroutine. It returns the first
// error of earlier functions.
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

// wait waits for all functions. It returns their first error, or else err.
func (p *pool) wait(err error) error {
	if err != nil {
		p.cancel(err)
	}
	p.wg.Wait()
	err = context.Cause(p.ctx)
	p.cancel(nil)
	return err
}
