package boltdriver

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

// sample is a file with several buckets, branches, long values, an inline
// bucket, a nested one and free pages.
func sample(t testing.TB, keys int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sample.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: format.PageSize, FreelistType: bolt.FreelistArrayType, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r := rand.New(rand.NewPCG(1, 2))
	for range 4 {
		if err := db.Update(func(tx *bolt.Tx) error { return fillSample(tx, r, keys/4) }); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fillSample(tx *bolt.Tx, r *rand.Rand, n int) error {
	for _, name := range []string{"one", "two"} {
		b, err := tx.CreateBucketIfNotExists([]byte(name))
		if err != nil {
			return err
		}
		for range n {
			k := fmt.Appendf(nil, "key-%06d", r.IntN(4*n))
			size := r.IntN(300)
			if r.IntN(40) == 0 {
				size = r.IntN(100_000)
			}
			if err := b.Put(k, bytes.Repeat([]byte{7}, size)); err != nil {
				return err
			}
			if err := b.Delete(fmt.Appendf(nil, "key-%06d", r.IntN(4*n))); err != nil {
				return err
			}
		}
	}
	in, err := tx.CreateBucketIfNotExists([]byte("inline"))
	if err != nil {
		return err
	}
	outer, err := tx.CreateBucketIfNotExists([]byte("outer"))
	if err != nil {
		return err
	}
	if _, err := outer.CreateBucketIfNotExists([]byte("nested")); err != nil {
		return err
	}
	return in.Put([]byte("k"), []byte("v"))
}

func fsckBytes(b []byte) (walkResult, error) {
	return walkFile(context.Background(), bytes.NewReader(b), int64(len(b)), walkOptions{})
}

// A sound file passes, and everything in it is accounted for.
func TestFsckSound(t *testing.T) {
	for _, keys := range []int{0, 4, 400, 8_000} {
		st, err := fsckBytes(sample(t, keys))
		if err != nil {
			t.Fatalf("%d keys: %v", keys, err)
		}
		if st.leaked != 0 {
			t.Errorf("%d keys: %d pages leaked", keys, st.leaked)
		}
		if keys > 0 && st.keys == 0 {
			t.Errorf("%d keys: none found", keys)
		}
	}
}

func BenchmarkFsck(b *testing.B) {
	img := sample(b, 40_000)
	b.SetBytes(int64(len(img)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fsckBytes(img); err != nil {
			b.Fatal(err)
		}
	}
}

// patched is a sound image with small changes: each 4 bytes of p are an offset
// (3 bytes, big-endian, modulo the length) and a value. With seal, the meta
// pages get the checksum that fits what they then say.
func patched(img, p []byte, seal bool) []byte {
	b := bytes.Clone(img)
	for ; len(p) >= 4; p = p[4:] {
		off := int(p[0])<<16 | int(p[1])<<8 | int(p[2])
		b[off%len(b)] = p[3]
	}
	for i := 0; seal && i < 2; i++ {
		x := b[i*format.PageSize+format.HeaderSize:]
		h := fnv.New64a()
		h.Write(x[:56])
		binary.LittleEndian.PutUint64(x[56:], h.Sum64())
	}
	return b
}

// Whatever the bytes, the check returns, and says ErrCorrupt or ErrFormat.
func FuzzFsck(f *testing.F) {
	img := sample(f, 200)
	f.Add([]byte{0, 0, 16, 1}, false)                             // magic
	f.Add([]byte{0, 0x20, 10, 0xff, 0, 0x30, 8, 1}, false)        // counts, flags
	f.Add([]byte{0, 0x40, 12, 0xff, 0, 0x40, 13, 0xff}, false)    // overflow
	f.Add([]byte{0, 0x50, 0, 9, 0, 0x60, 16, 1}, false)           // page id
	f.Add([]byte{0, 0x20, 8, 1, 0, 0x20, 24, 2, 0, 48, 8}, false) // a branch that points to itself
	f.Add([]byte{0, 0, 57, 0xff, 0, 16, 57, 0xff}, true)          // high-water marks
	f.Add([]byte{0, 0, 32, 2, 0, 16, 32, 2}, true)                // roots
	f.Add([]byte{0, 0, 48, 3, 0, 16, 48, 3}, true)                // freelists
	f.Fuzz(func(t *testing.T, p []byte, seal bool) {
		b := patched(img, p[:min(len(p), 128)], seal)
		_, err := fsckBytes(b)
		if err != nil && !errors.Is(err, driver.ErrCorrupt) && !errors.Is(err, driver.ErrFormat) {
			t.Fatalf("untyped error: %v", err)
		}
		visit := func(v leafValue) error { _, _ = v.value(); return nil }
		_, _ = walkFile(context.Background(), bytes.NewReader(b), int64(len(b)), walkOptions{Visit: visit})
	})
}
