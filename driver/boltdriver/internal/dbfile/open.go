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

// openAttempts bounds how often an open starts again: each attempt is lost to
// a file that vanished or was replaced meanwhile.
const openAttempts = 64

// ErrMoved says that while the lock was awaited the path came to name another
// file.
var ErrMoved = errors.New("file was replaced while it was opened")

// Open opens the store's file at path, creating it whole if there is none.
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

// openExisting opens path if it exists. Nothing of the file is trusted, mapped
// or written before it is locked and checked, and nothing is written before it
// is known to be a store.
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

// lockExisting opens and locks path, if it exists, without looking into it.
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
	f.Info, err = h.Stat() // it may have grown until the lock was ours
	return f, err
}

// Abandon undoes a failed open, or leaves a stuck engine. The lock is released
// by name: an engine that panicked may have leaked its map, which keeps the
// lock beyond the handle.
func (f *File) Abandon() {
	if f.DB != nil && !f.Stuck.Load() {
		_ = Guarded("close", f.DB.Close)
	}
	_ = unlockHandle(f.Handle)
	_ = f.Handle.Close()
	f.claim.release()
}

// openHandle opens a regular file, refusing links and all else.
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

// openBolt hands the locked handle to the engine. Its list of free pages is
// written with each commit: the array is sorted already, the map would have to
// be. A map would find several pages in a row faster among very many free ones.
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

// checkFormat looks at what the file holds, and upgrades an older version's.
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

// prepareForWrites makes the file one to build upon.
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

// useHandle makes the engine use a handle that is open, and locked, already.
func useHandle(f *os.File) func(string, int, os.FileMode) (*os.File, error) {
	return func(string, int, os.FileMode) (*os.File, error) { return f, nil }
}

// verify checks the locked file before it is mapped: the meta pages and the
// length always, the whole structure, and the indexes against the records,
// unless that is left out or over the limit.
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

// OpenReadOnly opens and locks path without looking into it.
func OpenReadOnly(path string) (*File, error) {
	f, err := lockExisting(path, Options{ReadOnly: true, AllowNetworkFS: true}, time.Now().Add(defaultLockTimeout))
	if errors.Is(err, ErrMoved) {
		err = fmt.Errorf("%w: %w", driver.ErrLocked, err)
	}
	return f, err
}
