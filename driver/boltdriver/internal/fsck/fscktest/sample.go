// Package fscktest makes files of the engine for tests with damaged files.
package fscktest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

// Sample returns a file with several buckets, branch pages, long values, an
// inline bucket, a nested bucket and free pages.
func Sample(t testing.TB, keys int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sample.db")
	o := bolt.Options{PageSize: format.PageSize, FreelistType: bolt.FreelistArrayType, NoSync: true}
	db, err := bolt.Open(path, 0o600, &o)
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

// Patched returns a copy of img with small changes: each 4 bytes of p are an
// offset (3 bytes, big-endian, modulo the length) and a value. With seal, the
// meta pages get valid checksums afterwards.
func Patched(img, p []byte, seal bool) []byte {
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

// MetaOf returns the newest valid meta page of an image.
func MetaOf(t testing.TB, b []byte) format.MetaPage {
	t.Helper()
	m, err := format.ReadMetas(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return format.NewestMeta(m)
}
