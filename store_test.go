package seshat_test

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/storetest"
)

// files remembers where the suite's stores in files are.
type files struct{ paths sync.Map }

func (f *files) open(t testing.TB, o seshat.Options) *seshat.Store {
	return f.at(t, filepath.Join(t.TempDir(), "seshat.db"), o)
}

func (f *files) reopen(t testing.TB, s *seshat.Store, o seshat.Options) *seshat.Store {
	path, _ := f.paths.Load(s)
	return f.at(t, path.(string), o)
}

func (f *files) at(t testing.TB, path string, o seshat.Options) *seshat.Store {
	t.Helper()
	s, err := seshat.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	f.paths.Store(s, path)
	return s
}

func openMemory(t testing.TB, o seshat.Options) *seshat.Store {
	t.Helper()
	s, err := seshat.OpenMemory(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStoreInMemory(t *testing.T) { storetest.Run(t, storetest.Harness{Open: openMemory}) }

func TestStoreInFile(t *testing.T) {
	f := &files{}
	storetest.Run(t, storetest.Harness{Open: f.open, Reopen: f.reopen})
}
