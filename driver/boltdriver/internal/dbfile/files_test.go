package dbfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// The files of a store are listed in one place, open or not: what exists under
// any of their names is not written over, and all of them count.
func TestFilesOfAStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	if err := CheckAbsent("restore", path); err != nil {
		t.Error(err)
	}
	f := mustOpen(t, path, Options{})
	if got := len(f.Handles()); got != len(Paths(path)) {
		t.Errorf("%d files are open, of %d", got, len(Paths(path)))
	}
	sum := int64(0)
	for i, p := range Paths(path) {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		own, err := f.Handles()[i].Stat()
		if err != nil || !os.SameFile(info, own) {
			t.Errorf("%s is not what is open: %v", p, err)
		}
		sum += info.Size()
	}
	if got := f.Size(); got != sum || got == 0 {
		t.Errorf("size %d, want %d", got, sum)
	}
	var pathError *fs.PathError
	err := CheckAbsent("restore", path)
	if !errors.Is(err, fs.ErrExist) || !errors.As(err, &pathError) || pathError.Op != "restore" {
		t.Errorf("%v, want ErrExist of restore", err)
	}
}
