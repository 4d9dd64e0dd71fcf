package migrate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// Options say how Run goes about. The zero value is useful.
type Options struct {
	// Progress, if it is not nil, is called now and then from Run's goroutine,
	// and must not call a driver.
	Progress func(Progress)

	// StepParts and StepBytes bound what one step copies: in parts, and in
	// bytes of values, of which the last may exceed it. A step is in memory,
	// and lost by a kill. The defaults are 4096 parts and 4 MiB.
	StepParts, StepBytes int
}

// Progress is how far Run came.
type Progress struct {
	Stage Stage // copying or comparing
	Done  Sums  // of this stage
	Total Sums  // what the source's counters say; no Parts
}

// Stage is what Run does.
type Stage string

// The stages of Run, in order.
const (
	Copying   Stage = "copying"
	Comparing Stage = "comparing"
)

// Report says what Run moved.
type Report struct {
	Sums
	Digest     Digest      // of all parts in their order: equal for drivers that hold the same
	Namespaces []Namespace // by Ordinal; 0 is the store itself: keys, names, policies
	Resumed    bool        // an earlier run had begun
	Present    bool        // nothing was to be done: the destination held the same before
}

// Namespace is what one namespace holds.
type Namespace struct {
	Ordinal uint64 // of the namespace, from 1; 0 is the store itself
	Sums
	Digest Digest // of all its parts: equal for drivers that hold the same in it
}

// Run makes to hold what from does, and compares both. from must not be
// written meanwhile: see the package. Run may be repeated: after an error, an
// interruption or a kill it goes on; once it succeeded it only compares.
// Neither driver is closed.
//
// ErrNotEmpty: to holds something else. ErrChanged: from was written; empty to
// and begin again. ErrDiffers: to did not keep what was loaded. ErrCorrupt:
// from is damaged, and what comes before the damage was copied. ErrInvalid,
// ErrTooLarge: to cannot keep something that from holds, such as a zero byte in
// an id. ErrFormat: from itself is a copy that is not complete, or to was left
// by another version's. errors.ErrUnsupported: a driver is no driver.Dumper, or
// to is no driver.Loader. ErrUnknown and others of the drivers.
func Run(ctx context.Context, from, to driver.Driver, o Options) (Report, error) {
	m, err := newMover(from, to, o)
	if err != nil {
		return Report{}, err
	}
	if err := m.start(ctx); err != nil {
		return Report{}, err
	}
	if !m.note.Copied {
		if err := m.copy(ctx); errors.Is(err, ErrNotEmpty) && m.stored == nil {
			return m.present(ctx, err)
		} else if err != nil {
			return Report{}, err
		}
	}
	r, err := m.verify(ctx)
	if err != nil {
		return Report{}, err
	}
	r.Resumed = m.resumed
	return r, m.loader.Load(ctx, driver.Load{Was: m.stored})
}

// mover is one Run.
type mover struct {
	o          Options
	from, to   driver.Driver
	source, is driver.Dumper // is: what the destination holds
	loader     driver.Loader

	note    note
	stored  []byte // the note as the destination has it; nil = none
	resumed bool
	tally   *tally // of what was copied
	step    []driver.Part
	bytes   int // in step
	total   Sums
}

func newMover(from, to driver.Driver, o Options) (*mover, error) {
	m := &mover{o: o, from: from, to: to, tally: newTally()}
	if m.o.StepParts <= 0 {
		m.o.StepParts = 4096
	}
	if m.o.StepBytes <= 0 {
		m.o.StepBytes = 4 << 20
	}
	if from == to {
		return nil, fmt.Errorf("%w: source and destination are one driver", driver.ErrInvalid)
	}
	var err error
	if m.source, err = dumperOf(from); err != nil {
		return nil, err
	}
	if m.is, err = dumperOf(to); err != nil {
		return nil, err
	}
	var ok bool
	if m.loader, ok = to.(driver.Loader); !ok {
		return nil, unsupported(to, "Loader")
	}
	return m, nil
}

func dumperOf(d driver.Driver) (driver.Dumper, error) {
	if dumper, ok := d.(driver.Dumper); ok {
		return dumper, nil
	}
	return nil, unsupported(d, "Dumper")
}

func unsupported(d driver.Driver, ability string) error {
	return fmt.Errorf("driver %q is no driver.%s: %w", d.Caps().Name, ability, errors.ErrUnsupported)
}

// start finds out how far an earlier run came.
func (m *mover) start(ctx context.Context) error {
	half, err := entry(ctx, m.from, driver.KindLoad)
	if err == nil && half != nil {
		err = fmt.Errorf("%w: the source is a copy that is not complete", driver.ErrFormat)
	}
	if err != nil {
		return err
	}
	v, err := entry(ctx, m.from, driver.KindClock)
	if err != nil {
		return err
	}
	m.note = note{Format: noteFormat}
	if len(v) == 8 {
		m.note.Clock = int64(binary.BigEndian.Uint64(v))
	}
	if err := m.resume(ctx); err != nil {
		return err
	}
	return m.measure(ctx)
}

func (m *mover) resume(ctx context.Context) (err error) {
	if m.stored, err = entry(ctx, m.to, driver.KindLoad); err != nil || m.stored == nil {
		return err
	}
	n, err := decodeNote(m.stored)
	if err != nil {
		return err
	}
	if n.Clock != m.note.Clock {
		return ErrChanged
	}
	m.note = n
	m.resumed = true
	m.tally.Sums = n.Sums
	if err := m.tally.restore(n.Hash); err != nil {
		return fmt.Errorf("%w: %w", driver.ErrFormat, err)
	}
	return nil
}

// entry returns the value of an entry of the store itself that has no name.
func entry(ctx context.Context, d driver.Driver, kind uint8) ([]byte, error) {
	found, err := d.Entries(ctx, driver.EntryQuery{Kind: kind, Limit: 1})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0].Value, nil
}

// copy loads what the destination does not have yet.
func (m *mover) copy(ctx context.Context) error {
	m.progress(Copying, m.tally.Sums)
	stuck := false // at the destination
	err := m.source.Dump(ctx, m.note.Last.after(), func(p *driver.Part) error {
		if len(m.step) > 0 && (len(m.step) >= m.o.StepParts || m.bytes >= m.o.StepBytes) {
			if err := m.load(ctx); err != nil {
				stuck = true
				return err
			}
		}
		m.bytes += len(m.tally.add(p))
		m.step = append(m.step, p.Clone())
		return nil
	})
	if err != nil && !stuck && ctx.Err() == nil {
		return errors.Join(err, m.load(ctx)) // what comes before the damage
	}
	if err != nil {
		return err
	}
	m.note.Copied = true
	return m.load(ctx)
}

// load makes one step.
func (m *mover) load(ctx context.Context) (err error) {
	m.note.Sums = m.tally.Sums
	if m.note.Hash, err = m.tally.state(); err != nil {
		return err
	}
	if n := len(m.step); n > 0 {
		m.note.Last = newPlace(m.step[n-1].Place())
	}
	next := m.note.encode()
	if err := m.loader.Load(ctx, driver.Load{Parts: m.step, Was: m.stored, Note: next}); err != nil {
		return err
	}
	clear(m.step)
	m.stored = next
	m.step = m.step[:0]
	m.bytes = 0
	m.progress(Copying, m.tally.Sums)
	return nil
}

// verify compares both drivers, and the source with what was copied of it.
func (m *mover) verify(ctx context.Context) (Report, error) {
	c := newComparison(m.source, m.is)
	c.drain = true
	c.progress = func(done Sums) { m.progress(Comparing, done) }
	err := c.run(ctx)
	if err != nil && !errors.Is(err, ErrDiffers) {
		return Report{}, err
	}
	if c.tally.digest() != m.tally.digest() {
		return Report{}, errors.Join(ErrChanged, err)
	}
	return c.report(), err
}

// present finds out whether a destination that was used already holds what the
// source does: a run that ended just before it could say so leaves that.
func (m *mover) present(ctx context.Context, refused error) (Report, error) {
	c := newComparison(m.source, m.is)
	c.progress = func(done Sums) { m.progress(Comparing, done) }
	if err := c.run(ctx); errors.Is(err, ErrDiffers) {
		return Report{}, refused
	} else if err != nil {
		return Report{}, err
	}
	r := c.report()
	r.Present = true
	return r, nil
}
