package boltdriver

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
)

// getAll reads records 0 to n and returns how many are right; the rest are
// absent. A wrong one fails the test.
func getAll(t testing.TB, d *Driver, n int) (found int) {
	t.Helper()
	for i := range n {
		var r driver.Record
		err := d.Get(ctx, sampleKey(i), sampleClock(), &r)
		switch {
		case errors.Is(err, driver.ErrNotFound):
		case err != nil:
			t.Error(err)
		case string(r.Body) != string(sampleBody(i)) || r.Version != uint64(i+1):
			t.Errorf("record %d is another", i)
		default:
			found++
		}
	}
	return found
}

// Compact makes the file smaller, loses nothing, and the store goes on in the
// new file, which a reopen finds.
func TestCompact(t *testing.T) {
	path := filled(t, 300)
	d, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	for i := 100; i < 300; i++ {
		if i%7 != 0 {
			removeRecord(t, d, i)
		}
	}
	for more := true; more; {
		r, err := d.Reclaim(ctx, sampleClock(), 1000)
		if err != nil {
			t.Fatal(err)
		}
		more = r.More
	}
	before, after, err := d.Compact(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(path); after >= before || info.Size() != after {
		t.Errorf("from %d to %d bytes, the file has %d", before, after, info.Size())
	}
	for range 2 {
		if n := getAll(t, d, 300); n != 85 {
			t.Errorf("%d records, want 85", n)
		}
		fillRecord(t, d, 0)
		removeRecord(t, d, 0)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(ctx, path, nil); err != nil {
			t.Error(err)
		}
		if d, err = Open(path, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if names := dirNames(t, filepath.Dir(path)); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func removeRecord(t testing.TB, d *Driver, i int) {
	t.Helper()
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

// While the file is compacted nobody else can open the old one or the new one;
// calls wait and then go on.
func TestCompactKeepsTheLock(t *testing.T) {
	path := filled(t, 100)
	var d *Driver
	tries := 0
	probe := func(step string) {
		if step != "compacted" && step != "renamed" {
			return
		}
		tries++
		for _, p := range []string{path, dirNames(t, filepath.Dir(path))[0], path} {
			if _, err := dbfile.Open(filepath.Join(filepath.Dir(path), filepath.Base(p)), dbfile.Options{
				LockTimeout: time.Millisecond,
			}); !errors.Is(err, driver.ErrLocked) {
				t.Errorf("%s at %q: %v, want ErrLocked", p, step, err)
			}
		}
	}
	d, err := Open(path, Options{hooks: dbfile.Hooks{Step: probe}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() { getAll(t, d, 100) })
		wg.Go(func() { fillRecord(t, d, 1000+i) })
	}
	if _, _, err := d.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if tries != 2 {
		t.Errorf("%d probes", tries)
	}
	if _, err := dbfile.Open(path, dbfile.Options{LockTimeout: time.Millisecond}); !errors.Is(err, driver.ErrLocked) {
		t.Errorf("afterwards: %v, want ErrLocked", err)
	}
}

// A compaction that fails leaves the old file in force and nothing behind.
func TestCompactFails(t *testing.T) {
	path := filled(t, 50)
	panicking := false
	step := func(string) {
		if panicking {
			panic("injected")
		}
	}
	d, err := Open(path, Options{hooks: dbfile.Hooks{Step: step}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := d.Compact(done); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want Canceled", err)
	}
	panicking = true
	if _, _, err := d.Compact(ctx); !errors.Is(err, driver.ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
	panicking = false
	if names := dirNames(t, filepath.Dir(path)); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
	if n := getAll(t, d, 50); n != 42 {
		t.Errorf("%d records, want 42", n)
	}
	fillRecord(t, d, 0)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Compact(ctx); !errors.Is(err, driver.ErrFailed) {
		t.Errorf("a file that was moved away: %v, want ErrFailed", err)
	}
}

// A store that was opened for reading, or closed, is not compacted.
func TestCompactRefuses(t *testing.T) {
	path := filled(t, 5)
	d, err := Open(path, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Compact(ctx); !errors.Is(err, driver.ErrReadOnly) {
		t.Errorf("%v, want ErrReadOnly", err)
	}
	_ = d.Close()
	if d, err = Open(path, Options{}); err != nil {
		t.Fatal(err)
	}
	_ = d.Close()
	if _, _, err := d.Compact(ctx); !errors.Is(err, driver.ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
}

// A compacted file whose name may not survive a power failure is an unknown
// outcome: it is read from, and takes no writes.
func TestCompactUnsyncedName(t *testing.T) {
	path := filled(t, 5)
	dir := filepath.Dir(path)
	away := dir + " away"
	d, err := Open(path, Options{hooks: dbfile.Hooks{Step: func(name string) {
		if name == "renamed" { // nothing to sync there
			if err := os.Rename(dir, away); err != nil {
				t.Error(err)
			}
		}
	}}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	_, _, err = d.Compact(ctx)
	if !errors.Is(err, driver.ErrUnknown) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want ErrUnknown and ErrNotExist", err)
	}
	if err := os.Rename(away, dir); err != nil {
		t.Fatal(err)
	}
	before := getAll(t, d, 5)
	if _, _, err := d.Compact(ctx); !errors.Is(err, driver.ErrFailed) {
		t.Errorf("once more: %v, want ErrFailed", err)
	}
	op := &driver.Op{
		Target: driver.Target{Key: sampleKey(0)},
		Clock:  sampleClock,
		Plan: func(driver.View) (driver.Change, error) {
			return driver.Change{Put: sampleRecord(0)}, nil
		},
	}
	if err := d.Mutate(ctx, op); !errors.Is(err, driver.ErrFailed) || errors.Is(err, driver.ErrUnknown) {
		t.Errorf("a write: %v, want ErrFailed alone", err)
	}
	if n := getAll(t, d, 5); n != before || n == 0 {
		t.Errorf("%d records, want %d", n, before)
	}
}

// A compaction waits for a check to end before it makes calls wait: else all
// would wait for the check, which reads the whole file.
func TestCompactWaitsForACheckAlone(t *testing.T) {
	var checking, early atomic.Bool
	d := openCore(t, Options{hooks: dbfile.Hooks{Step: func(step string) {
		early.Store(early.Load() || step == "compacted" && checking.Load())
	}}})
	r := session(1, "a", "")
	do(t, d, opOf(r.Key, driver.Change{Put: r}))
	compacted := make(chan error, 1)
	beside := func() error {
		ctx, cancel := context.WithTimeout(background, 20*time.Second)
		defer cancel()
		go func() { _, _, err := d.Compact(background); compacted <- err }()
		for range 50 {
			yield()
			if err := d.Mutate(ctx, opOf(r.Key, driver.Change{Put: r})); err != nil {
				return err
			}
		}
		return nil
	}
	_, err := d.Check(background, 1, driver.Visitor{Record: func(*driver.Record) error {
		checking.Store(true)
		defer checking.Store(false)
		done := make(chan error)
		go func() { done <- beside() }()
		if err := <-done; err != nil {
			t.Errorf("a call beside a check and a compaction: %v", err)
		}
		return nil
	}})
	if err != nil {
		t.Error(err)
	}
	if err := <-compacted; err != nil || early.Load() {
		t.Errorf("compacted during the check: %v, %v", early.Load(), err)
	}
}
