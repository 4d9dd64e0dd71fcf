package dbfile

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck/fscktest"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

// A panic under the guard is ErrCorrupt, an error comes back unchanged.
func TestGuard(t *testing.T) {
	mine := errors.New("mine")
	if err := Guarded("x", func() error { return mine }); err != mine {
		t.Errorf("%v", err)
	}
	if err := Guarded("x", func() error { panic("page") }); !errors.Is(err, driver.ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
	if debug.SetPanicOnFault(false) {
		t.Error("the guard left faults armed")
	}
}

// A file cut short under its map is an error to the reader, not the end of the
// process.
func TestGuardSurvivesATruncatedMap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	if err := os.WriteFile(path, fscktest.Sample(t, 4000), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 4*format.PageSize); err != nil {
		t.Fatal(err)
	}
	err = Guarded("read", func() error {
		return db.View(func(tx *bolt.Tx) error {
			return tx.ForEach(func(_ []byte, b *bolt.Bucket) error {
				return b.ForEach(func(_, _ []byte) error { return nil })
			})
		})
	})
	if !errors.Is(err, driver.ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func guardedSum(a, b int) (n int, err error) {
	defer Guard("sum", debug.SetPanicOnFault(true), &err)
	if a < 0 {
		panic("negative")
	}
	return a + b, nil
}

// The guard costs no allocation, so every read can have it.
func TestGuardAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { _, _ = guardedSum(1, 2) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if _, err := guardedSum(-1, 0); !errors.Is(err, driver.ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
}

func BenchmarkGuard(b *testing.B) {
	for b.Loop() {
		_, _ = guardedSum(1, 2)
	}
}

// An engine that panics while it opens a damaged file does not keep the lock:
// the next open is not told that the file is in use.
func TestOpenPanicReleasesTheLock(t *testing.T) {
	path := newFile(t)
	img, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img[fscktest.MetaOf(t, img).Freelist*format.PageSize+8] = format.FlagLeaf
	if err := os.WriteFile(path, img, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := Open(path, Options{SkipVerify: true}); !errors.Is(err, driver.ErrCorrupt) {
			t.Errorf("%v, want ErrCorrupt", err)
		}
	}
	if _, err := Open(path, Options{}); !errors.Is(err, driver.ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
}
