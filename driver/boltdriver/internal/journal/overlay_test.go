package journal

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

// An overlay answers with the last change of a key, and writes it once.
func TestOverlay(t *testing.T) {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "a.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bolt.Tx) error {
		to, err := tx.CreateBucket([]byte("b"))
		if err != nil {
			return err
		}
		if err := to.Put([]byte("gone"), []byte("x")); err != nil {
			return err
		}
		var o Overlay
		if _, known := o.Get(format.Log, []byte("a")); known || o.Pending(format.Log) {
			t.Error("an empty overlay knows a key")
		}
		o.Set(format.Log, []byte("b"), []byte("1"))
		o.Set(format.Log, []byte("b"), []byte("2"))
		o.Set(format.Log, []byte("a"), []byte{})
		o.Set(format.Log, []byte("gone"), nil)
		if v, known := o.Get(format.Log, []byte("b")); string(v) != "2" || !known {
			t.Errorf("%q, %v", v, known)
		}
		if v, known := o.Get(format.Log, []byte("gone")); v != nil || !known {
			t.Errorf("a deleted key: %q, %v", v, known)
		}
		if o.Pending(format.IDs) || !o.Pending(format.Log) {
			t.Error("another bucket has what this one has")
		}
		if err := o.Write(format.Log, to); err != nil {
			return err
		}
		if o.Pending(format.Log) {
			t.Error("what was written is still pending")
		}
		got := map[string]string{}
		err = to.ForEach(func(k, v []byte) error { got[string(k)] = string(v); return nil })
		if want := fmt.Sprint(map[string]string{"a": "", "b": "2"}); fmt.Sprint(got) != want {
			t.Errorf("written: %v, want %v", got, want)
		}
		o.Set(format.Log, []byte("c"), []byte("3"))
		o.Reset()
		if _, known := o.Get(format.Log, []byte("c")); known {
			t.Error("Reset kept a key")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What an arena hands out does not overlap, and has no room beyond what was
// asked for.
func TestArena(t *testing.T) {
	var a Arena
	var all [][]byte
	sizes := []int{0, 1, 100, chunkSize - 1, chunkSize, 5 * chunkSize, 7}
	sum := 0
	for i, n := range sizes {
		b := a.Room(n)
		if len(b) != 0 || cap(b) != n {
			t.Fatalf("%d bytes: length %d, capacity %d", n, len(b), cap(b))
		}
		all = append(all, append(b, bytes.Repeat([]byte{byte(i)}, n)...))
		sum += n
	}
	for i, b := range all {
		if !bytes.Equal(b, bytes.Repeat([]byte{byte(i)}, sizes[i])) {
			t.Errorf("slice %d was written over", i)
		}
	}
	if a.Used() != sum {
		t.Errorf("used %d, want %d", a.Used(), sum)
	}
	if a.Reset(); a.Used() != 0 {
		t.Error("Reset left bytes in use")
	}
	if b := a.Copy([]byte("x")); string(b) != "x" || cap(b) != 1 {
		t.Errorf("%q, capacity %d", b, cap(b))
	}
}
