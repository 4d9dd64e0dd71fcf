package seshat_test

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// The external tests of this package share these helpers. The internal tests
// share those of setup_internal_test.go.

// hello is a message that every session accepts.
var hello = seshat.Message{Role: seshat.RoleUser, Content: "hello"}

// onBoth runs fn on a new store in memory and on one in a file.
func onBoth(t *testing.T, fn func(*testing.T, *seshattest.Store)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) { fn(t, seshattest.Open(t)) })
	t.Run("file", func(t *testing.T) { fn(t, seshattest.OpenFile(t)) })
}

// must ends the test if err is not nil.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// openTenant adopts a store that the test opened with the error err, and
// returns its tenant acme. Use it for stores on the machine's clock or on that
// of a bubble. Package seshattest opens all others.
func openTenant(t *testing.T, s *seshat.Store, err error) *seshat.Tenant {
	t.Helper()
	seshattest.Adopt(t, s, err)
	tn, err := s.EnsureTenant(t.Context(), seshat.Namespace{Name: "acme"})
	must(t, err)
	return tn
}

// only returns err, for a call whose result is not needed.
func only[T any](_ T, err error) error { return err }

// openMemory opens a store for a suite, which closes it.
func openMemory(t testing.TB, o seshat.Options) *seshat.Store {
	t.Helper()
	s, err := seshat.OpenMemory(o) // by hand: the suite closes it
	must(t, err)
	return s
}

// files opens stores in files for a suite, which closes them, and remembers
// their paths.
type files struct{ paths sync.Map } // *seshat.Store to path

func (f *files) open(t testing.TB, o seshat.Options) *seshat.Store {
	t.Helper()
	return f.at(t, filepath.Join(t.TempDir(), "seshat.db"), o)
}

func (f *files) reopen(t testing.TB, s *seshat.Store, o seshat.Options) *seshat.Store {
	t.Helper()
	path, _ := f.paths.Load(s)
	return f.at(t, path.(string), o)
}

func (f *files) at(t testing.TB, path string, o seshat.Options) *seshat.Store {
	t.Helper()
	s, err := seshat.Open(path, o) // by hand: the suite closes it
	must(t, err)
	f.paths.Store(s, path)
	return s
}
