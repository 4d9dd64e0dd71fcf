// Package peers opens the services to compare: Seshat's and those of ADK.
package peers

import (
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/glebarez/sqlite"
	"google.golang.org/adk/v2/session"
	"google.golang.org/adk/v2/session/database"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/adk"
	"github.com/seshatdb/seshat/adk/adktest"
)

// Peer is one service.
type Peer struct {
	ID, Name string // ID is for flags and files, Name for people

	// Open opens the service on the file at path. The second result closes it.
	// If hasty is true, writes need not be durable, to fill it faster.
	Open func(path string, hasty bool) (session.Service, func() error, error)

	InFile bool // if false, path is ignored
}

// All returns the services, Seshat's first.
func All() []Peer {
	return []Peer{
		{ID: "file", Name: "Seshat, file", Open: openFile, InFile: true},
		{ID: "memory", Name: "Seshat, in memory", Open: openMemory},
		{ID: "adk-sqlite", Name: "ADK, SQLite", Open: openSQLite, InFile: true},
		{ID: "adk-memory", Name: "ADK, in memory", Open: openADK},
	}
}

// Harness returns the service for adktest.
func (p Peer) Harness() adktest.Harness {
	f := &files{peer: p}
	h := adktest.Harness{Open: func(t testing.TB) session.Service {
		return f.at(t, filepath.Join(t.TempDir(), "sessions"))
	}}
	if p.InFile {
		h.Reopen = f.reopen
	}
	return h
}

// files tracks the files of services.
type files struct {
	peer Peer
	open sync.Map
}

type file struct {
	path  string
	close func() error
}

func (f *files) at(t testing.TB, path string) session.Service {
	s, closeAll, err := f.peer.Open(path, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = closeAll() })
	f.open.Store(s, file{path, closeAll})
	return s
}

func (f *files) reopen(t testing.TB, s session.Service) session.Service {
	was, _ := f.open.Load(s)
	if err := was.(file).close(); err != nil {
		t.Fatal(err)
	}
	return f.at(t, was.(file).path)
}

func openMemory(string, bool) (session.Service, func() error, error) {
	return onStore(seshat.OpenMemory(seshat.Options{}))
}

func openFile(path string, _ bool) (session.Service, func() error, error) {
	return onStore(seshat.Open(path, seshat.Options{}))
}

func onStore(store *seshat.Store, err error) (session.Service, func() error, error) {
	if err != nil {
		return nil, nil, err
	}
	return adk.New(store, adk.Options{}), store.Close, nil
}

func openADK(string, bool) (session.Service, func() error, error) {
	return session.InMemoryService(), func() error { return nil }, nil
}

// openSQLite opens ADK's database service with the settings of ADK's own
// examples.
func openSQLite(path string, hasty bool) (session.Service, func() error, error) {
	if hasty {
		path += "?_pragma=synchronous(OFF)&_pragma=journal_mode(MEMORY)"
	}
	db, err := sql.Open(sqlite.DriverName, path)
	if err != nil {
		return nil, nil, err
	}
	s, err := database.NewSessionService(&sqlite.Dialector{Conn: db}, &gorm.Config{Logger: logger.Discard})
	if err == nil {
		err = database.AutoMigrate(s)
	}
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return s, db.Close, nil
}
