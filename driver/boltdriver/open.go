package boltdriver

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

// errMoved: while the lock was awaited, the path came to name another file.
var errMoved = errors.New("file was replaced while it was opened")

// openFile opens the store's file at path, creating it whole if there is none.
func openFile(path string, o fileOptions) (*file, error) {
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
		case errors.Is(err, errMoved):
		case errors.Is(err, fs.ErrNotExist) && !o.ReadOnly:
			err := createFile(path, o)
			if err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, errMoved) {
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
func openExisting(path string, o fileOptions, deadline time.Time) (_ *file, err error) {
	f, err := lockExisting(path, o, deadline)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(fileOptions) error{f.verify, f.openBolt, f.checkFormat, f.prepareForWrites} {
		if err := step(o); err != nil {
			f.abandon()
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return f, nil
}

// lockExisting opens and locks path, if it exists, without looking into it.
func lockExisting(path string, o fileOptions, deadline time.Time) (_ *file, err error) {
	h, err := openHandle(path, o)
	if err != nil {
		return nil, err
	}
	f := &file{f: h, path: path}
	defer func() {
		if err != nil {
			f.abandon()
		}
	}()
	if !o.AllowNetworkFS && o.Hooks.remote(h) {
		return nil, fmt.Errorf("%s: %w: it is on a network or FUSE file system (see Options.AllowNetworkFS)", path, errors.ErrUnsupported)
	}
	if f.info, err = h.Stat(); err != nil {
		return nil, err
	}
	if f.claim, err = acquire(f, o.ReadOnly, deadline); err != nil {
		return nil, err
	}
	if !stillThere(h, path) {
		return nil, errMoved
	}
	f.kernelName = linkTo(h, path)
	f.info, err = h.Stat() // it may have grown until the lock was ours
	return f, err
}

// abandon undoes a failed open, or leaves a stuck engine. The lock is released
// by name: an engine that panicked may have leaked its map, which keeps the
// lock beyond the handle.
func (f *file) abandon() {
	if f.db != nil && !f.stuck.Load() {
		_ = guarded("close", f.db.Close)
	}
	_ = unlockHandle(f.f)
	_ = f.f.Close()
	f.claim.release()
}

// openHandle opens a regular file, refusing links and all else.
func openHandle(path string, o fileOptions) (*os.File, error) {
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
func (f *file) openBolt(o fileOptions) error {
	size := f.mapSize(o)
	return guarded("open", func() (err error) {
		f.db, err = bolt.Open(f.path, 0o600, &bolt.Options{
			Timeout:         time.Second,
			PageSize:        format.PageSize,
			FreelistType:    bolt.FreelistArrayType,
			InitialMmapSize: size,
			MaxSize:         int(min(o.MaxSize, math.MaxInt)),
			ReadOnly:        o.ReadOnly,
			OpenFile:        useHandle(f.f),
		})
		return err
	})
}

// checkFormat looks at what the file holds.
func (f *file) checkFormat(fileOptions) error {
	return guarded("open", func() error { return f.db.View(format.CheckSchema) })
}

// prepareForWrites makes the file one to build upon.
func (f *file) prepareForWrites(o fileOptions) error {
	if o.ReadOnly {
		return nil
	}
	if err := tighten(f.f); err != nil {
		return err
	}
	if err := rewriteMeta(f.f, f.db.Sync); err != nil {
		return err
	}
	cleanLeftovers(f.path)
	return syncDir(filepath.Dir(f.path))
}

// useHandle makes the engine use a handle that is open, and locked, already.
func useHandle(f *os.File) func(string, int, os.FileMode) (*os.File, error) {
	return func(string, int, os.FileMode) (*os.File, error) { return f, nil }
}

// verify checks the locked file before it is mapped: the meta pages and the
// length always, the whole structure, and the indexes against the records,
// unless that is left out or over the limit.
func (f *file) verify(o fileOptions) error {
	ctx := context.Background()
	size := f.info.Size()
	if _, err := fsck.Walk(ctx, f.f, size, fsck.Options{MetaOnly: true}); err != nil {
		return err
	}
	if o.SkipVerify || o.overLimit(size) {
		return nil
	}
	_, err := fsck.Walk(ctx, f.f, size, fsck.Options{Census: true, Warm: true})
	return err
}

// lockForReading opens and locks path without looking into it.
func lockForReading(path string) (*file, error) {
	f, err := lockExisting(path, fileOptions{ReadOnly: true, AllowNetworkFS: true}, time.Now().Add(defaultLockTimeout))
	if errors.Is(err, errMoved) {
		err = fmt.Errorf("%w: %w", driver.ErrLocked, err)
	}
	return f, err
}
