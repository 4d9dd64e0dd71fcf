package dbfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// Handles that race to create a file end with one file, one holder, and
// ErrLocked for the others.
func TestCreateRace(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "a.db")
		files, errs := make([]*File, 8), make([]error, 8)
		var wg sync.WaitGroup
		for i := range files {
			wg.Go(func() { files[i], errs[i] = Open(path, Options{LockTimeout: 50 * time.Millisecond}) })
		}
		wg.Wait()
		won := 0
		for i, f := range files {
			if f != nil {
				won++
				defer f.Close()
			} else if !errors.Is(errs[i], driver.ErrLocked) {
				t.Errorf("loser: %v, want ErrLocked", errs[i])
			}
		}
		if won != 1 {
			t.Errorf("%d handles hold the file", won)
		}
		if names := list(t, filepath.Dir(path)); len(names) != 1 {
			t.Errorf("left behind: %v", names)
		}
	}
}

// Until the name exists there is no file, and when it exists it is whole.
func TestCreateIsAtomic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	var seen []string
	step := func(name string) {
		_, err := os.Lstat(path)
		if name != "linked" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("at %q the name exists: %v", name, err)
		}
		seen = append(seen, name)
	}
	if err := createFile(path, Options{Hooks: Hooks{Step: step}}); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 3 {
		t.Errorf("steps: %v", seen)
	}
	_ = mustOpen(t, path, Options{})
}

// A file that another one made meanwhile is not replaced.
func TestCreateDoesNotReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	step := func(name string) {
		if name == "built" {
			_ = os.WriteFile(path, []byte("theirs"), 0o600)
		}
	}
	err := createFile(path, Options{Hooks: Hooks{Step: step}})
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v, want ErrExist", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "theirs" {
		t.Errorf("replaced by %d bytes", len(b))
	}
}

// A temporary file that somebody removed is an error or a retry, never a store
// without a name.
func TestCreateSurvivesACleaner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	once := true
	step := func(name string) {
		if name == "built" && once {
			once = false
			for _, n := range list(t, filepath.Dir(path)) {
				_ = os.Remove(filepath.Join(filepath.Dir(path), n))
			}
		}
	}
	f := mustOpen(t, path, Options{Hooks: Hooks{Step: step}})
	if err := f.Check(); err != nil {
		t.Error(err)
	}
}

// Leftovers of a crash go at the next open; what is not surely ours stays.
func TestCreateCleansLeftovers(t *testing.T) {
	path := newFile(t)
	dead := path + tempMark + "0123456789abcdef"
	twin := path + tempMark + "1123456789abcdef"
	alive, err := NewTemp(path)
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Discard()
	foreign := []string{path + tempMark + "short", path + ".backup", path + tempMark + "zzzzzzzzzzzzzzzz"}
	for _, p := range append(foreign, dead) {
		if err := os.WriteFile(p, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(path, twin); err != nil {
		t.Fatal(err)
	}
	dir := path + tempMark + "2123456789abcdef"
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f := mustOpen(t, path, Options{})
	for _, p := range []string{dead, twin} {
		if _, err := os.Lstat(p); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", p, err)
		}
	}
	for _, p := range append(foreign, alive.Path, dir) {
		if _, err := os.Lstat(p); err != nil {
			t.Error(err)
		}
	}
	if err := f.Check(); err != nil {
		t.Errorf("the file itself: %v", err)
	}
}

// Where there are no hard links (as for a directory) a rename does, and
// replaces nothing either.
func TestPublishWithoutLinks(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	for _, want := range []error{nil, fs.ErrExist} {
		if err := os.Mkdir(from, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := Publish(from, to); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if names := list(t, dir); len(names) != 2 {
		t.Errorf("%v", names)
	}
}
