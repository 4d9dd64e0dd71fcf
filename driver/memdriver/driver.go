// Package memdriver keeps sessions in the memory of the process: maps, and
// sorting when a query asks for an order. It is naive on purpose, so that it
// is plainly right: other drivers are compared with it, and unit tests run on
// it. Everything is copied on its way in and out, an erasure deletes at once,
// and one lock makes every call a single step. It starts no goroutine and
// waits for nothing but that lock, so it works in a testing/synctest bubble.
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

// caps are limits that no sensible session meets, so that a test which does
// meet them finds the same errors as on a driver that writes files.
var caps = driver.Caps{
	Name:       "memory",
	MaxRecord:  1 << 20,
	MaxMessage: 8 << 20,
	MaxEntry:   1 << 20,
}

// Driver is a store in memory. Its data ends with it.
type Driver struct {
	mu     sync.RWMutex // guards what follows, and all that it reaches
	closed bool
	clock  int64 // the largest View.Now committed
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

// ready reports why a call may not begin. d.mu must be held.
func (d *Driver) ready(ctx context.Context) error {
	if d.closed {
		return driver.ErrClosed
	}
	return ctx.Err()
}

// space returns what namespace n holds, to be read: it may be a new, empty one
// that d does not keep. d.mu must be held.
func (d *Driver) space(n uint64) *space {
	if s := d.spaces[n]; s != nil {
		return s
	}
	return newSpace()
}

// keep is space for a change.
func (d *Driver) keep(n uint64) *space {
	s := d.space(n)
	d.spaces[n] = s
	return s
}
