package boltdriver

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck"
	bolt "go.etcd.io/bbolt"
)

// A key below the one that is sought is damage: who goes on from it may go
// round in circles.
func TestSeekNeverGoesBack(t *testing.T) {
	path, _ := small(t)
	key := func(n int) string { return fmt.Sprintf("key-%03d", n) }
	tamper(t, path, func(b *bolt.Bucket) error {
		for n := range 300 {
			if err := b.Put([]byte(key(n)), bytes.Repeat([]byte{'v'}, 90)); err != nil {
				return err
			}
		}
		return nil
	}, format.Entries)
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lowered := 0
	for at := 0; at < len(image); at += format.PageSize {
		p := image[at : at+format.PageSize]
		if binary.LittleEndian.Uint16(p[8:]) != format.FlagLeaf || binary.LittleEndian.Uint16(p[10:]) == 0 {
			continue
		}
		e := fsck.LeafElement(p, 0)
		if first := p[e.Offset:][:e.KeySize]; bytes.HasPrefix(first, []byte("key-")) {
			first[0] = 'a'
			lowered++
		}
	}
	if err := os.WriteFile(path, image, 0o600); err != nil || lowered < 2 {
		t.Fatalf("%d pages, %v", lowered, err)
	}
	d := opened(t, path, Options{SkipVerify: true})
	damaged := 0
	for n := range 300 {
		err := dbfile.Guarded("seek", func() error {
			return d.file.DB.View(func(tx *bolt.Tx) error {
				v := newView(tx, nil)
				c := v.cursor(format.Entries)
				if k, _ := c.Seek([]byte(key(n) + "-")); k != nil && string(k) <= key(n) {
					t.Errorf("from %s- it went to %s", key(n), k)
				}
				return nil
			})
		})
		if errors.Is(err, driver.ErrCorrupt) {
			damaged++
		}
	}
	if damaged == 0 {
		t.Error("no damage was met")
	}
}
