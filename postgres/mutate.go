package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// Mutate runs the ops in one transaction. It takes two round trips, unless an
// op reads data that an earlier op of the call changes: see attempt.run.
func (d *Driver) Mutate(ctx context.Context, ops ...*driver.Op) error {
	end, err := d.begin(ctx)
	if err != nil {
		return failAll(ops, err)
	}
	defer end()
	switch {
	case len(ops) == 0:
		return nil
	case d.caps.ReadOnly:
		return failAll(ops, driver.ErrReadOnly)
	case len(ops) > driver.MaxOps:
		return failAll(ops, fmt.Errorf("%d ops: %w", len(ops), driver.ErrTooLarge))
	}
	m := d.newMutation(ops)
	m.run(ctx)
	var first error
	for i := range m.ops {
		o := &m.ops[i]
		o.Err = o.err
		if first == nil {
			first = o.err
		}
	}
	return first
}

func failAll(ops []*driver.Op, err error) error {
	for _, o := range ops {
		o.Err = err
	}
	return err
}

// mutation is one call of Mutate.
type mutation struct {
	d   *Driver
	ops []opRun

	// exclusive locks entries of the store for writing, because an op writes
	// one.
	exclusive bool
}

// opRun is one op of a mutation.
type opRun struct {
	*driver.Op
	err     error // its error so far
	invalid bool  // err is final, even if other ops are repeated
	failure error // error that only the engine could detect
	purge   bool  // an old log of its incarnation must be removed first

	// State of one attempt.
	ran  bool // Plan ran and returned a change
	view driver.View
}

func (d *Driver) newMutation(ops []*driver.Op) *mutation {
	m := &mutation{d: d, ops: make([]opRun, len(ops))}
	for i, op := range ops {
		o := &m.ops[i]
		o.Op = op
		if o.err = op.Validate(); o.err == nil {
			o.err = checkTarget(&op.Target)
		}
		o.invalid = o.err != nil
	}
	return m
}

// pending returns the ops that are left to run.
func (m *mutation) pending() (ops []*opRun) {
	for i := range m.ops {
		if !m.ops[i].invalid {
			ops = append(ops, &m.ops[i])
		}
	}
	return ops
}

// errAgain asks for another attempt with what this one learned.
var errAgain = errors.New("again")

// run makes attempts until one succeeds or fails for good.
func (m *mutation) run(ctx context.Context) {
	ops := m.pending()
	for try, lostTries := 0, 0; len(ops) > 0; try++ {
		err := m.attempt(ctx, ops)
		if err == nil {
			return
		}
		if lost(err) {
			lostTries++
		}
		again := errors.Is(err, errAgain) || errors.Is(err, errRaced) || transient(err) && lostTries <= maxLost
		if !again || errors.Is(err, driver.ErrUnknown) || try >= maxTries {
			m.fail(ctx, ops, err)
			return
		}
		if errors.Is(err, errAgain) {
			continue
		}
		if err := pause(ctx, try); err != nil {
			m.fail(ctx, ops, err)
			return
		}
	}
}

// fail sets the error of a transaction in all ops that it would have changed.
func (m *mutation) fail(ctx context.Context, ops []*opRun, err error) {
	err = contextError(ctx, err)
	for _, o := range ops {
		switch {
		case o.err != nil:
		case o.ran && ctx.Err() != nil && !errors.Is(err, driver.ErrUnknown):
			o.err = fmt.Errorf("%w: %w", driver.ErrUnknown, err)
		default:
			o.err = err
		}
	}
}

func (m *mutation) attempt(ctx context.Context, ops []*opRun) error {
	for _, o := range ops {
		o.err = nil
		o.ran = false
		o.view = driver.View{}
	}
	conn, err := m.d.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	late, cancel := m.late(ctx)
	defer cancel()
	a := &attempt{
		mutation: m, conn: conn.Conn(), ctx: ctx, late: late, running: ops,
		locked: map[driver.Key]bool{}, crowded: map[uint64]bool{},
	}
	defer a.endFlights()
	err = a.run()
	if err != nil || !a.committed {
		a.rollback()
	}
	return err
}

// late returns the context of a call after a Plan ran. Its deadline still
// counts, but its cancellation does not, so that the caller learns the result.
func (m *mutation) late(ctx context.Context) (context.Context, context.CancelFunc) {
	if at, ok := ctx.Deadline(); ok {
		return context.WithDeadline(context.WithoutCancel(ctx), at)
	}
	return context.WithTimeout(context.WithoutCancel(ctx), m.d.o.CommitTimeout)
}

// checkTarget rejects text that the engine cannot store.
func checkTarget(t *driver.Target) error {
	if !isText(t.Key.ID) {
		return notText("Target.Key.ID")
	}
	for _, id := range t.MessageIDs {
		if !isText(id) {
			return notText("Target.MessageIDs")
		}
	}
	return nil
}

// checkChange rejects text and numbers that the engine cannot store.
func checkChange(c *driver.Change) error {
	for i := range c.Append {
		if c.Append[i].Seq >= maxSeq {
			return fmt.Errorf("%w: Append holds a number beyond %d", driver.ErrInvalid, int64(maxSeq))
		}
		if !isText(c.Append[i].ID) {
			return notText("Append")
		}
	}
	for i := range c.Events {
		if !isText(c.Events[i].ID) {
			return notText("Events")
		}
	}
	if c.Erase != nil && !isText(c.Erase.UserID) {
		return notText("Erase.User")
	}
	if c.Put == nil {
		return nil
	}
	for _, l := range c.Put.Labels {
		if !isText(l.Name) || !isText(l.Value) {
			return notText("Put.Labels")
		}
	}
	if !isText(c.Put.UserID) {
		return notText("Put.UserID")
	}
	return nil
}

func notText(field string) error {
	return fmt.Errorf("%w: %s is not valid UTF-8, or holds a zero byte", driver.ErrInvalid, field)
}

// rollbackTimeout is the time limit of a rollback. After it the connection is
// closed.
const rollbackTimeout = time.Second
