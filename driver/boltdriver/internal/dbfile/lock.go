package dbfile

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/seshatdb/seshat/driver"
)

const lockPoll = 10 * time.Millisecond

// claim is one handle's hold on a file within this process. File locks
// would be enough on most systems; if they belong to the process and not to the
// handle, only this keeps two handles apart.
type claim struct {
	info   os.FileInfo
	shared bool
}

var claims struct {
	mu   sync.Mutex
	held []*claim
}

// tryClaim returns nil if another handle of this process is in the way.
func tryClaim(info os.FileInfo, shared bool) *claim {
	claims.mu.Lock()
	defer claims.mu.Unlock()
	for _, c := range claims.held {
		if os.SameFile(c.info, info) && !(shared && c.shared) {
			return nil
		}
	}
	c := &claim{info, shared}
	claims.held = append(claims.held, c)
	return c
}

func (c *claim) release() {
	if c == nil {
		return
	}
	claims.mu.Lock()
	defer claims.mu.Unlock()
	claims.held = slices.DeleteFunc(claims.held, func(x *claim) bool { return x == c })
}

// acquire takes the process-wide claim and the file lock, waiting until the
// deadline. Then the error wraps ErrLocked.
func acquire(f *File, shared bool, deadline time.Time) (*claim, error) {
	for {
		c := tryClaim(f.Info, shared)
		holder := "this process"
		if c != nil {
			ok, err := lockHandle(f.Handle, shared)
			if ok {
				return c, nil
			}
			c.release()
			if err != nil {
				return nil, fmt.Errorf("lock %s: %w", f.Path, err)
			}
			holder = "another process"
		}
		if !time.Now().Before(deadline) {
			return nil, fmt.Errorf("%w: %s is open in %s", driver.ErrLocked, f.Path, holder)
		}
		time.Sleep(lockPoll)
	}
}
