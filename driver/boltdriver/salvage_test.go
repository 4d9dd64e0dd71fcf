package boltdriver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck/fscktest"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// salvaged salvages src, which must stay as it is, and opens what came of it.
func salvaged(t *testing.T, src string) (*Driver, SalvageReport) {
	t.Helper()
	before, err := os.ReadFile(src)
	if err != nil {
		t.Fatal(err)
	}
	dst := filepath.Join(t.TempDir(), "saved.db")
	var pieces SalvageReport
	r, err := Salvage(ctx, src, dst, func(p Piece) {
		c := map[string]*Salvaged{
			"record": &pieces.Records, "message": &pieces.Messages, "entry": &pieces.Entries, "event": &pieces.Events,
		}[p.Kind]
		n := map[Fate]*uint64{Whole: &c.Whole, Uncertain: &c.Uncertain, Lost: &c.Lost}[p.Fate]
		*n += p.Count
	})
	if err != nil {
		t.Fatal(err)
	}
	if pieces.Records != r.Records || pieces.Messages != r.Messages || pieces.Entries != r.Entries ||
		pieces.Events != r.Events {
		t.Errorf("pieces %+v, report %+v", pieces, r)
	}
	if after, _ := os.ReadFile(src); !bytes.Equal(before, after) {
		t.Error("the source was changed")
	}
	if names := dirNames(t, filepath.Dir(dst)); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
	if _, err := Verify(ctx, dst, nil); err != nil {
		t.Error(err)
	}
	d, err := Open(dst, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d, r
}

// A sound file is copied whole: nothing is uncertain, nothing deleted returns.
func TestSalvageSound(t *testing.T) {
	d, r := salvaged(t, filled(t, 200))
	want := SalvageReport{
		Records: Salvaged{Whole: 171}, Messages: Salvaged{Whole: 513}, Events: Salvaged{Whole: 200},
		Entries: Salvaged{Whole: 171 + 10},
	}
	if r.Records != want.Records || r.Messages != want.Messages || r.Events != want.Events ||
		r.Entries != want.Entries || r.Scanned {
		t.Errorf("%+v, want %+v", r, want)
	}
	if n := getAll(t, d, 200); n != 171 {
		t.Errorf("%d records", n)
	}
	m, err := d.Messages(ctx, driver.LogQuery{Namespace: 2, Incarnation: sampleRecord(1).Incarnation, Limit: 10})
	if err != nil || len(m) != 3 || string(m[2].Body) != string(sampleBody(4)) {
		t.Errorf("log: %d messages, %v", len(m), err)
	}
	fillRecord(t, d, 0)
	removeRecord(t, d, 1)
}

// A record whose bytes are damaged is lost, by name, and everything else whole.
func TestSalvageDamagedRecord(t *testing.T) {
	path := filled(t, 200)
	var key string
	damage(t, path, func(b []byte) { key = flipInRecord(t, b) })
	dst := filepath.Join(t.TempDir(), "b.db")
	var lost []string
	r, err := Salvage(ctx, path, dst, func(p Piece) {
		if p.Kind == "record" && p.Fate == Lost {
			lost = append(lost, p.Where)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Records != (Salvaged{Whole: 170, Lost: 1}) || r.Messages != (Salvaged{Whole: 510, Lost: 3}) || !r.Scanned {
		t.Errorf("%+v", r)
	}
	k, _ := format.ParseRecordKey([]byte(key))
	want := fmt.Sprintf("namespace %d, record %q", k.Namespace, k.ID)
	if len(lost) != 1 || lost[0] != want {
		t.Errorf("lost %q, want %q", lost, want)
	}
}

// With both meta pages gone there is no tree, and the pages still give back
// every record, as uncertain ones.
func TestSalvageWithoutMetas(t *testing.T) {
	path := filled(t, 200)
	damage(t, path, func(b []byte) { clear(b[:2*format.PageSize]) })
	d, r := salvaged(t, path)
	if r.Records.Whole != 0 || r.Records.Uncertain < 171 || len(r.Problems) == 0 {
		t.Errorf("%+v", r)
	}
	if n := getAll(t, d, 200); n < 171 {
		t.Errorf("%d records, want 171 and perhaps removed ones", n)
	}
}

// However many pages are damaged, what comes back verifies, is right, and
// makes a sound store.
func TestSalvageDamagedPages(t *testing.T) {
	img, err := os.ReadFile(filled(t, 200))
	if err != nil {
		t.Fatal(err)
	}
	for _, percent := range []int{2, 10, 50} {
		r := rand.New(rand.NewPCG(uint64(percent), 1))
		b := bytes.Clone(img)
		for id := 2; id < len(b)/format.PageSize; id++ {
			if r.IntN(100) < percent {
				for i := range format.PageSize {
					b[id*format.PageSize+i] = byte(r.Uint32())
				}
			}
		}
		path := filepath.Join(t.TempDir(), "a.db")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		d, rep := salvaged(t, path)
		n := getAll(t, d, 200)
		t.Logf("%d%% of the pages: %d records of 171, %+v", percent, n, rep.Records)
		if want := 171 * (75 - percent) / 100; n < want {
			t.Errorf("%d%% of the pages: only %d records", percent, n)
		}
	}
}

// What was erased, or is dropped and still to be reclaimed, stays away.
func TestSalvageKeepsErasures(t *testing.T) {
	path := filled(t, 200)
	d, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ops := []*driver.Op{
		{Target: driver.Target{Key: driver.Key{Namespace: 1}}, Plan: func(driver.View) (driver.Change, error) {
			return driver.Change{Erase: &driver.Erasure{Namespace: 1, UserID: "user-2"}}, nil
		}},
		{Target: driver.Target{Key: driver.Key{Namespace: 2}}, Plan: func(driver.View) (driver.Change, error) {
			return driver.Change{Erase: &driver.Erasure{Namespace: 2}}, nil
		}},
	}
	for _, op := range ops {
		op.Clock = sampleClock
	}
	if err := errors.Join(d.Mutate(ctx, ops...), d.Close()); err != nil {
		t.Fatal(err)
	}
	want := 0
	for i := 0; i < 200; i += 2 {
		if i%7 != 0 && i%5 != 2 {
			want++
		}
	}
	damage(t, path, func(b []byte) { clear(b[:2*format.PageSize]) })
	d, _ = salvaged(t, path)
	for i := range 200 {
		err := d.Get(ctx, sampleKey(i), sampleClock(), new(driver.Record))
		if gone := i%2 == 1 || i%5 == 2; gone && !errors.Is(err, driver.ErrNotFound) {
			t.Errorf("record %d was erased: %v", i, err)
		}
	}
	if n := getAll(t, d, 200); n < want {
		t.Errorf("%d records, want %d", n, want)
	}
}

// Salvage replaces nothing, takes nothing for a store that is none, and makes
// nothing when it is given up.
func TestSalvageRefuses(t *testing.T) {
	src, dst := filled(t, 20), filepath.Join(t.TempDir(), "b.db")
	if _, err := Salvage(ctx, src, emptyStore(t), nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v, want ErrExist", err)
	}
	text := filepath.Join(t.TempDir(), "text")
	foreign := filepath.Join(t.TempDir(), "foreign")
	_ = os.WriteFile(text, []byte("a text"), 0o600)
	_ = os.WriteFile(foreign, fscktest.Sample(t, 40), 0o600)
	for _, p := range []string{text, foreign} {
		if _, err := Salvage(ctx, p, dst, nil); !errors.Is(err, driver.ErrFormat) {
			t.Errorf("%v, want ErrFormat", err)
		}
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Salvage(done, src, dst, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want Canceled", err)
	}
	_ = heldFile(t, src, dbfile.Options{})
	if _, err := Salvage(ctx, src, dst, nil); !errors.Is(err, driver.ErrLocked) {
		t.Errorf("%v, want ErrLocked", err)
	}
	if names := dirNames(t, filepath.Dir(dst)); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}
