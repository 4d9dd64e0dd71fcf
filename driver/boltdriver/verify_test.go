package boltdriver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck/fscktest"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

var ctx = context.Background()

// filled makes a store with records, logs, entries and events of two
// namespaces, with some of each removed again, and returns its path.
func filled(t testing.TB, records int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	d, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for i := range records {
		fillRecord(t, d, i)
	}
	for i := 0; i < records; i += 7 {
		op := &driver.Op{
			Target: driver.Target{Key: sampleKey(i)},
			Clock:  sampleClock,
			Plan: func(driver.View) (driver.Change, error) {
				return driver.Change{Remove: true}, nil
			},
		}
		if err := d.Mutate(ctx, op); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	trim(t, path)
	return path
}

// trim cuts off what the engine allocated ahead, so that damage hits pages in
// use.
func trim(t testing.TB, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(fscktest.MetaOf(t, b).InUse*format.PageSize)); err != nil {
		t.Fatal(err)
	}
}

func sampleClock() int64 { return 1_000_000 }

func sampleKey(i int) driver.Key {
	return driver.Key{Namespace: uint64(1 + i%2), ID: fmt.Sprintf("session-%05d", i)}
}

func sampleBody(i int) []byte {
	b := make([]byte, 100+i*37%400)
	for j := range b {
		b[j] = byte(i + j)
	}
	return b
}

// sampleRecord is record i as fillRecord writes it.
func sampleRecord(i int) *driver.Record {
	r := &driver.Record{
		Key: sampleKey(i), Version: uint64(i + 1), NextSeq: 4, UserID: fmt.Sprintf("user-%d", i%5),
		Status: uint8(i % 3), Labels: []driver.Label{{Name: "n", Value: fmt.Sprint(i)}},
		Created: int64(1000 * i), ActiveMinute: int64(i), Due: 5_000_000 + int64(i), Expires: 6_000_000,
		Messages: 3, Body: sampleBody(i),
	}
	r.Incarnation[0], r.Incarnation[14], r.Incarnation[15] = 1, byte(i>>8), byte(i)
	for seq := range 3 {
		r.Bytes += uint64(len(sampleBody(i + seq + 1)))
	}
	r.Bytes += uint64(len(r.Body))
	return r
}

func fillRecord(t testing.TB, d *Driver, i int) {
	t.Helper()
	op := &driver.Op{
		Target: driver.Target{Key: sampleKey(i)},
		Clock:  sampleClock,
		Plan: func(driver.View) (driver.Change, error) {
			c := driver.Change{Put: sampleRecord(i), Events: []driver.Event{{Time: 1, ID: sampleKey(i).ID, Kind: 1}}}
			for seq := range 3 {
				m := driver.Message{Seq: uint64(seq + 1), ID: fmt.Sprintf("m%d", seq), Body: sampleBody(i + seq + 1)}
				m.Digest[0] = byte(i)
				c.Append = append(c.Append, m)
			}
			c.Entries = []driver.Entry{
				{
					EntryKey: driver.EntryKey{
						Namespace: c.Put.Namespace, Kind: driver.KindSession, Name: "state",
					}, Value: []byte("v"),
				},
				{
					EntryKey: driver.EntryKey{
						Namespace: c.Put.Namespace, Kind: driver.KindUser, Owner: c.Put.UserID, Name: "memory",
					}, Value: []byte{byte(i)},
				},
			}
			return c, nil
		},
	}
	if err := d.Mutate(ctx, op); err != nil {
		t.Fatal(err)
	}
}

// damage changes a file's bytes.
func damage(t testing.TB, path string, fn func(b []byte)) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fn(b)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A sound file is reported as such, with what it holds, and is left as it was.
func TestVerifySound(t *testing.T) {
	path := filled(t, 100)
	before, _ := os.ReadFile(path)
	var last, total int64
	r, err := Verify(ctx, path, func(done, of int64) { last, total = done, of })
	if err != nil {
		t.Fatal(err)
	}
	if r.Checked.Records != 85 || r.Checked.Messages != 255 {
		t.Errorf("checked %+v", r.Checked)
	}
	if r.Leaves == 0 || r.Keys == 0 || r.Transaction == 0 || r.Size != int64(len(before)) || r.Leaked != 0 {
		t.Errorf("report %+v", r)
	}
	if last == 0 || last > total || total != r.Size {
		t.Errorf("progress ended at %d of %d", last, total)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the file was changed")
	}
}

// Damage of the structure and damage of a value are both reported, the first
// with its page.
func TestVerifyDamaged(t *testing.T) {
	path := filled(t, 100)
	sound, _ := os.ReadFile(path)
	damage(t, path, func(b []byte) {
		b[6*format.PageSize] ^= 0xff
		b[5*format.PageSize] ^= 0xff
		b[7*format.PageSize] ^= 0xff
		b[8*format.PageSize] ^= 0xff
	})
	r, err := Verify(ctx, path, nil)
	var de *DamageError
	if !errors.Is(err, driver.ErrCorrupt) || !errors.As(err, &de) || len(r.Problems) == 0 || de.Problems[0].Page == 0 {
		t.Errorf("structure: %v, %+v", err, r)
	}
	if err := os.WriteFile(path, sound, 0o600); err != nil {
		t.Fatal(err)
	}
	damage(t, path, func(b []byte) { flipInRecord(t, b) })
	r, err = Verify(ctx, path, nil)
	if !errors.Is(err, driver.ErrCorrupt) || len(r.Checked.Findings) == 0 {
		t.Errorf("value: %v, %+v", err, r)
	}
}

// flipInRecord damages the body of one live record in an image and returns its
// key.
func flipInRecord(t testing.TB, b []byte) string {
	t.Helper()
	return flipIn(t, b, "r", 0)
}

// A file that is open for writing is not verified, a missing one is missing.
func TestVerifyLocked(t *testing.T) {
	path := emptyStore(t)
	_ = heldFile(t, path, dbfile.Options{})
	if _, err := Verify(ctx, path, nil); !errors.Is(err, driver.ErrLocked) {
		t.Errorf("%v, want ErrLocked", err)
	}
	if _, err := Verify(ctx, path+"x", nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v, want ErrNotExist", err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Verify(done, emptyStore(t), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want Canceled", err)
	}
}
