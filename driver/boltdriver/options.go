package boltdriver

import (
	"log/slog"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
)

// DefaultVerifyLimit is the default of Options.VerifyLimit, in bytes.
const DefaultVerifyLimit = dbfile.DefaultVerifyLimit

// Options configure Open. The zero value is the safe default.
type Options struct {
	// ReadOnly opens the file under a shared lock and never writes to it, so
	// that backups on read-only media open too. Default: false.
	ReadOnly bool

	// VerifyLimit is the largest file, in bytes, whose structure is checked
	// page by page, and whose indexes are compared with the records, before it
	// is opened. 0 means DefaultVerifyLimit, a negative value means that files
	// of any size are checked. Meta pages and the file's length are checked
	// always.
	VerifyLimit int64

	// SkipVerify leaves that check out. Damage is then found only when a
	// damaged page is read, if it is found at all. Default: false.
	SkipVerify bool

	// MaxSize is the largest size of the file in bytes. Writes that need more
	// fail and change nothing. Default: 0, no limit.
	MaxSize int64

	// LockTimeout is how long Open waits for another process or handle to let
	// go of the file before it returns ErrLocked. Default: 500ms.
	LockTimeout time.Duration

	// AllowNetworkFS opens files on network and FUSE file systems too, whose
	// locks and maps often do not do what the store relies on. Default: false.
	AllowNetworkFS bool

	// Logger gets what happens in the background. Default: nil, silent.
	Logger *slog.Logger

	// CountReads makes Stats count the pages and keys that reads visit.
	// Default: false.
	CountReads bool

	hooks dbfile.Hooks // tests only
	core  coreHooks    // tests only
}

// coreHooks are faults and limits that tests inject.
type coreHooks struct {
	share    bool                 // share snapshots even with a map that grows with the file
	headroom int64                // instead of 256 MiB
	patience time.Duration        // instead of patience
	inline   int                  // instead of maxInline
	commit   func(*bolt.Tx) error // instead of committing
	rollback func(*bolt.Tx) error // instead of rolling back
}

// forFile returns what opening the file takes of the options.
func (o *Options) forFile() dbfile.Options {
	return dbfile.Options{
		ReadOnly:       o.ReadOnly,
		LockTimeout:    o.LockTimeout,
		MaxSize:        o.MaxSize,
		AllowNetworkFS: o.AllowNetworkFS,
		VerifyLimit:    o.VerifyLimit,
		SkipVerify:     o.SkipVerify,
		Hooks:          o.hooks,
	}
}
