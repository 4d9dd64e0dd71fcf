package dbfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck"
	bolt "go.etcd.io/bbolt"
)

// openAttempts is the largest number of attempts of an open. An attempt is lost
// if the file vanishes or is replaced during it.
const openAttempts = 64

// ErrMoved means that another file took the path during the wait for the lock.
var ErrMoved = errors.New("file was replaced while it was opened")

// Open opens the store's file at path. If there is none, it creates a complete
// one.
func Open(path string, o Options) (*File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(o.lockTimeout())
	for range openAttempts {
		f, err := openExisting(path, o, deadline)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, ErrMoved):
		case errors.Is(err, fs.ErrNotExist) && !o.ReadOnly:
			err := createFile(path, o)
			if err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, ErrMoved) {
				return nil, fmt.Errorf("create %s: %w", path, err)
			}
		default:
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: %s keeps being replaced", driver.ErrLocked, path)
}

// openExisting opens path if it exists. It locks and checks the file before it
// trusts, maps or writes any part of it, and it writes only to a file that it
// knows to be a store.
func openExisting(path string, o Options, deadline time.Time) (_ *File, err error) {
	f, err := lockExisting(path, o, deadline)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(Options) error{f.verify, f.openBolt, f.checkFormat, f.prepareForWrites} {
		if err := step(o); err != nil {
			f.Abandon()
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return f, nil
}

// lockExisting opens and locks path, if it exists, and reads no content.
func lockExisting(path string, o Options, deadline time.Time) (_ *File, err error) {
	h, err := openHandle(path, o)
	if err != nil {
		return nil, err
	}
	f := &File{Handle: h, Path: path}
	defer func() {
		if err != nil {
			f.Abandon()
		}
	}()
	if !o.AllowNetworkFS && o.Hooks.remote(h) {
		return nil, fmt.Errorf("%s: %w: it is on a network or FUSE file system (see Options.AllowNetworkFS)",
			path, errors.ErrUnsupported)
	}
	if f.Info, err = h.Stat(); err != nil {
		return nil, err
	}
	if f.claim, err = acquire(f, o.ReadOnly, deadline); err != nil {
		return nil, err
	}
	if !stillThere(h, path) {
		return nil, ErrMoved
	}
	f.kernelName = linkTo(h, path)
	f.Info, err = h.Stat() // it may have grown during the wait for the lock
	return f, err
}

// Abandon closes and unlocks the file, and closes its engine unless that is
// stuck. It unlocks explicitly, because closing may not: an engine that
// panicked may have leaked its mapping, which keeps the lock.
func (f *File) Abandon() {
	if f.DB != nil && !f.Stuck.Load() {
		_ = Guarded("close", f.DB.Close)
	}
	_ = unlockHandle(f.Handle)
	_ = f.Handle.Close()
	f.claim.release()
}

// openHandle opens path if it is a regular file. It refuses symbolic links and
// all other kinds of files.
func openHandle(path string, o Options) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file (%s)", driver.ErrFormat, path, info.Mode().Type())
	}
	flag := os.O_RDWR
	if o.ReadOnly {
		flag = os.O_RDONLY
	}
	h, err := os.OpenFile(path, flag|noFollow, 0)
	if isLinkRefusal(err) {
		return nil, fmt.Errorf("%w: %s is a symbolic link", driver.ErrFormat, path)
	}
	return h, err
}

// openBolt opens the engine on the locked handle. The engine writes its sorted
// list of free pages with each commit. It keeps an array sorted, but would have
// to sort a map. A map would be faster only to find adjacent pages among very
// many free ones.
func (f *File) openBolt(o Options) error {
	size := f.mapSize(o)
	return Guarded("open", func() (err error) {
		f.DB, err = bolt.Open(f.Path, 0o600, &bolt.Options{
			Timeout:         time.Second,
			PageSize:        format.PageSize,
			FreelistType:    bolt.FreelistArrayType,
			InitialMmapSize: size,
			MaxSize:         int(min(o.MaxSize, math.MaxInt)),
			ReadOnly:        o.ReadOnly,
			OpenFile:        useHandle(f.Handle),
		})
		return err
	})
}

// checkFormat upgrades a file of an older version, unless it is opened
// read-only, and checks the schema.
func (f *File) checkFormat(o Options) error {
	return Guarded("open", func() error {
		if !o.ReadOnly {
			if err := format.Upgrade(f.DB); err != nil {
				return err
			}
		}
		return f.DB.View(format.CheckSchema)
	})
}

// prepareForWrites restricts access to the file, makes its newest commit
// durable, and removes leftovers of crashes.
func (f *File) prepareForWrites(o Options) error {
	if o.ReadOnly {
		return nil
	}
	if err := tighten(f.Handle); err != nil {
		return err
	}
	if err := rewriteMeta(f.Handle, f.DB.Sync); err != nil {
		return err
	}
	cleanLeftovers(f.Path)
	return syncDir(filepath.Dir(f.Path))
}

// useHandle makes the engine use f, which is open and locked.
func useHandle(f *os.File) func(string, int, os.FileMode) (*os.File, error) {
	return func(string, int, os.FileMode) (*os.File, error) { return f, nil }
}

// verify checks the locked file before it is mapped. It always checks the meta
// pages and the length. It checks the whole structure, and the indexes against
// the records, unless o skips that or the file is over the limit.
func (f *File) verify(o Options) error {
	ctx := context.Background()
	size := f.Info.Size()
	if _, err := fsck.Walk(ctx, f.Handle, size, fsck.Options{MetaOnly: true}); err != nil {
		return err
	}
	if o.SkipVerify || o.overLimit(size) {
		return nil
	}
	_, err := fsck.Walk(ctx, f.Handle, size, fsck.Options{Census: true, Warm: true})
	return err
}

// OpenReadOnly opens and locks path, and reads no content.
func OpenReadOnly(path string) (*File, error) {
	f, err := lockExisting(path, Options{ReadOnly: true, AllowNetworkFS: true}, time.Now().Add(defaultLockTimeout))
	if errors.Is(err, ErrMoved) {
		err = fmt.Errorf("%w: %w", driver.ErrLocked, err)
	}
	return f, err
}
