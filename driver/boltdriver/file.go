package boltdriver

import (
	"fmt"
	"os"
	"sync/atomic"

	"github.com/seshatdb/seshat/driver"
	bolt "go.etcd.io/bbolt"
)

// file is the open, locked and checked database file.
type file struct {
	db         *bolt.DB
	f          *os.File    // the one handle, shared with db, that holds the lock
	path       string      // absolute
	info       os.FileInfo // device and inode of f
	kernelName nameLink    // the kernel's own idea of f's name

	// bigMap says that the map is larger than the file, so that a commit which
	// stays below mapLimit never remaps and so never waits for readers.
	bigMap   bool
	mapLimit int64 // bytes

	claim  *claim
	probe  [probeSize]byte // of checkTrusted
	broken error           // not nil: the file's name may not survive a power failure
	stuck  atomic.Bool     // db does not close any more
}

// check returns an error that wraps ErrFailed if the file's path does not name
// the open file any more. A commit would then be acknowledged into a file that
// nobody can open again.
func (f *file) check() error {
	if f.broken != nil {
		return fmt.Errorf("%w: %w", driver.ErrFailed, f.broken)
	}
	if f.kernelName.says(f.path) {
		return nil
	}
	now, err := os.Lstat(f.path)
	if err != nil {
		return fmt.Errorf("%w: the file was removed or cannot be reached: %w", driver.ErrFailed, err)
	}
	if !os.SameFile(now, f.info) {
		return fmt.Errorf("%w: %s was replaced by another file", driver.ErrFailed, f.path)
	}
	return nil
}

// close releases the map, the lock and the handle. It waits for open
// transactions, but where the engine is stuck it leaves the map to the
// process's end.
func (f *file) close() error {
	if f.stuck.Load() {
		f.abandon()
		return fmt.Errorf("%w: the engine could not end a transaction", driver.ErrCorrupt)
	}
	err := guarded("close", f.db.Close)
	f.claim.release()
	return err
}
