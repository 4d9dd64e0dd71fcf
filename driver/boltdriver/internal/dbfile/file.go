package dbfile

import (
	"fmt"
	"os"
	"sync/atomic"

	"github.com/seshatdb/seshat/driver"
	bolt "go.etcd.io/bbolt"
)

// File is the open, locked and checked database file.
type File struct {
	DB         *bolt.DB    // the engine, opened on the file
	Handle     *os.File    // the one handle, shared with DB, that holds the lock
	Path       string      // absolute
	Info       os.FileInfo // device and inode of the file
	kernelName nameLink    // the kernel's own name of the file

	// BigMap says that the map is larger than the file, so that a commit which
	// stays below mapLimit never remaps and so never waits for readers.
	BigMap   bool
	MapLimit int64 // bytes

	claim  *claim
	probe  [probeSize]byte // of checkTrusted
	Broken error           // not nil: the file's name may not survive a power failure
	Stuck  atomic.Bool     // db does not close any more
}

// Check returns an error that wraps ErrFailed if the file's path does not name
// the open file any more. A commit would then be acknowledged into a file that
// nobody can open again.
func (f *File) Check() error {
	if f.Broken != nil {
		return fmt.Errorf("%w: %w", driver.ErrFailed, f.Broken)
	}
	if f.kernelName.says(f.Path) {
		return nil
	}
	now, err := os.Lstat(f.Path)
	if err != nil {
		return fmt.Errorf("%w: the file was removed or cannot be reached: %w", driver.ErrFailed, err)
	}
	if !os.SameFile(now, f.Info) {
		return fmt.Errorf("%w: %s was replaced by another file", driver.ErrFailed, f.Path)
	}
	return nil
}

// Close releases the map, the lock and the handle. It waits for open
// transactions, but if the engine is stuck it leaves the map to the
// process's end.
func (f *File) Close() error {
	if f.Stuck.Load() {
		f.Abandon()
		return fmt.Errorf("%w: the engine could not end a transaction", driver.ErrCorrupt)
	}
	err := Guarded("close", f.DB.Close)
	f.claim.release()
	return err
}
