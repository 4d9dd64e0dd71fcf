package dbfile

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// Local file systems are not taken for remote ones, and the list knows NFS.
func TestIsRemote(t *testing.T) {
	f, err := os.Open(newFile(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if isRemote(f) || !remoteMagic[0x6969] {
		t.Error("a temporary file is remote, or NFS is not")
	}
}

// The kernel's name of an open file is trusted while it is the one it was
// opened by, and only where nothing but that name leads to it.
func TestNameLink(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	sub := filepath.Join(dir, "sub")
	must(os.Mkdir(sub, 0o700))
	must(os.Symlink(sub, filepath.Join(dir, "link")))
	path := filepath.Join(sub, "a (deleted)")
	f, err := os.Create(path)
	must(err)
	defer f.Close()
	if l := linkTo(f, filepath.Join(dir, "link", "a (deleted)")); l.link != "" {
		t.Error("a path through a link is trusted")
	}
	l := linkTo(f, path)
	says := func(want bool, what string) {
		t.Helper()
		if got := l.says(path); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	says(true, "untouched")
	must(os.Rename(path, path+"2"))
	says(false, "moved")
	must(os.WriteFile(path, nil, 0o600))
	says(false, "moved, and another in its place")
	must(os.Rename(path+"2", path))
	says(true, "moved back")
	must(os.Rename(sub, sub+"2"))
	says(false, "its directory moved")
	must(os.Rename(sub+"2", sub))
	says(true, "that moved back")
	must(os.Remove(path))
	says(false, "removed")
	must(os.WriteFile(path, nil, 0o600))
	says(false, "removed, and another in its place")
}

// What a look at the file's name costs the commit behind it: eight pages in a
// file of 16 MB, a sync, the meta page, a sync.
func BenchmarkLookBeforeCommit(b *testing.B) {
	path := filepath.Join(b.TempDir(), "a.db")
	if err := os.WriteFile(path, make([]byte, 16<<20), 0o600); err != nil {
		b.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	link := linkTo(f, path)
	for name, look := range map[string]func() bool{
		"none":  func() bool { return true },
		"name":  func() bool { return link.says(path) },
		"state": func() bool { _, err := os.Lstat(path); return err == nil },
	} {
		b.Run(name, func(b *testing.B) {
			page := make([]byte, format.PageSize)
			for n := int64(1); b.Loop(); n++ {
				if !look() {
					b.Fatal("not there")
				}
				for i := range int64(8) {
					writeSome(b, f, page, (n*8+i)*7919%4096)
				}
				syncSome(b, f)
				writeSome(b, f, page, n%2)
				syncSome(b, f)
			}
		})
	}
}

func writeSome(b *testing.B, f *os.File, page []byte, at int64) {
	b.Helper()
	if _, err := f.WriteAt(page, at*format.PageSize); err != nil {
		b.Fatal(err)
	}
}

func syncSome(b *testing.B, f *os.File) {
	b.Helper()
	if err := syscall.Fdatasync(int(f.Fd())); err != nil {
		b.Fatal(err)
	}
}
