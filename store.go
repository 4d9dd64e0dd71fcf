package seshat

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/internal/clock"
	"github.com/seshatdb/seshat/internal/hub"
)

// Store stores the sessions of many tenants. All its methods, and those of its
// tenants, are safe for concurrent use.
type Store struct {
	d     driver.Driver
	opts  Options // complete
	clock clock.Clock
	sweep sweeper
	hub   *hub.Hub // of the namespaces' ordinals

	knownIDs knownIDs

	listening sync.Once // starts listening to commits of other processes

	closing  sync.Once
	closeErr error // result of Close; read after closing is done
}

// Open opens the store in the file at path, and creates the file if there is
// none. Only one process at a time can have a file open.
//
// Errors: ErrLocked if another process has the file open, or this one already
// has; ErrCorrupt if the file is damaged; ErrFormat if it is not a store of
// this version, or a migration into it is not complete; ErrInvalid if path is
// empty or an option is not allowed; an error of the file system.
func Open(path string, o Options) (*Store, error) {
	const op = "Open"
	o, err := o.withDefaults()
	if err == nil && path == "" {
		err = invalid("path", "is empty; a path is required")
	}
	if err != nil {
		return nil, wrapStoreError(op, err)
	}
	d, err := boltdriver.Open(path, boltdriver.Options{
		ReadOnly:       o.ReadOnly,
		MaxSize:        o.File.MaxSize,
		VerifyLimit:    cmp.Or(o.File.VerifyLimit, -1),
		SkipVerify:     o.File.VerifyLimit < 0,
		AllowNetworkFS: o.File.AllowNetworkFS,
		Logger:         o.Logger,
	})
	if err != nil {
		return nil, &Error{Op: op, Err: err}
	}
	return open(op, d, o)
}

// OpenMemory opens a store in memory, for unit tests. It behaves like a store
// in a file, and its data ends with it.
//
// Errors: ErrInvalid if an option is not allowed.
func OpenMemory(o Options) (*Store, error) { return openDriver("OpenMemory", memdriver.Open(), o) }

// OpenDriver opens a store on another engine. The store owns d from then on: it
// closes d, also if OpenDriver fails.
//
// Errors: ErrFormat if a migration into the engine is not complete; ErrInvalid
// if d is nil or an option is not allowed.
func OpenDriver(d driver.Driver, o Options) (*Store, error) {
	const op = "OpenDriver"
	if d == nil {
		return nil, wrapStoreError(op, invalid("driver", "is nil; a driver is required"))
	}
	return openDriver(op, d, o)
}

func openDriver(op string, d driver.Driver, o Options) (*Store, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, wrapStoreError(op, errors.Join(err, d.Close()))
	}
	return open(op, d, o)
}

// open makes a store on d. o is complete, and op is the function that was
// called.
func open(op string, d driver.Driver, o Options) (*Store, error) {
	s := &Store{d: d, opts: o, hub: hub.New()}
	s.opts.ReadOnly = o.ReadOnly || d.Caps().ReadOnly
	s.clock.Now = o.Now
	if o.machineClock {
		s.clock.Jump = clock.WallJump(time.Now())
	}
	err := s.checkNoPendingLoad()
	if err == nil {
		err = s.startClock()
	}
	if err != nil {
		return nil, &Error{Op: op, Err: errors.Join(err, d.Close())}
	}
	s.sweep.start(s)
	return s, nil
}

// checkNoPendingLoad returns ErrFormat if a migration into the store is not
// complete.
func (s *Store) checkNoPendingLoad() error {
	half, err := s.d.Entries(context.Background(), driver.EntryQuery{Kind: driver.KindLoad, Limit: 1})
	if err == nil && len(half) > 0 {
		err = fmt.Errorf("%w: a migration into the store is not complete", ErrFormat)
	}
	return err
}

// startClock starts the store's time at the time of the last commit.
func (s *Store) startClock() error {
	entries, err := s.d.Entries(context.Background(), driver.EntryQuery{Kind: driver.KindClock, Limit: 1})
	if err != nil {
		return err
	}
	if len(entries) == 1 && len(entries[0].Value) == 8 {
		s.clock.Start(int64(binary.BigEndian.Uint64(entries[0].Value)))
	}
	return nil
}

// Close stops the sweeper, ends watches, waits for running calls, and closes
// the file. Later calls return ErrClosed. Later calls of Close return the
// result of the first. OnSweep must not call Close.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.sweep.stop()
		s.hub.Close()
		s.closeErr = wrapStoreError("Close", s.d.Close())
	})
	return s.closeErr
}

// Driver returns the store's engine, for abilities that only that engine has.
func (s *Store) Driver() driver.Driver { return s.d }

// Stats are the counters of a store since it was opened.
type Stats struct {
	Driver      string        // name of the engine
	Engine      driver.Stats  // counters of the engine; zero if it has none
	Sweeps      uint64        // runs of the sweeper and of Sweep
	LastSweep   time.Time     // end of the last sweep; zero = none yet
	SweepLag    time.Duration // age of the earliest deadline that was not swept; 0 = none
	SweepPaused bool          // whether the machine's clock jumped: see SweepReport.ClockJump
}

// Stats returns the store's counters.
//
// Errors: ErrClosed.
func (s *Store) Stats(ctx context.Context) (Stats, error) {
	if err := checkContext(ctx); err != nil {
		return Stats{}, &Error{Op: "Stats", Err: err}
	}
	st := Stats{Driver: s.d.Caps().Name}
	now := s.clock.Read()
	due, err := s.d.Due(ctx, driver.DueQuery{Now: now, Limit: 1})
	if err != nil {
		return Stats{}, &Error{Op: "Stats", Err: err}
	}
	if len(due) > 0 {
		st.SweepLag = time.Duration(now-due[0].At) * time.Millisecond
	}
	if e, ok := s.d.(driver.Statser); ok {
		st.Engine = e.Stats()
	}
	s.sweep.stats(&st)
	return st, nil
}

// checkContext returns the context's error. A nil context is invalid.
func checkContext(ctx context.Context) error {
	if ctx == nil {
		return invalid("ctx", "is nil; a context is required")
	}
	return ctx.Err()
}

// planFunc decides the changes of one op.
type planFunc func(driver.View) (driver.Change, error)

// mutate runs one op, and wakes the watchers of its events.
func (s *Store) mutate(ctx context.Context, t driver.Target, plan planFunc) error {
	news := false
	return s.mutateWith(ctx, t, func(v driver.View) (driver.Change, error) {
		c, err := plan(v)
		news = len(c.Events) > 0 || c.Erase != nil
		return c, err
	}, &news)
}

// mutateWith is mutate for a plan that itself sets news, if its last run has
// events. Wrapping the plan would cost each write of a session a frame and an
// allocation.
func (s *Store) mutateWith(ctx context.Context, t driver.Target, plan planFunc, news *bool) error {
	if s.opts.ReadOnly {
		plan = refuseWrite
	}
	err := s.d.Mutate(ctx, &driver.Op{Target: t, Clock: s.clock.Read, Plan: plan})
	if err == nil && *news || errors.Is(err, ErrUnknown) {
		s.hub.Announce(t.Key.Namespace)
	}
	return err
}

// refuseWrite is the plan of every op of a read-only store.
func refuseWrite(driver.View) (driver.Change, error) { return driver.Change{}, ErrReadOnly }

// readEntry reads one entry. Errors: ErrNotFound.
func (s *Store) readEntry(ctx context.Context, k driver.EntryKey) ([]byte, error) {
	found, err := s.d.Entries(ctx, driver.EntryQuery{
		Namespace: k.Namespace, Kind: k.Kind, Owner: k.Owner, Name: k.Name, Limit: 1,
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	return found[0].Value, nil
}

// unsupported returns the error for an ability that the engine does not have.
func (s *Store) unsupported() error {
	return fmt.Errorf("%s: %w", s.d.Caps().Name, errors.ErrUnsupported)
}
