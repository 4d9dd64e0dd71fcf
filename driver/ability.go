package driver

import (
	"context"
	"errors"
	"io"
	"time"
)

// Checker is a driver that can check the consistency of its data.
type Checker interface {
	// Check compares every index entry with its record, every record with its
	// index entries, the counters, and every checksum. It calls visit for every
	// record, message and entry, so that the store can check their bodies. An
	// error of visit is a finding. Check continues after a finding, up to limit
	// findings, and runs beside other calls.
	Check(ctx context.Context, limit int, visit Visitor) (Checked, error)
}

// Visitor has the functions that Check calls with the data it reads. Their
// arguments are valid only during the call. A nil function is not called.
type Visitor struct {
	// The functions for each kind of data.
	Record  func(*Record) error
	Message func(Key, *Message) error
	Entry   func(*Entry) error
}

// Checked is the result of a Check.
type Checked struct {
	// Numbers of the checked values.
	Records, Messages, Entries, Events uint64
	IndexEntries                       uint64

	Findings []Finding // at most the limit of the call
}

// Finding is one inconsistency.
type Finding struct {
	Where string // the key: contains the caller's ids, no content
	What  string // the inconsistency
}

// Backuper is a driver that can copy its data while it is in use.
type Backuper interface {
	// Backup writes one consistent, durable snapshot to w, as a file that the
	// driver can open. It returns the number of bytes written.
	Backup(ctx context.Context, w io.Writer) (int64, error)
}

// Compacter is a driver that can compact its file in place.
type Compacter interface {
	// Compact returns the sizes of the file in bytes. Other calls wait until it
	// is done. A failure or crash leaves either the old or the new file intact.
	Compact(ctx context.Context) (before, after int64, err error)
}

// Dumper is a driver that can return all its data, for a [Loader]. Package
// migrate copies stores with these two.
type Dumper interface {
	// Dump calls fn for each Part after a place (nil = from the first), in the
	// order of [Place.Compare], in one durable snapshot. Drivers with equal
	// data dump equal parts. Dump includes expired records, and staged logs
	// that Reclaim has not removed. It leaves out data that Remove, Drop or
	// Erase made invisible, and the note of a Load.
	//
	// The Part and all that it refers to are valid only during the call of fn.
	// fn may take long, but must not call the driver. Its error ends Dump and
	// is returned unchanged. Dump keeps one Part at a time in memory, and
	// little more for each namespace.
	//
	// Dump returns ErrCorrupt, with the place, if data is damaged. It has then
	// called fn for all parts before the damage.
	Dump(ctx context.Context, after *Place, fn func(*Part) error) error
}

// Loader is a driver that can load the parts of a Dumper.
type Loader interface {
	// Load adds parts and sets the note in one durable, atomic step. Indexes,
	// counters and the index of message ids follow from the parts. A load in
	// many steps ends in the same state as a load in one.
	//
	// The caller uses the note to find out how far it came. Entries returns it
	// under KindLoad while the load is under way. The driver must not be used
	// for anything else until the load is complete.
	//
	// Load returns ErrNotEmpty if the stored note is not Load.Was, or if that
	// is nil and the driver was used before; ErrInvalid or ErrTooLarge if a
	// part cannot be stored (see [Load.Validate]); ErrReadOnly; and ErrUnknown
	// if the step may have happened, which the note tells. After any error
	// except ErrUnknown, nothing happened.
	Load(ctx context.Context, l Load) error
}

// Load is one step of a Loader.
type Load struct {
	Parts []Part // in the order of Dump, without gaps since the last step
	Was   []byte // the stored note; nil = the load begins
	Note  []byte // the new note, 1 to Caps.MaxEntry bytes; nil = the load is complete
}

// KindLoad is the kind of the entry (namespace 0, no owner, no name) with the
// note of a load. No Change may write it.
const KindLoad uint8 = 0x3e

// ErrNotEmpty is the error of a Load into a driver that contains other data
// than its last step left.
var ErrNotEmpty = errors.New("store holds other data")

// Notifier is a driver with Caps.Shared that reports the changes of other
// processes. Without this ability, the store polls every second.
type Notifier interface {
	// Notify is called at most once, when the first watch begins. From then on
	// until Close, the driver calls fn with each namespace whose feed other
	// processes may have extended, soon after the events are visible. It calls
	// fn with 0 if that may be any namespace, such as after a lost connection.
	// fn returns at once and may be called at any time from any goroutine, also
	// before Notify returns.
	Notify(fn func(namespace uint64))
}

// Statser is a driver that counts its own work.
type Statser interface {
	// Stats returns the counters.
	Stats() Stats
}

// Stats counts a driver's work since it was opened.
type Stats struct {
	Commits      uint64        // commits of at least one change
	Ops          uint64        // ops in them
	MaxOps       uint64        // most ops in one commit
	CommitTime   time.Duration // of all commits
	MaxCommit    time.Duration // longest commit
	PagesWritten uint64        // pages written by commits, if the engine has pages
	BytesWritten uint64        // bytes written by commits
	PagesRead    uint64        // pages visited by reads, if the driver was asked to count them
	KeysRead     uint64        // keys visited by reads, if the driver was asked to count them
	FileSize     int64         // bytes
	FreePages    int64         // unused pages of the file
	PageSize     int           // bytes
	Failed       error         // why writes fail with ErrFailed; nil = they do not
}
