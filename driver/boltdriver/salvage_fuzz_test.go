package boltdriver

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck/fscktest"

	"github.com/seshatdb/seshat/driver"
)

// volatile returns a directory in memory, where there is such a thing: its
// syncs, of which a salvage has many, cost nothing.
func volatile(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "seshat")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Whatever the bytes, Salvage makes a file that verifies, with right records in
// it, or says that the source is no store.
func FuzzSalvage(f *testing.F) {
	const records = 30
	img, err := os.ReadFile(filled(f, records))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{}, false)
	f.Add([]byte{0, 0, 16, 1, 0, 16, 16, 1}, false)               // both magics
	f.Add([]byte{0, 0, 57, 0xff, 0, 16, 57, 0xff}, true)          // high-water marks
	f.Add([]byte{0, 0, 32, 2, 0, 16, 32, 2}, true)                // roots
	f.Add([]byte{0, 0x20, 10, 0xff, 0, 0x30, 8, 1}, false)        // counts, flags
	f.Add([]byte{0, 0x51, 0, 9, 0, 0x62, 16, 1, 1, 5, 5}, false)  // content
	f.Add([]byte{0, 0x70, 12, 0xff, 0, 0x80, 12, 1, 1, 0}, false) // overflow
	dir := volatile(f)
	f.Fuzz(func(t *testing.T, p []byte, seal bool) {
		src, dst := filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db")
		defer os.Remove(dst)
		if err := os.WriteFile(src, fscktest.Patched(img, p[:min(len(p), 128)], seal), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Salvage(ctx, src, dst, nil)
		if errors.Is(err, driver.ErrFormat) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if n := r.Records.Whole + r.Records.Uncertain; n > records {
			t.Errorf("%d records of %d", n, records)
		}
		if err := readDamaged(dst, records, true); err != nil {
			t.Error(err)
		}
	})
}
