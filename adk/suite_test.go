package adk_test

import (
	"path/filepath"
	"sync"
	"testing"

	"google.golang.org/adk/v2/session"
	"google.golang.org/adk/v2/session/sessiontestsuite"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/adk"
	"github.com/seshatdb/seshat/adk/adktest"
	"github.com/seshatdb/seshat/seshattest"
)

// memory opens a service in memory.
func memory(t testing.TB) session.Service {
	store, err := seshat.OpenMemory(seshat.Options{})
	seshattest.Adopt(t, store, err)
	return adk.New(store, adk.Options{})
}

// files remembers the stores of services in files.
type files struct{ open sync.Map }

type file struct {
	store *seshat.Store
	path  string
}

func (f *files) at(t testing.TB, path string) session.Service {
	store, err := seshat.Open(path, seshat.Options{})
	seshattest.Adopt(t, store, err)
	s := adk.New(store, adk.Options{})
	f.open.Store(s, file{store, path})
	return s
}

func (f *files) new(t testing.TB) session.Service {
	return f.at(t, filepath.Join(t.TempDir(), "seshat.db"))
}

func (f *files) reopen(t testing.TB, s session.Service) session.Service {
	was, _ := f.open.Load(s)
	seshattest.CheckAndClose(t, was.(file).store)
	return f.at(t, was.(file).path)
}

func TestADKsOwnSuite(t *testing.T) {
	o := sessiontestsuite.SuiteOptions{SupportsUserProvidedSessionID: true}
	t.Run("memory", func(t *testing.T) {
		sessiontestsuite.RunServiceTests(t, o, func(t *testing.T) session.Service { return memory(t) })
	})
	t.Run("file", func(t *testing.T) {
		sessiontestsuite.RunServiceTests(t, o, func(t *testing.T) session.Service { return new(files).new(t) })
	})
}

func TestOurSuite(t *testing.T) {
	t.Run("memory", func(t *testing.T) { adktest.Run(t, adktest.Harness{Open: memory}) })
	t.Run("file", func(t *testing.T) {
		var f files
		adktest.Run(t, adktest.Harness{Open: f.new, Reopen: f.reopen})
	})
}
