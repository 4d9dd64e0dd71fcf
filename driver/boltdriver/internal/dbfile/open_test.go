package dbfile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck/fscktest"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

// mustOpen opens path and closes it when the test ends.
func mustOpen(t testing.TB, path string, o Options) *File {
	t.Helper()
	f, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// newFile makes a store's file and returns its path.
func newFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	if err := createFile(path, Options{}); err != nil {
		t.Fatal(err)
	}
	return path
}

// A file that is missing is created, and opened again as what it is. While it
// is open, another handle gets ErrLocked within a second.
func TestOpenCreatesAndReopens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	for range 2 {
		f := mustOpen(t, path, Options{})
		if err := f.Check(); err != nil {
			t.Error(err)
		}
		start := time.Now()
		if _, err := Open(path, Options{}); !errors.Is(err, driver.ErrLocked) {
			t.Errorf("second handle: %v, want ErrLocked", err)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("ErrLocked took %v", d)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What is no store is refused by its kind, and left as it was.
func TestOpenRefusesOtherFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(p, 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	noMetas := fscktest.Sample(t, 400)
	clear(noMetas[:2*format.PageSize])
	badMetas := fscktest.Sample(t, 4)
	badMetas[40] ^= 1
	badMetas[format.PageSize+40] ^= 1
	for name, c := range map[string]struct {
		content []byte
		want    error
	}{
		"empty":         {nil, driver.ErrFormat},
		"text":          {[]byte("hello, this is no database"), driver.ErrFormat},
		"long text":     {bytes.Repeat([]byte("text "), 9*format.PageSize), driver.ErrFormat},
		"zeros":         {make([]byte, 8*format.PageSize), driver.ErrCorrupt},
		"no metas":      {noMetas, driver.ErrCorrupt},
		"damaged metas": {badMetas, driver.ErrCorrupt},
		"foreign":       {fscktest.Sample(t, 40), driver.ErrFormat},
		"short":         {fscktest.Sample(t, 400)[:10*format.PageSize], driver.ErrCorrupt},
		"very short":    {fscktest.Sample(t, 400)[:100], driver.ErrCorrupt},
	} {
		p := write(name, c.content)
		for _, ro := range []bool{false, true} {
			if _, err := Open(p, Options{ReadOnly: ro}); !errors.Is(err, c.want) {
				t.Errorf("%s, read-only %v: %v, want %v", name, ro, err, c.want)
			}
		}
		if b, _ := os.ReadFile(p); string(b) != string(c.content) {
			t.Errorf("%s: was changed", name)
		}
		if info, _ := os.Stat(p); info.Mode().Perm() != 0o644 {
			t.Errorf("%s: its mode was changed to %v", name, info.Mode())
		}
	}
}

// A bbolt file with other pages than ours is not taken for a damaged one.
func TestOpenRefusesOtherPageSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: 16384})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); !errors.Is(err, driver.ErrFormat) {
		t.Errorf("%v, want ErrFormat", err)
	}
}

// Directories, devices and symbolic links, dangling ones too, are refused, and
// nothing is created behind them.
func TestOpenRefusesSpecialFiles(t *testing.T) {
	dir := t.TempDir()
	target, link, dangling := newFile(t), filepath.Join(dir, "link"), filepath.Join(dir, "dangling")
	if err := os.Symlink(target, link); err != nil {
		t.Skip(err)
	}
	elsewhere := filepath.Join(dir, "elsewhere")
	if err := os.Symlink(elsewhere, dangling); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{dir, os.DevNull, link, dangling} {
		if _, err := Open(p, Options{}); !errors.Is(err, driver.ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", p, err)
		}
	}
	if _, err := os.Lstat(elsewhere); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link's target was created: %v", err)
	}
}

// A file or directory that is missing is reported as such.
func TestOpenMissing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "a.db"), Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read-only: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "no", "a.db"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	if names := list(t, dir); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

func list(t testing.TB, dir string) (names []string) {
	t.Helper()
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		names = append(names, e.Name())
	}
	return names
}

// New files are 0600 whatever the umask would leave; existing ones become so.
func TestOpenTightensTheMode(t *testing.T) {
	path := newFile(t)
	mode := func() os.FileMode {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if mode() != 0o600 {
		t.Errorf("new file: %v", mode())
	}
	if err := os.Chmod(path, 0o664); err != nil {
		t.Fatal(err)
	}
	_ = mustOpen(t, path, Options{ReadOnly: true}).Close()
	if mode() != 0o664 {
		t.Errorf("read-only open changed the mode to %v", mode())
	}
	_ = mustOpen(t, path, Options{}).Close()
	if mode() != 0o600 {
		t.Errorf("after open: %v", mode())
	}
}

// Readers share a file; a writer excludes them and they exclude it.
func TestOpenReadOnlyShares(t *testing.T) {
	path := newFile(t)
	a := mustOpen(t, path, Options{ReadOnly: true})
	b := mustOpen(t, path, Options{ReadOnly: true})
	if _, err := Open(path, Options{LockTimeout: time.Millisecond}); !errors.Is(err, driver.ErrLocked) {
		t.Errorf("writer beside readers: %v", err)
	}
	_, _ = a.Close(), b.Close()
	_ = mustOpen(t, path, Options{})
	if _, err := Open(path, Options{ReadOnly: true, LockTimeout: time.Millisecond}); !errors.Is(err, driver.ErrLocked) {
		t.Errorf("reader beside a writer: %v", err)
	}
}

// Read-only opening writes nothing: not a byte, not a time, not a name.
func TestOpenReadOnlyWritesNothing(t *testing.T) {
	path := newFile(t)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	image, _ := os.ReadFile(path)
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	leftover := path + tempMark + "0123456789abcdef"
	if err := os.WriteFile(leftover, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_ = mustOpen(t, path, Options{ReadOnly: true}).Close()
	after, _ := os.Stat(path)
	if now, _ := os.ReadFile(path); string(now) != string(image) || !after.ModTime().Equal(before.ModTime()) {
		t.Error("the file was written")
	}
	if names := list(t, filepath.Dir(path)); len(names) != 2 {
		t.Errorf("the directory was changed: %v", names)
	}
}

// A commit after the file was removed or replaced would be lost: check says so.
func TestCheckNoticesAMovedFile(t *testing.T) {
	path := newFile(t)
	f := mustOpen(t, path, Options{})
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if err := f.Check(); !errors.Is(err, driver.ErrFailed) {
		t.Errorf("removed: %v", err)
	}
	other := mustOpen(t, path, Options{})
	if err := f.Check(); !errors.Is(err, driver.ErrFailed) {
		t.Errorf("replaced: %v", err)
	}
	if err := other.Check(); err != nil {
		t.Errorf("the new file: %v", err)
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	if err := f.Check(); err != nil {
		t.Errorf("back again: %v", err)
	}
}

// Files on network file systems need an option.
func TestOpenRefusesNetworkFiles(t *testing.T) {
	path := newFile(t)
	h := Hooks{IsRemote: func(*os.File) bool { return true }}
	if _, err := Open(path, Options{Hooks: h}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v, want ErrUnsupported", err)
	}
	_ = mustOpen(t, path, Options{Hooks: h, AllowNetworkFS: true})
}

// The map is large from the start where it can be, else it grows with the file.
func TestOpenMapSize(t *testing.T) {
	path := newFile(t)
	f := mustOpen(t, path, Options{})
	if f.BigMap && f.MapLimit < bigMapSize {
		t.Errorf("big map of %d bytes", f.MapLimit)
	}
	_ = f.Close()
	f = mustOpen(t, path, Options{Hooks: Hooks{NoBigMap: true}})
	if f.BigMap || f.MapLimit != RoundMap(fileSize(f.Handle)) {
		t.Errorf("small map: %v, %d bytes", f.BigMap, f.MapLimit)
	}
	for size, want := range map[int64]int64{
		1: 1 << 15, 1 << 15: 1 << 15, 1<<15 + 1: 1 << 16, 1<<30 + 1: 2 << 30, 3 << 30: 3 << 30,
	} {
		if got := RoundMap(size); got != want {
			t.Errorf("roundMap(%d) = %d, want %d", size, got, want)
		}
	}
}
