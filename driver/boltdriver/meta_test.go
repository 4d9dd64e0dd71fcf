package boltdriver

import (
	"bytes"
	"errors"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// What the engine trusts may go bad while the file is open: then nothing is
// written, no call hangs, reads go on, and all is well when it is whole again.
func TestTrustedPagesThatGoBadWhileOpen(t *testing.T) {
	d := openCore(t, Options{})
	r := session(1, "a", "mia")
	do(t, d, opOf(r.Key, driver.Change{Put: r}))
	m, err := format.ReadMetas(d.file.Handle)
	if err != nil {
		t.Fatal(err)
	}
	list, inForce := int64(
		format.NewestMeta(m).Freelist,
	)*format.PageSize, int64(format.NewestMeta(m).Page)*format.PageSize
	for name, bad := range map[string]struct {
		at    int64
		bytes []byte
	}{
		"the list's overflow": {list + 12, bytes.Repeat([]byte{0xff}, 4)},
		"the list's length":   {list + 10, []byte{0xfe, 0xff}},
		"a long list":         {list + 10, bytes.Repeat([]byte{0xff}, 2)},
		"the list's kind":     {list + 8, []byte{format.FlagLeaf, 0}},
		"the list's number":   {list, []byte{1}},
		"the meta page":       {inForce + 40, []byte{1}},
		"its transaction":     {inForce + format.HeaderSize + 48, []byte{0xff}},
	} {
		was := make([]byte, len(bad.bytes))
		if _, err := d.file.Handle.ReadAt(was, bad.at); err != nil {
			t.Fatal(err)
		}
		write := func(b []byte) {
			if _, err := d.file.Handle.WriteAt(b, bad.at); err != nil {
				t.Fatal(err)
			}
		}
		write(bad.bytes)
		other := opOf(driver.Key{Namespace: 1, ID: "b"}, driver.Change{Put: session(1, "b", "mia")})
		if _ = d.Mutate(background, other); !errors.Is(other.Err, driver.ErrCorrupt) {
			t.Errorf("%s: %v, want ErrCorrupt", name, other.Err)
		}
		if !exists(t, d, r.Key) || exists(t, d, other.Target.Key) {
			t.Errorf("%s: what is read has changed", name)
		}
		write(was)
	}
	do(t, d, opOf(driver.Key{Namespace: 1, ID: "b"}, driver.Change{Put: session(1, "b", "mia")}))
}
