package transfer

import "sync"

// Existing selects the treatment of sessions and state that exist.
type Existing uint8

// The ways to treat existing sessions and state.
const (
	// Fail ends the import with seshat.ErrExists.
	Fail Existing = iota

	// Skip keeps the existing session or value and continues, so that an
	// interrupted import can be run again.
	Skip
)

// Options configure an import. The zero value is a good default.
type Options struct {
	// Existing applies to sessions that exist, and to keys of state that have
	// another value. The default is Fail.
	Existing Existing

	// Workers is the number of sessions that are written at once, so that they
	// share commits. The default is 16.
	Workers int

	// MaxLine is the longest line that is read, in bytes. The default is
	// DefaultMaxLine.
	MaxLine int
}

const defaultWorkers = 16

func (o Options) workers() int {
	if o.Workers <= 0 {
		return defaultWorkers
	}
	return o.Workers
}

// Report counts the results of an import.
type Report struct {
	Sessions uint64 // imported sessions
	Messages uint64 // messages of the imported sessions
	States   uint64 // keys of state set outside of sessions
	Skipped  uint64 // sessions that existed
	Expired  uint64 // sessions whose expires_at has passed
}

// tally is a Report that several goroutines update.
type tally struct {
	mu sync.Mutex // guards r
	r  Report
}

func (t *tally) add(f func(*Report)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.r)
}

func (t *tally) report() Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.r
}
