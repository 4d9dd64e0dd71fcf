package driver

import (
	"context"
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
