package dbfile

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck"
)

// tempMark is the middle of a temporary name: the name of the final file comes
// before it, and 16 random hex digits after it.
const tempMark = ".new-"

// createFile makes a store's file at path so that a power failure at any moment
// leaves no file or a complete one. It builds and syncs the file under another
// name, and then links it. If path exists by then, it returns fs.ErrExist and
// leaves that file unchanged.
func createFile(path string, o Options) error {
	t, err := NewTemp(path)
	if err != nil {
		return err
	}
	defer t.Discard()
	o.Hooks.at("temp")
	db, err := t.OpenEmpty()
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	o.Hooks.at("built")
	if err := Publish(t.Path, path); err != nil {
		if _, gone := os.Lstat(t.Path); errors.Is(gone, fs.ErrNotExist) {
			return ErrMoved // another open removed it as a leftover, because Close unlocked it
		}
		return err
	}
	o.Hooks.at("linked")
	return syncDir(filepath.Dir(path))
}

// Temp is a locked file under a temporary name.
type Temp struct {
	Path   string   // the temporary name
	Handle *os.File // holds the lock
}

// NewTemp creates an empty file beside path, and locks it. Because of the lock,
// no open removes it as a leftover of a crash.
func NewTemp(path string) (*Temp, error) {
	for range openAttempts {
		var b [8]byte
		_, _ = rand.Read(b[:])
		t := &Temp{Path: path + tempMark + hex.EncodeToString(b[:])}
		var err error
		t.Handle, err = os.OpenFile(t.Path, os.O_RDWR|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		ok, err := lockHandle(t.Handle, false)
		if ok && stillThere(t.Handle, t.Path) {
			return t, nil
		}
		t.Discard()
		if err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("no temporary name beside %s", path)
}

// stillThere reports whether path names the open file.
func stillThere(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(path)
	return err == nil && os.SameFile(a, b)
}

// Discard closes the file and removes its temporary name.
func (t *Temp) Discard() {
	_ = t.Handle.Close()
	_ = os.Remove(t.Path)
}

// OpenEmpty opens the file as an empty store.
func (t *Temp) OpenEmpty() (db *bolt.DB, err error) {
	err = Guarded("create", func() error {
		db, err = bolt.Open(t.Path, 0o600, &bolt.Options{
			Timeout:      time.Second,
			PageSize:     format.PageSize,
			FreelistType: bolt.FreelistArrayType,
			OpenFile:     useHandle(t.Handle),
		})
		if err != nil {
			return err
		}
		db.AllocSize = 0 // do not grow ahead, so that the file is as small as possible
		if err := db.Update(format.InitSchema); err != nil {
			_ = db.Close()
			return err
		}
		return nil
	})
	return db, err
}

// Publish links the finished file at from to the name to. If that name is
// taken, it returns fs.ErrExist. If the file system has no hard links, it
// renames the file. Two processes that create at the same instant may then
// replace each other's file. The next commit to the replaced file detects that.
func Publish(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return fs.ErrExist
	}
	return os.Rename(from, to)
}

// cleanLeftovers removes files that a crash left under temporary names of path.
// It removes only regular files whose lock is free: their makers are dead.
func cleanLeftovers(path string) {
	dir, base := filepath.Split(path)
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	defer d.Close()
	for range 64 {
		names, err := d.Readdirnames(256)
		for _, n := range names {
			if isTempName(n, base) {
				removeLeftover(filepath.Join(dir, n), path)
			}
		}
		if err != nil {
			return
		}
	}
}

// isTempName reports whether NewTemp may have made name for base.
func isTempName(name, base string) bool {
	rest, ok := strings.CutPrefix(name, base+tempMark)
	if !ok || len(rest) != 16 {
		return false
	}
	_, err := hex.DecodeString(rest)
	return err == nil
}

// removeLeftover removes name if no process has it locked. If name is a second
// link to the file at path, which a crash between link and removal leaves, it
// removes the link without looking at the lock.
func removeLeftover(name, path string) {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	if own, err := os.Lstat(path); err == nil && os.SameFile(own, info) {
		_ = os.Remove(name)
		return
	}
	f, err := os.OpenFile(name, os.O_RDWR|noFollow, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if ok, _ := lockHandle(f, false); ok && stillThere(f, name) {
		_ = os.Remove(name)
	}
}

// Finish makes a complete file durable, checks it once more, and moves it to
// path.
func (t *Temp) Finish(ctx context.Context, path string) error {
	if err := t.Handle.Sync(); err != nil {
		return err
	}
	if _, err := fsck.Walk(ctx, t.Handle, fileSize(t.Handle), fsck.Options{}); err != nil {
		return err
	}
	if err := t.Handle.Close(); err != nil {
		return err
	}
	if err := Publish(t.Path, path); err != nil {
		return err
	}
	return errors.Join(os.Remove(t.Path), syncDir(filepath.Dir(path)))
}
