//go:build linux || darwin

package boltdriver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

func init() { roles["full"] = roleFull }

// fullOps are what needs room: each makes the file b.db in dir from a.db, or
// replaces a.db.
var fullOps = map[string]func(dir string) error{
	"create":  func(dir string) error { return createStore(filepath.Join(dir, "b.db")) },
	"restore": func(dir string) error { return Restore(ctx, filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db")) },
	"salvage": func(dir string) error {
		_, err := Salvage(ctx, filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db"), nil)
		return err
	},
	"compact": func(dir string) error {
		d, err := Open(filepath.Join(dir, "a.db"), Options{})
		if err != nil {
			return err
		}
		defer d.Close()
		_, _, err = d.Compact(ctx)
		return err
	},
}

// roleFull runs an operation with room for more and more pages, until it
// succeeds. Each failure must be one of space and leave the directory as it
// was. The limit is the process's, so it must be a child.
func roleFull(dir, op string) string {
	const fsize = 1 // RLIMIT_FSIZE
	var room syscall.Rlimit
	if err := syscall.Getrlimit(fsize, &room); err != nil {
		return err.Error()
	}
	before, _ := os.ReadFile(filepath.Join(dir, "a.db"))
	for n := uint64(1); ; n += n/8 + 1 {
		room.Cur = n * format.PageSize
		if err := syscall.Setrlimit(fsize, &room); err != nil {
			return err.Error()
		}
		err := fullOps[op](dir)
		if err == nil {
			return fmt.Sprint("ok, needed more than a page: ", n > 1)
		}
		if !noRoom(err) {
			return fmt.Sprintf("with %d pages: %v", n, err)
		}
		after, _ := os.ReadFile(filepath.Join(dir, "a.db"))
		if es, _ := os.ReadDir(dir); len(es) != 1 || string(before) != string(after) {
			return fmt.Sprintf("with %d pages: the directory was changed: %v", n, es)
		}
	}
}

// noRoom says whether the limit is what err, or an error it wraps, tells of.
func noRoom(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if dbfile.IsFull(err) || errors.Is(err, syscall.EFBIG) {
			return true
		}
	}
	return false
}

// Where there is no room nothing changes and nothing is left behind, and once
// there is room it works.
func TestProcessFullDisk(t *testing.T) {
	for op := range fullOps {
		path := filled(t, 40)
		if op == "salvage" {
			damage(t, path, func(b []byte) { clear(b[:2*format.PageSize]) })
		}
		dir := filepath.Dir(path)
		if got := spawn(t, "full", dir, op).line(); got != "ok, needed more than a page: true" {
			t.Errorf("%s: %s", op, got)
		}
		for _, name := range dirNames(t, dir) {
			if name == "a.db" && op == "salvage" {
				continue
			}
			if _, err := Verify(ctx, filepath.Join(dir, name), nil); err != nil {
				t.Errorf("%s: %v", op, err)
			}
		}
	}
}
