package driver

import (
	"context"
	"errors"
	"io"
	"time"
)

// Checker is a driver that can compare what it keeps twice: every index entry
// with its record, every record with its entries, every checksum, and the
// counters. Check calls visit for every record and every message, so that the
// store can check their bodies; what visit returns is one more finding. It
// goes on after a finding, up to limit of them, and runs beside other calls.
type Checker interface {
	Check(ctx context.Context, limit int, visit Visitor) (Checked, error)
}

// Visitor sees what Check reads. Its arguments are valid only during the call.
type Visitor struct {
	Record  func(*Record) error
	Message func(Key, *Message) error
	Entry   func(*Entry) error
}

// Checked is what a Check looked at and found.
type Checked struct {
	Records, Messages, Entries, Events uint64
	IndexEntries                       uint64
	Findings                           []Finding
}

// Finding is one thing that does not agree. Where names the key, with the
// caller's ids in it but no content.
type Finding struct {
	Where string
	What  string
}

// Backuper is a driver that can copy itself while it works. What it writes is
// one consistent, durable snapshot, as a file that the driver opens.
type Backuper interface {
	Backup(ctx context.Context, w io.Writer) (int64, error)
}

// Compacter is a driver whose file can be made smaller in place. Calls wait
// meanwhile. A failure or crash leaves the old file or the new one, whole.
type Compacter interface {
	Compact(ctx context.Context) (before, after int64, err error)
}

// Dumper is a driver that can hand out all that it keeps, so that a [Loader]
// can keep the same: package migrate moves stores by it.
type Dumper interface {
	// Dump calls fn for each Part after a place (nil = from the first), in the
	// order of [Place.Compare], all of one durable snapshot. Drivers that keep
	// the same hand out the same. Records are handed out whether they expired
	// or not, and staged logs until Reclaim removes them; what Remove, Drop or
	// Erase made invisible is left out, and so is the note of a Load.
	//
	// The Part, and what it refers to, is valid only during the call of fn.
	// fn may take its time, but must not call the driver. Its error ends Dump
	// and comes back unchanged. Dump holds one Part at a time in memory, and
	// little more for each namespace.
	//
	// ErrCorrupt: something is damaged, which the error names; what comes
	// before it was handed out.
	Dump(ctx context.Context, after *Place, fn func(*Part) error) error
}

// Loader is a driver that can take in what a Dumper handed out.
type Loader interface {
	// Load adds parts and sets the note, in one durable step: all of it
	// happens or nothing. Indexes, counters and the index of message ids follow
	// from the parts. A load of many steps ends in the same state as one.
	//
	// The note is the loading side's own, to find out how far it came: Entries
	// shows it under KindLoad for as long as the load goes on. Until then the
	// driver must not be used for anything else.
	//
	// ErrNotEmpty: the note is not Load.Was, or that is nil and the driver was
	// used before. ErrInvalid, ErrTooLarge: a part cannot be kept; see
	// [Load.Validate]. ErrReadOnly. ErrUnknown: it may have happened; the note
	// tells. But for ErrUnknown an error says that nothing happened.
	Load(ctx context.Context, l Load) error
}

// Load is one step of a Loader.
type Load struct {
	Parts []Part // as a Dump hands them out, without gaps since the last step
	Was   []byte // the note that is stored; nil = none: the load begins
	Note  []byte // the note from now on, 1 to Caps.MaxEntry bytes; nil = the load is over
}

// KindLoad is the entry (namespace 0, no owner, no name) that holds the note
// of a load. No Change may write it.
const KindLoad uint8 = 0x3e

// ErrNotEmpty is the outcome of a Load into a driver that holds something else
// than what its last step left.
var ErrNotEmpty = errors.New("store holds other data")

// Notifier is a driver with Caps.Shared that tells what other processes did.
// The store calls Notify at most once, when the first watch begins. From then
// on, until Close, the driver calls fn with a namespace whose feed they may
// have extended, soon after that is visible, or with 0 if it may have been any
// of them, such as after a lost connection. fn returns at once, and may be
// called at any time from any goroutine, also before Notify returns. Without
// this ability the store looks each second.
type Notifier interface {
	Notify(fn func(namespace uint64))
}

// Statser is a driver that counts its own work.
type Statser interface {
	Stats() Stats
}

// Stats counts a driver's work since it was opened.
type Stats struct {
	Commits      uint64        // commits of at least one change
	Ops          uint64        // ops in them
	MaxOps       uint64        // most ops in one commit
	CommitTime   time.Duration // sum
	MaxCommit    time.Duration // longest
	PagesWritten uint64        // pages written by commits, where the engine has pages
	BytesWritten uint64        // bytes written by commits
	PagesRead    uint64        // pages visited by reads, counted only if the driver was asked to
	KeysRead     uint64        // keys visited by reads, likewise
	FileSize     int64
	FreePages    int64
	PageSize     int
	Failed       error // not nil: ErrFailed is in force, and why
}
