package fsck

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck/fscktest"

	"github.com/seshatdb/seshat/driver"
)

func fsckBytes(b []byte) (Result, error) {
	return Walk(context.Background(), bytes.NewReader(b), int64(len(b)), Options{})
}

// A sound file passes, and everything in it is accounted for.
func TestFsckSound(t *testing.T) {
	for _, keys := range []int{0, 4, 400, 8_000} {
		st, err := fsckBytes(fscktest.Sample(t, keys))
		if err != nil {
			t.Fatalf("%d keys: %v", keys, err)
		}
		if st.Leaked != 0 {
			t.Errorf("%d keys: %d pages leaked", keys, st.Leaked)
		}
		if keys > 0 && st.Keys == 0 {
			t.Errorf("%d keys: none found", keys)
		}
	}
}

func BenchmarkFsck(b *testing.B) {
	img := fscktest.Sample(b, 40_000)
	b.SetBytes(int64(len(img)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fsckBytes(img); err != nil {
			b.Fatal(err)
		}
	}
}

// Whatever the bytes, the check returns, and says ErrCorrupt or ErrFormat.
func FuzzFsck(f *testing.F) {
	img := fscktest.Sample(f, 200)
	f.Add([]byte{0, 0, 16, 1}, false)                             // magic
	f.Add([]byte{0, 0x20, 10, 0xff, 0, 0x30, 8, 1}, false)        // counts, flags
	f.Add([]byte{0, 0x40, 12, 0xff, 0, 0x40, 13, 0xff}, false)    // overflow
	f.Add([]byte{0, 0x50, 0, 9, 0, 0x60, 16, 1}, false)           // page id
	f.Add([]byte{0, 0x20, 8, 1, 0, 0x20, 24, 2, 0, 48, 8}, false) // a branch that points to itself
	f.Add([]byte{0, 0, 57, 0xff, 0, 16, 57, 0xff}, true)          // high-water marks
	f.Add([]byte{0, 0, 32, 2, 0, 16, 32, 2}, true)                // roots
	f.Add([]byte{0, 0, 48, 3, 0, 16, 48, 3}, true)                // freelists
	f.Fuzz(func(t *testing.T, p []byte, seal bool) {
		b := fscktest.Patched(img, p[:min(len(p), 128)], seal)
		_, err := fsckBytes(b)
		if err != nil && !errors.Is(err, driver.ErrCorrupt) && !errors.Is(err, driver.ErrFormat) {
			t.Fatalf("untyped error: %v", err)
		}
		visit := func(v LeafValue) error { _, _ = v.Read(); return nil }
		_, _ = Walk(context.Background(), bytes.NewReader(b), int64(len(b)), Options{Visit: visit})
	})
}
