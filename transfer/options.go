package transfer

import "sync"

// Existing says what becomes of something that is there already.
type Existing uint8

// What can become of it.
const (
	// Fail ends the import with seshat.ErrExists.
	Fail Existing = iota

	// Skip leaves it as it is and goes on, so that an import that was
	// interrupted can be run again.
	Skip
)

// Options say how to import. The zero value is right for most.
type Options struct {
	// Existing is about sessions, and keys of state that have another value.
	// The default is Fail.
	Existing Existing

	// Workers is how many sessions are written at once, so that they share
	// commits. The default is 16.
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

// Report says what an import did.
type Report struct {
	Sessions uint64 // imported
	Messages uint64 // in them
	States   uint64 // keys of state that were set outside of sessions
	Skipped  uint64 // sessions that were there
	Expired  uint64 // sessions whose expires_at has passed
}

// tally is a Report that several goroutines add to.
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
