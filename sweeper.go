package seshat

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// feedsPerSweep is the number of feeds that one sweep trims by age, in turn, so
// that the cost of a sweep does not grow with the store.
const feedsPerSweep = 64

// trimFeeds removes events older than Options.FeedAge from the next feeds.
func (w *sweepRun) trimFeeds(ctx context.Context) error {
	s := w.s
	if s.opts.FeedAge == Never {
		return nil
	}
	before := s.clock.Read() - rules.Millis(s.opts.FeedAge)
	page, err := s.d.Entries(ctx,
		driver.EntryQuery{Kind: kindNamespace, After: s.sweep.feedCursor, Limit: feedsPerSweep})
	if err != nil {
		return err
	}
	for _, e := range page {
		n, err := decodeNamespace(e.Value)
		if err == nil {
			err = w.trimFeed(ctx, n.ordinal, before)
		} else if w.r.Err == nil {
			w.r.Err = err
			err = nil // trim the other feeds nevertheless
		}
		if err != nil {
			return err
		}
		s.sweep.feedCursor = e.Name
	}
	if len(page) < feedsPerSweep {
		s.sweep.feedCursor = "" // start again at the first feed
	}
	return nil
}

// trimFeed removes a namespace's events up to and including that time.
func (w *sweepRun) trimFeed(ctx context.Context, ord uint64, before int64) error {
	f, err := w.s.d.Feed(ctx, driver.FeedQuery{Namespace: ord, After: math.MaxUint64, Limit: 1})
	for tail := f.Tail; err == nil && tail < f.Head; {
		start := time.Now()
		limit := w.chunk
		f, err = w.s.d.Feed(ctx, driver.FeedQuery{Namespace: ord, After: tail, Limit: limit})
		if err != nil {
			break
		}
		old := slices.IndexFunc(f.Events, func(e driver.Event) bool { return e.Time > before })
		if old < 0 {
			old = len(f.Events)
		}
		if old == 0 {
			return nil
		}
		tail = f.Events[old-1].Position
		if err = w.s.trimFeed(ctx, ord, tail); err != nil {
			break
		}
		w.r.Trimmed += old
		w.r.Chunks++
		if err = w.pause(ctx, time.Since(start)); err != nil || old < limit {
			break
		}
	}
	if errors.Is(err, ErrLagged) {
		return nil // a write trimmed the feed meanwhile
	}
	return err
}

func (s *Store) trimFeed(ctx context.Context, ord, to uint64) error {
	return s.mutate(ctx, driver.Target{Key: driver.Key{Namespace: ord}}, func(v driver.View) (driver.Change, error) {
		if to := min(to, v.FeedHead); to > v.FeedTail {
			return driver.Change{TrimFeed: to}, nil
		}
		return driver.Change{}, nil
	})
}

// A sweep starts with small transactions. It doubles their size after one that
// took less than quickChunk, and halves it after one that took more than
// slowChunk, so that a writer never waits long for a sweep.
const (
	firstChunk = 64
	maxChunk   = driver.MaxOps
	quickChunk = 15 * time.Millisecond
	slowChunk  = 25 * time.Millisecond
)

// maxClockJump is the difference between the wall clock and the monotonic one
// above which the sweeper stops.
const maxClockJump = time.Hour

// sweepOnce runs one sweep. It pauses restFactor times as long as it worked.
func (s *Store) sweepOnce(ctx context.Context, o SweepOptions, restFactor int) (SweepReport, error) {
	if err := checkContext(ctx); err != nil {
		return SweepReport{}, err
	}
	if o.Limit < 0 {
		return SweepReport{}, invalid("limit", "is %d; 0 (no limit) or more is allowed", o.Limit)
	}
	if o.DryRun {
		return s.previewSweep(ctx, o)
	}
	if s.opts.ReadOnly {
		return SweepReport{}, ErrReadOnly
	}
	unlock, err := s.sweep.lock(ctx)
	if err != nil {
		return SweepReport{}, err
	}
	defer unlock()
	run := sweepRun{s: s, o: o, rest: restFactor, chunk: firstChunk}
	if jump := s.clockJump(o.AcceptClock); jump > 0 {
		run.r.ClockJump = jump
	} else {
		run.err = run.run(ctx)
	}
	if run.r.Err == nil {
		run.r.Err = run.err
	}
	s.sweep.recordSweep(&run.r)
	return run.r, run.err
}

// clockJump returns the jump of the machine's clock if it is above
// maxClockJump, otherwise 0. If accept is set, the jump is trusted from then
// on.
func (s *Store) clockJump(accept bool) time.Duration {
	s.sweep.mu.Lock()
	defer s.sweep.mu.Unlock()
	if s.clock.Jump == nil {
		return 0
	}
	jump := s.clock.Jump() - s.sweep.accepted
	if jump <= maxClockJump {
		return 0
	}
	if accept {
		s.sweep.accepted += jump
		return 0
	}
	return jump
}

// sweepRun is the state of one sweep.
type sweepRun struct {
	s     *Store
	o     SweepOptions
	rest  int
	chunk int
	seen  int
	after *driver.Due
	r     SweepReport
	err   error
}

func (w *sweepRun) run(ctx context.Context) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		start := time.Now()
		var err error
		if more, err = w.sweepChunk(ctx); err != nil {
			return err
		}
		if err := w.pause(ctx, time.Since(start)); err != nil {
			return err
		}
	}
	if err := w.trimFeeds(ctx); err != nil {
		return err
	}
	for more := true; more; {
		start := time.Now()
		r, err := w.s.d.Reclaim(ctx, w.s.clock.Read(), w.chunk)
		if err != nil {
			return err
		}
		w.r.Reclaimed += r.Values
		if more = r.More; r.Values > 0 {
			w.r.Chunks++
		}
		if err := w.pause(ctx, time.Since(start)); err != nil {
			return err
		}
	}
	return nil
}

// pause adapts the size of the next transaction to the time that the last one
// took, and then pauses.
func (w *sweepRun) pause(ctx context.Context, took time.Duration) error {
	w.r.Took += took
	switch {
	case took > slowChunk:
		w.chunk = max(1, w.chunk/2)
	case took < quickChunk:
		w.chunk = min(maxChunk, w.chunk*2)
	}
	if w.rest == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(took * time.Duration(w.rest)):
		return nil
	}
}

// sweepChunk sweeps one chunk, and reports whether there may be more.
func (w *sweepRun) sweepChunk(ctx context.Context) (bool, error) {
	limit := w.chunk
	if w.o.Limit > 0 {
		limit = min(limit, w.o.Limit-w.seen)
	}
	if limit == 0 {
		return false, nil
	}
	due, err := w.s.d.Due(ctx, driver.DueQuery{Now: w.s.clock.Read(), After: w.after, Limit: limit})
	if err != nil || len(due) == 0 {
		return false, err
	}
	sweeps := make([]sweepPlan, len(due))
	ops := make([]*driver.Op, len(due))
	for i := range due {
		p := &sweeps[i]
		p.store = w.s
		p.key = due[i].Key
		p.op = driver.Op{Target: driver.Target{Key: p.key}, Clock: w.s.clock.Read, Plan: p.apply}
		ops[i] = &p.op
	}
	err = w.s.d.Mutate(ctx, ops...)
	w.r.Chunks++
	stop := true // whether every op failed, and not because of its session
	for i := range sweeps {
		w.addOutcome(&sweeps[i])
		stop = stop && sweeps[i].op.Err != nil && !isDamaged(sweeps[i].op.Err)
		w.s.hub.Announce(sweeps[i].key.Namespace)
	}
	w.seen += len(due)
	w.after = &due[len(due)-1]
	if stop {
		return false, err
	}
	return len(due) == limit, nil
}

// isDamaged reports whether an error concerns one session, so that the sweep of
// others can continue.
func isDamaged(err error) bool { return errors.Is(err, ErrCorrupt) || errors.Is(err, ErrFormat) }

func (w *sweepRun) addOutcome(op *sweepPlan) {
	switch {
	case op.op.Err != nil:
		w.r.Failed++
		if w.r.Err == nil {
			w.r.Err = op.op.Err
		}
	case op.action == actExpire:
		w.r.Expired++
	case op.action == actIdle:
		w.r.Idled++
	case op.action == actArchive:
		w.r.Archived++
	case op.action == actReschedule:
		w.r.Rescheduled++
	}
}

// action is the effect of a sweep on one session.
type action uint8

const (
	actNone action = iota
	actExpire
	actIdle
	actArchive
	actReschedule
)

var actionNames = [...]string{actExpire: "expire", actIdle: "idle", actArchive: "archive"}

// sweepPlan is the sweep of one session.
type sweepPlan struct {
	sessionWrite
	op     driver.Op
	action action
	body   []byte
}

func (p *sweepPlan) apply(v driver.View) (driver.Change, error) {
	p.sessionWrite = sessionWrite{store: p.store, key: p.key, buf: &p.body, view: v}
	p.action = actNone
	switch rec := v.Record; {
	case rec == nil || rec.Due > v.Now:
		return driver.Change{}, nil // removed or moved since it was listed
	case rec.Expires <= v.Now:
		p.action = actExpire
		p.removeExpired()
	default:
		if err := p.load("", ""); err != nil {
			return driver.Change{}, err
		}
		p.action = actionOf(p.session, p.statusMoved)
		p.reschedule()
	}
	p.build()
	return p.out, nil
}

func actionOf(s *storedSession, moved bool) action {
	if !moved {
		return actReschedule
	}
	switch s.timeline.Status {
	case rules.Idle:
		return actIdle
	case rules.Archived:
		return actArchive
	case rules.Active, rules.Terminated: // time brings no session to them
	}
	return actReschedule
}

// sweeper is the store's one background goroutine, and the lock between sweeps
// and erasures.
type sweeper struct {
	running    chan struct{} // holds one token while a sweep or an erasure runs
	cancel     context.CancelFunc
	stopped    chan struct{} // closed when the goroutine has ended; nil = there is none
	feedCursor string        // namespace whose feed was trimmed last; guarded by running

	mu       sync.Mutex // guards the fields below
	accepted time.Duration
	sweeps   uint64
	last     time.Time
	paused   bool
}

// lock waits until no sweep and no erasure runs, or ctx ends.
func (w *sweeper) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case w.running <- struct{}{}:
		return func() { <-w.running }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// start starts the goroutine, unless s is read-only or SweepEvery is Never.
func (w *sweeper) start(s *Store) {
	w.running = make(chan struct{}, 1)
	if s.opts.ReadOnly || s.opts.SweepEvery == Never {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	w.stopped = make(chan struct{})
	go func() {
		defer close(w.stopped)
		s.sweepLoop(ctx)
	}()
}

// stop stops the goroutine and waits for its end.
func (w *sweeper) stop() {
	if w.stopped == nil {
		return
	}
	w.cancel()
	<-w.stopped
}

// recordSweep records the end of a sweep.
func (w *sweeper) recordSweep(r *SweepReport) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sweeps++
	w.last = time.Now()
	w.paused = r.ClockJump > 0
}

func (w *sweeper) stats(st *Stats) {
	w.mu.Lock()
	defer w.mu.Unlock()
	st.Sweeps = w.sweeps
	st.LastSweep = w.last
	st.SweepPaused = w.paused
}

// sweepLoop sweeps every Options.SweepEvery, and pauses within a sweep as long
// as it worked.
func (s *Store) sweepLoop(ctx context.Context) {
	timer := time.NewTimer(s.opts.SweepEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		r, err := s.sweepOnce(ctx, SweepOptions{}, 1)
		if ctx.Err() != nil {
			return
		}
		s.reportSweep(ctx, &r, err)
		timer.Reset(s.opts.SweepEvery)
	}
}

// reportSweep reports a background sweep to the Logger and to OnSweep.
func (s *Store) reportSweep(ctx context.Context, r *SweepReport, err error) {
	switch {
	case r.ClockJump > 0:
		s.opts.Logger.ErrorContext(ctx, "sweeper paused: the machine's clock jumped ahead", "jump", r.ClockJump)
	case err != nil:
		s.opts.Logger.ErrorContext(ctx, "sweep failed", "error", err)
	case r.Err != nil:
		s.opts.Logger.WarnContext(ctx, "some sessions could not be swept", "failed", r.Failed, "error", r.Err)
	}
	if s.opts.OnSweep != nil && !r.idle() {
		s.opts.OnSweep(*r)
	}
}
