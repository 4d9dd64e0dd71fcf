package boltdriver

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// damages are ways in which a file goes bad. Each changes the image in place
// and returns what is left of it.
var damages = map[string]func(r *rand.Rand, b []byte) []byte{
	"bit": func(r *rand.Rand, b []byte) []byte {
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		return b
	},
	"byte": func(r *rand.Rand, b []byte) []byte {
		b[r.IntN(len(b))] = byte(r.Uint32())
		return b
	},
	"sector": func(r *rand.Rand, b []byte) []byte {
		at := r.IntN(len(b)/512) * 512
		clear(b[at : at+512])
		return b
	},
	"page": func(r *rand.Rand, b []byte) []byte {
		n := len(b) / format.PageSize
		from, to := r.IntN(n), r.IntN(n)
		copy(b[to*format.PageSize:(to+1)*format.PageSize], b[from*format.PageSize:(from+1)*format.PageSize])
		return b
	},
	"junk": func(r *rand.Rand, b []byte) []byte {
		at := r.IntN(len(b)/format.PageSize) * format.PageSize
		for i := range format.PageSize {
			b[at+i] = byte(r.Uint32())
		}
		return b
	},
	"cut":  func(r *rand.Rand, b []byte) []byte { return b[:r.IntN(len(b))] },
	"tail": func(r *rand.Rand, b []byte) []byte { return append(b, make([]byte, r.IntN(3*format.PageSize))...) },
}

// A damaged file is refused with a typed error, or every record in it reads
// right or fails with ErrCorrupt: no wrong data, no end of the process.
func TestDamage(t *testing.T) {
	const records, trials = 120, 45
	img, err := os.ReadFile(filled(t, records))
	if err != nil {
		t.Fatal(err)
	}
	for kind, spoil := range damages {
		t.Run(kind, func(t *testing.T) {
			refused := 0
			for seed := range uint64(trials) {
				r := rand.New(rand.NewPCG(seed, 7))
				path := filepath.Join(t.TempDir(), "a.db")
				if err := os.WriteFile(path, spoil(r, append([]byte(nil), img...)), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := readDamaged(path, records, r.IntN(2) == 0); err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
				if _, err := Verify(ctx, path, nil); err != nil {
					refused++
				}
			}
			t.Logf("%d of %d files refused by Verify", refused, trials)
		})
	}
}

// readDamaged opens a damaged file and reads all records by their keys and by
// listing them.
func readDamaged(path string, records int, skip bool) error {
	d, err := Open(path, Options{SkipVerify: skip})
	if err != nil {
		return typed(err)
	}
	defer d.Close()
	for i := range records {
		var r driver.Record
		err := d.Get(ctx, sampleKey(i), sampleClock(), &r)
		if errors.Is(err, driver.ErrNotFound) && (i%7 == 0 || skip) {
			continue
		}
		if err != nil {
			if err := typed(err); err != nil {
				return fmt.Errorf("get %d: %w", i, err)
			}
			continue
		}
		if err := sameRecord(&r, i); err != nil {
			return err
		}
	}
	return listDamaged(d)
}

func listDamaged(d *Driver) error {
	for ns := range uint64(2) {
		p, err := d.List(ctx, driver.Query{Namespace: ns + 1, Now: sampleClock(), Limit: 1000})
		if err != nil {
			if err := typed(err); err != nil {
				return fmt.Errorf("list: %w", err)
			}
			continue
		}
		for i := range p.Records {
			var n int
			if _, err := fmt.Sscanf(p.Records[i].ID, "session-%d", &n); err != nil {
				return fmt.Errorf("a record that never was: %q", p.Records[i].ID)
			}
			if err := sameRecord(&p.Records[i], n); err != nil {
				return err
			}
		}
	}
	return nil
}

// typed returns nil if err is one that a damaged file may give.
func typed(err error) error {
	if errors.Is(err, driver.ErrCorrupt) || errors.Is(err, driver.ErrFormat) {
		return nil
	}
	return fmt.Errorf("untyped: %w", err)
}

func sameRecord(r *driver.Record, i int) error {
	want := sampleRecord(i)
	if r.Key != want.Key || r.Version != want.Version || r.UserID != want.UserID || r.Incarnation != want.Incarnation ||
		string(r.Body) != string(want.Body) {
		return fmt.Errorf("record %d is wrong", i)
	}
	return nil
}
