package crash

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/seshatdb/seshat"
)

// runGroups does rounds; each call that returns is acknowledged at once. A
// member whose call is refused makes it again in the next round.
func (w *writer) runGroups(t task) error {
	ctx := context.Background()
	if err := w.open(t); err != nil {
		return err
	}
	defer w.s.Close()
	tenant, err := w.s.EnsureTenant(ctx, seshat.Namespace{Name: "t"})
	if err != nil {
		tenant, err = w.s.EnsureTenant(ctx, seshat.Namespace{Name: "t"})
	}
	if err != nil {
		return err
	}
	at, err := w.w.reached(ctx, w.s)
	if err != nil {
		return err
	}
	w.found(at)
	for n, more := t.From, 4; n <= t.To && more > 0 && err == nil; n++ {
		err = w.round(ctx, tenant, &at)
		if w.r.struck.Load() {
			more--
		}
	}
	return err
}

// found acknowledges what is there when the file is opened, and so durable.
func (w *writer) found(at progress) {
	low := slices.Min(at[:])
	w.r.say(event{kind: acked, n: low<<members | everyone})
	for i, round := range at {
		if round > low {
			w.r.say(event{kind: acked, n: round<<members | 1<<i})
		}
	}
}

// round lets the members that are furthest behind call, all at once.
func (w *writer) round(ctx context.Context, t *seshat.Tenant, at *progress) error {
	round := slices.Min(at[:]) + 1
	w.w.at(round)
	var errs [members]error
	var done sync.WaitGroup
	begin := make(chan struct{})
	for i := range at {
		if at[i] >= round {
			continue
		}
		done.Go(func() {
			<-begin
			if errs[i] = w.w.call(ctx, t, i, round); errs[i] == nil {
				at[i] = round
				w.r.say(event{kind: acked, n: round<<members | 1<<i})
			}
		})
	}
	close(begin)
	done.Wait()
	for i, err := range errs {
		if err == nil {
			continue
		}
		w.r.say(event{kind: failed, n: round, text: nature(err)})
		if errors.Is(err, seshat.ErrUnknown) {
			w.stopped(ctx, t, i, round)
			return err
		}
	}
	return nil
}

// stopped checks that the store takes no more writes, and can be read.
func (w *writer) stopped(ctx context.Context, t *seshat.Tenant, i, round int) {
	if err := w.w.call(ctx, t, i, round); !errors.Is(err, seshat.ErrFailed) {
		w.wrong(round, "it goes on writing after an unknown outcome")
	}
	if _, err := w.w.dump(ctx, w.s, true); err != nil {
		w.wrong(round, "it cannot be read after a failed write: "+err.Error())
	}
}
