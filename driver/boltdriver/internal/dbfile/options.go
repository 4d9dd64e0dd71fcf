package dbfile

import (
	"os"
	"time"
)

// DefaultVerifyLimit is the default of Options.VerifyLimit, in bytes.
const DefaultVerifyLimit = 4 << 30

const defaultLockTimeout = 500 * time.Millisecond

// Options configure Open. The zero value is the safe default.
type Options struct {
	// ReadOnly opens the file under a shared lock and never writes to it.
	ReadOnly bool

	// LockTimeout is the longest time that Open waits until another process or
	// handle closes the file. Default: 500ms.
	LockTimeout time.Duration

	// MaxSize is the largest size of the file in bytes. A commit that needs
	// more fails. Default: 0, no limit.
	MaxSize int64

	// AllowNetworkFS opens files on network and FUSE file systems too.
	AllowNetworkFS bool

	// VerifyLimit is the largest file, in bytes, whose structure Open checks.
	// 0 means DefaultVerifyLimit; with a negative value Open checks files of
	// any size.
	VerifyLimit int64

	// SkipVerify skips that check. Open always checks the meta pages and the
	// file's length.
	SkipVerify bool

	// Hooks are faults that tests inject. The zero value injects none.
	Hooks Hooks
}

// Hooks are faults that tests inject.
type Hooks struct {
	// NoBigMap makes the large memory map fail.
	NoBigMap bool
	// Step is called between the steps of opening, creating and compacting.
	Step func(name string)
	// IsRemote replaces the check for a network file system.
	IsRemote func(*os.File) bool
}

func (h Hooks) remote(f *os.File) bool {
	if h.IsRemote != nil {
		return h.IsRemote(f)
	}
	return isRemote(f)
}

func (h Hooks) at(step string) {
	if h.Step != nil {
		h.Step(step)
	}
}

func (o *Options) lockTimeout() time.Duration {
	if o.LockTimeout <= 0 {
		return defaultLockTimeout
	}
	return o.LockTimeout
}

// overLimit reports whether a file of that size is too large for the check.
func (o *Options) overLimit(size int64) bool {
	limit := o.VerifyLimit
	if limit == 0 {
		limit = DefaultVerifyLimit
	}
	return limit > 0 && size > limit
}
