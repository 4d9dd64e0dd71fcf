package boltdriver

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// A file that is missing is created, and opened again as what it is.
func TestOpenCreatesAndReopens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	for range 2 {
		f, err := openFile(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.check(); err != nil {
			t.Error(err)
		}
		if _, err := openFile(path, Options{LockTimeout: 1}); !errors.Is(err, driver.ErrLocked) {
			t.Errorf("second handle: %v, want ErrLocked", err)
		}
		if err := f.close(); err != nil {
			t.Error(err)
		}
	}
}
