package migrate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// Options configure Run. The zero value is a good default.
type Options struct {
	// Progress, if not nil, is called from time to time in Run's goroutine. It
	// must not call a driver.
	Progress func(Progress)

	// StepParts and StepBytes limit one step: the number of parts, and the
	// bytes of their values, which the last value may exceed. A step is held in
	// memory and lost if the process is killed. The defaults are 4096 parts and
	// 4 MiB.
	StepParts, StepBytes int
}

// Progress is the progress of Run.
type Progress struct {
	Stage Stage // copying or comparing
	Done  Sums  // finished, in this stage
	// Total comes from the source's counters, which do not count Parts.
	Total Sums
}

// Stage is a stage of Run.
type Stage string

// The stages of Run, in order.
const (
	Copying   Stage = "copying"
	Comparing Stage = "comparing"
)

// Report is the result of Run.
type Report struct {
	Sums
	// Digest is computed over all parts in order. Drivers with equal contents
	// have equal digests.
	Digest Digest
	// Namespaces is ordered by Ordinal. Ordinal 0 is the store itself: keys,
	// names, policies.
	Namespaces []Namespace
	// Resumed reports whether an earlier run had begun.
	Resumed bool
	// Present reports whether the destination had the same contents before, so
	// that nothing was copied.
	Present bool
}

// Namespace counts the contents of one namespace.
type Namespace struct {
	// Ordinal is the number of the namespace, from 1. Number 0 is the store
	// itself.
	Ordinal uint64
	Sums
	// Digest is computed over all its parts. Namespaces with equal contents
	// have equal digests.
	Digest Digest
}

// Run copies the contents of one driver, from, to another and compares both.
// Nobody may write to from meanwhile; see the package. Run may be repeated:
// after an error, an interruption or a kill it resumes; after success it only
// compares. It closes neither driver.
//
// Run returns
//
//   - ErrNotEmpty if to contains other data,
//   - ErrChanged if from was written: empty to and start again,
//   - ErrDiffers if to did not keep the data loaded into it,
//   - driver.ErrCorrupt if from is damaged: the data before the damage is
//     copied,
//   - driver.ErrInvalid or driver.ErrTooLarge if to cannot keep a value of
//     from, such as a zero byte in an id,
//   - driver.ErrFormat if from is an incomplete copy, or if another version
//     began to load to,
//   - errors.ErrUnsupported if a driver is no driver.Dumper, or to no
//     driver.Loader,
//
// and other errors of the drivers, such as driver.ErrUnknown.
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

// mover is one call of Run.
type mover struct {
	o          Options
	from, to   driver.Driver
	source, is driver.Dumper // is = the destination as it is
	loader     driver.Loader

	note    note
	stored  []byte // the note in the destination, nil = none
	resumed bool
	tally   *tally // copied parts
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
		return nil, fmt.Errorf("%w: source and destination are the same driver", driver.ErrInvalid)
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
	return fmt.Errorf("driver %q does not implement driver.%s: %w", d.Caps().Name, ability, errors.ErrUnsupported)
}

// start reads the position of an earlier run.
func (m *mover) start(ctx context.Context) error {
	half, err := entry(ctx, m.from, driver.KindLoad)
	if err == nil && half != nil {
		err = fmt.Errorf("%w: the source is an incomplete copy", driver.ErrFormat)
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

// entry returns the value of the store's own entry of a kind, without owner and
// name.
func entry(ctx context.Context, d driver.Driver, kind uint8) ([]byte, error) {
	found, err := d.Entries(ctx, driver.EntryQuery{Kind: kind, Limit: 1})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0].Value, nil
}

// copy loads the parts that the destination lacks.
func (m *mover) copy(ctx context.Context) error {
	m.progress(Copying, m.tally.Sums)
	stuck := false // the destination failed
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
		return errors.Join(err, m.load(ctx)) // keep what comes before the damage
	}
	if err != nil {
		return err
	}
	m.note.Copied = true
	return m.load(ctx)
}

// load loads one step.
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

// verify compares both drivers, and the source with the copied parts.
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

// present checks whether a destination that is not empty already has the
// contents of the source. That is the case after a run that was interrupted
// just before it finished.
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
