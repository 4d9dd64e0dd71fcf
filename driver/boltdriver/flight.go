package boltdriver

import "context"

// inflight is a commit that is being made. It may extend the life of a session
// that a reader finds expired: its ops read the clock before it passed the
// session's deadline, but are not durable yet. That reader waits for it, or a
// session that it found gone would be back later.
type inflight struct {
	clockBound int64         // upper bound on every clock reading of earlier commits
	done       chan struct{} // closed when readers see the outcome
}

// beginFlight is called before an op of the commit reads the clock, endFlight
// when readers see what became of it.
func (w *writer) beginFlight() {
	w.d.flight.Store(&inflight{clockBound: w.clock, done: make(chan struct{})})
}

func (w *writer) endFlight() {
	if f := w.d.flight.Swap(nil); f != nil {
		close(f.done)
	}
}

// extends reports whether the commit may extend the life of a session that
// ended at that time.
func (f *inflight) extends(expires int64) bool { return f != nil && expires > f.clockBound }

// wait returns when the commit is over.
func (f *inflight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readLatest runs fn on the newest durable state, and once more if it met
// sessions that expired and that a commit under way may have extended. A flight
// that begins later reads the clock after the caller did, and extends none of
// them.
func (d *Driver) readLatest(ctx context.Context, fn func(*view) error) error {
	if err := d.checkOpen(ctx); err != nil {
		return err
	}
	f := d.flight.Load()
	expired, err := d.readOnce(fn)
	if err != nil || !f.extends(expired) {
		return err
	}
	if err := f.wait(ctx); err != nil {
		return err
	}
	_, err = d.readOnce(fn)
	return err
}

// readOnce returns the latest end of a session that fn met as expired.
func (d *Driver) readOnce(fn func(*view) error) (expired int64, err error) {
	s, err := d.snapshot()
	if err != nil {
		return 0, err
	}
	defer d.release(s)
	v := s.view
	v.expired = &expired
	err = fn(&v)
	return expired, err
}
