package boltdriver

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// A backup made while writers write is one durable state: it verifies, and
// restores to a store that opens.
func TestBackupUnderWrites(t *testing.T) {
	d, err := Open(filled(t, 50), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for i := 100; ; i++ {
			select {
			case <-stop:
				return
			default:
				fillRecord(t, d, i)
			}
		}
	}()
	for range 5 {
		src := filepath.Join(t.TempDir(), "backup")
		h, err := os.Create(src)
		if err != nil {
			t.Fatal(err)
		}
		n, err := d.Backup(ctx, h)
		if err := errors.Join(err, h.Sync(), h.Close()); err != nil {
			t.Fatal(err)
		}
		dst := src + ".db"
		if err := Restore(ctx, src, dst); err != nil {
			t.Fatal(err)
		}
		if info, _ := os.Stat(dst); info.Size() != n {
			t.Errorf("%d bytes restored of %d", info.Size(), n)
		}
		r, err := Open(dst, Options{})
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
		if names := dirNames(t, filepath.Dir(dst)); len(names) != 2 {
			t.Errorf("left behind: %v", names)
		}
	}
	close(stop)
	<-stopped
}

var errInjectedWrite = errors.New("injected")

type failingWriter struct{ left int }

func (w *failingWriter) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, errInjectedWrite
	}
	return len(b), nil
}

// A backup that fails or is given up says why, and leaves the store working.
func TestBackupFails(t *testing.T) {
	d, err := Open(filled(t, 10), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, left := range []int{0, format.PageSize, 3 * format.PageSize} {
		if _, err := d.Backup(ctx, &failingWriter{left}); err == nil {
			t.Errorf("%d bytes: no error", left)
		}
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := d.Backup(done, new(bytes.Buffer)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want Canceled", err)
	}
	fillRecord(t, d, 100)
	_ = d.Close()
	if _, err := d.Backup(ctx, new(bytes.Buffer)); !errors.Is(err, driver.ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
}

// Restore makes nothing from a damaged backup and replaces nothing.
func TestRestoreRefuses(t *testing.T) {
	src := filled(t, 50)
	dst := filepath.Join(t.TempDir(), "b.db")
	other := emptyStore(t)
	if err := Restore(ctx, src, other); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v, want ErrExist", err)
	}
	if err := Restore(ctx, src+"x", dst); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want ErrNotExist", err)
	}
	damage(t, src, func(b []byte) { flipInRecord(t, b) })
	if err := Restore(ctx, src, dst); !errors.Is(err, driver.ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
	if names := dirNames(t, filepath.Dir(dst)); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

// One backup or compaction runs at a time; who waits for it may give up.
func TestBackupAlone(t *testing.T) {
	d, err := Open(emptyStore(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	free, err := d.copyAlone(ctx)
	if err != nil {
		t.Fatal(err)
	}
	done, cancel := context.WithCancelCause(ctx)
	cancel(nil)
	if _, err := d.copyAlone(done); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want Canceled", err)
	}
	if _, _, err := d.Compact(done); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want Canceled", err)
	}
	waiting := make(chan error)
	go func() {
		_, _, err := d.Compact(ctx)
		waiting <- err
	}()
	fillRecord(t, d, 1) // the writer does not wait for the copy
	free()
	if err := <-waiting; err != nil {
		t.Error(err)
	}
}

// A backup is a store to go on with: after each commit into it, it opens again,
// whatever number its transaction had.
func TestBackupIsWrittenTo(t *testing.T) {
	for commits := range 4 {
		d := openCore(t, Options{})
		for i := range commits {
			fillRecord(t, d, i)
		}
		var b bytes.Buffer
		n, err := d.Backup(ctx, &b)
		if err != nil || n != int64(b.Len()) {
			t.Fatalf("%d bytes of %d: %v", n, b.Len(), err)
		}
		path := filepath.Join(t.TempDir(), "backup")
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			copied, err := Open(path, Options{})
			if err != nil {
				t.Fatalf("after %d commits, and %d into the backup: %v", commits, i, err)
			}
			fillRecord(t, copied, 100+i)
			if err := copied.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
