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

	// LockTimeout is how long Open waits for another process or handle to
	// let go of the file. Default: 500ms.
	LockTimeout time.Duration

	// MaxSize is the largest size of the file in bytes. Commits that need more
	// fail. Default: 0, no limit.
	MaxSize int64

	// AllowNetworkFS opens files on network and FUSE file systems too.
	AllowNetworkFS bool

	// VerifyLimit is the largest file, in bytes, whose structure is checked
	// before it is opened. 0 means DefaultVerifyLimit, a negative value means
	// that files of any size are checked.
	VerifyLimit int64

	// SkipVerify leaves that check out. The meta pages and the file's length
	// are checked always.
	SkipVerify bool

	// Hooks are faults that tests inject. The zero value injects none.
	Hooks Hooks
}

// Hooks are faults that tests inject.
type Hooks struct {
	// NoBigMap acts as if the large map could not be made.
	NoBigMap bool
	// Step is called between the steps of opening, creating and compacting.
	Step func(name string)
	// IsRemote is asked instead of the file system.
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

// overLimit reports whether a file of that size is too large to be checked.
func (o *Options) overLimit(size int64) bool {
	limit := o.VerifyLimit
	if limit == 0 {
		limit = DefaultVerifyLimit
	}
	return limit > 0 && size > limit
}
