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

// Store keeps the sessions of many tenants. All its methods, and those of its
// tenants, are safe for concurrent use.
type Store struct {
	d     driver.Driver
	opts  Options // complete
	clock clock.Clock
	sweep sweeper
	hub   *hub.Hub // of the namespaces' ordinals

	knownIDs knownIDs

	listening sync.Once // to what other processes commit

	closing  sync.Once
	closeErr error // what Close returns; read after closing is done
}

// Open opens the store in the file at path, which is created if it is not
// there. One process at a time may have it open.
//
// ErrLocked: another one has. ErrCorrupt, ErrFormat: the file is damaged, or
// not a store of this version, or a migration into it is not complete.
// ErrInvalid: path is empty, or an option is not allowed.
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

// OpenMemory opens a store that lives in memory and ends with it: the same
// behaviour without a file, for unit tests. ErrInvalid: an option is not
// allowed.
func OpenMemory(o Options) (*Store, error) { return openDriver("OpenMemory", memdriver.Open(), o) }

// OpenDriver opens a store on another engine. The store owns d from then on,
// and closes it, also if OpenDriver fails. ErrFormat: a migration into it is
// not complete (see package migrate). ErrInvalid: d is nil, or an option is not
// allowed.
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

// checkNoPendingLoad refuses what package migrate has not completed.
func (s *Store) checkNoPendingLoad() error {
	half, err := s.d.Entries(context.Background(), driver.EntryQuery{Kind: driver.KindLoad, Limit: 1})
	if err == nil && len(half) > 0 {
		err = fmt.Errorf("%w: a migration into the store is not complete", ErrFormat)
	}
	return err
}

// startClock lets the store's time begin where the last commit left it.
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

// Close stops the sweeper, ends watches, waits for running calls and closes
// the file. Calls that begin later return ErrClosed, but for Close, which
// returns what the first one did. It must not be called from OnSweep.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.sweep.stop()
		s.hub.Close()
		s.closeErr = wrapStoreError("Close", s.d.Close())
	})
	return s.closeErr
}

// Driver returns the engine under the store, for what only that engine does.
func (s *Store) Driver() driver.Driver { return s.d }

// Stats are a store's own counters since it was opened.
type Stats struct {
	Driver      string        // the engine's name
	Engine      driver.Stats  // zero where the engine does not count
	Sweeps      uint64        // runs of the sweeper and of Sweep
	LastSweep   time.Time     // when the last one ended; zero = none yet
	SweepLag    time.Duration // how long the earliest due entry is overdue; 0 = none is
	SweepPaused bool          // the machine's clock jumped: see SweepReport.ClockJump
}

// Stats returns the store's counters. ErrClosed.
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

// checkContext refuses a call without a context.
func checkContext(ctx context.Context) error {
	if ctx == nil {
		return invalid("ctx", "is nil; a context is required")
	}
	return ctx.Err()
}

// planFunc decides what one op changes.
type planFunc func(driver.View) (driver.Change, error)

// mutate runs one op, and wakes those who watch what it did.
func (s *Store) mutate(ctx context.Context, t driver.Target, plan planFunc) error {
	news := false
	return s.mutateWith(ctx, t, func(v driver.View) (driver.Change, error) {
		c, err := plan(v)
		news = len(c.Events) > 0 || c.Erase != nil
		return c, err
	}, &news)
}

// mutateWith is mutate of a plan that says itself, in news, whether its last
// run has something to watch. Each write of a session passes here, so a
// wrapped plan would cost it a frame and an allocation.
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

// refuseWrite is the plan of every op of a store that is read-only.
func refuseWrite(driver.View) (driver.Change, error) { return driver.Change{}, ErrReadOnly }

// readEntry reads one small value. ErrNotFound.
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

// unsupported says that the engine lacks an ability.
func (s *Store) unsupported() error {
	return fmt.Errorf("%s: %w", s.d.Caps().Name, errors.ErrUnsupported)
}
