// Package memdriver keeps sessions in the memory of the process: in maps,
// sorted on demand. It is simple on purpose, so that it is obviously correct:
// other drivers are compared with it, and unit tests run on it. It copies all
// data on the way in and out, erases at once, and makes every call one step
// under one lock. It starts no goroutine and waits only for that lock, so it
// works in a testing/synctest bubble.
package memdriver

import (
	"context"
	"sync"

	"github.com/seshatdb/seshat/driver"
)

var (
	_ driver.Driver  = (*Driver)(nil)
	_ driver.Checker = (*Driver)(nil)
	_ driver.Dumper  = (*Driver)(nil)
	_ driver.Loader  = (*Driver)(nil)
)

// caps are so large that no sensible session reaches them. A test that does
// gets the same errors as from a driver that writes files.
var caps = driver.Caps{
	Name:       "memory",
	MaxRecord:  1 << 20,
	MaxMessage: 8 << 20,
	MaxEntry:   1 << 20,
}

// Driver is a store in memory. Its data is lost when the process ends.
type Driver struct {
	mu     sync.RWMutex // guards the fields below and all that they reach
	closed bool
	clock  int64 // largest committed View.Now
	spaces map[uint64]*space
	erased []driver.Erased // not yet reported by Reclaim
}

// Open returns a new, empty driver.
func Open() *Driver {
	return &Driver{spaces: make(map[uint64]*space)}
}

// Caps returns the driver's limits.
func (d *Driver) Caps() driver.Caps { return caps }

// Close waits for running calls and makes later ones return driver.ErrClosed.
func (d *Driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.spaces = nil
	d.erased = nil
	return nil
}

// ready returns an error if a call may not begin. d.mu must be held.
func (d *Driver) ready(ctx context.Context) error {
	if d.closed {
		return driver.ErrClosed
	}
	return ctx.Err()
}

// space returns namespace n for reading. If it does not exist, the result is
// empty and d does not keep it. d.mu must be held.
func (d *Driver) space(n uint64) *space {
	if s := d.spaces[n]; s != nil {
		return s
	}
	return newSpace()
}

// keep is space for writing: d keeps the result.
func (d *Driver) keep(n uint64) *space {
	s := d.space(n)
	d.spaces[n] = s
	return s
}
