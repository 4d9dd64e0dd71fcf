package boltdriver

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

var background = context.Background()

// openCore opens a new store.
func openCore(t testing.TB, o Options) *Driver {
	t.Helper()
	return opened(t, filepath.Join(t.TempDir(), "store.db"), o)
}

func clockAt(at int64) func() int64 { return func() int64 { return at } }

// opOf returns an op at time 1000 that makes this change, whatever it sees.
func opOf(k driver.Key, c driver.Change) *driver.Op {
	return opPlan(driver.Target{Key: k}, func(driver.View) (driver.Change, error) { return c, nil })
}

func opPlan(t driver.Target, plan func(driver.View) (driver.Change, error)) *driver.Op {
	return &driver.Op{Target: t, Clock: clockAt(1000), Plan: plan}
}

func do(t testing.TB, d *Driver, ops ...*driver.Op) {
	t.Helper()
	if err := d.Mutate(background, ops...); err != nil {
		t.Fatal(err)
	}
}

var incarnations atomic.Uint64

// session returns a new record that never expires.
func session(ns uint64, id, user string) *driver.Record {
	r := &driver.Record{
		Key: driver.Key{Namespace: ns, ID: id}, UserID: user, Version: 1, NextSeq: 1, Created: 1, ActiveMinute: 1,
		Due: driver.Never, Expires: driver.Never, Body: []byte("body"), Bytes: 4,
	}
	binary.BigEndian.PutUint64(r.Incarnation[:], incarnations.Add(1))
	return r
}

// withLog adds n messages to r and returns the change that stores both.
func withLog(r *driver.Record, n int) driver.Change {
	c := driver.Change{Put: r}
	for range n {
		body := []byte(fmt.Sprintf("message %d", r.NextSeq))
		c.Append = append(c.Append, driver.Message{Seq: r.NextSeq, ID: fmt.Sprint("m", r.NextSeq), Body: body})
		r.NextSeq++
		r.Messages++
		r.Bytes += uint64(len(body))
	}
	return c
}

// sound fails on any finding of Check.
func sound(t testing.TB, d *Driver) driver.Checked {
	t.Helper()
	c, err := d.Check(background, 10, driver.Visitor{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Findings {
		t.Errorf("%s: %s", f.Where, f.What)
	}
	return c
}

// messages returns the log of r as readers see it.
func messages(t testing.TB, d *Driver, r *driver.Record) []driver.Message {
	t.Helper()
	ms, err := d.Messages(background, driver.LogQuery{
		Namespace: r.Namespace, Incarnation: r.Incarnation, Limit: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

func exists(t testing.TB, d *Driver, k driver.Key) bool {
	t.Helper()
	var r driver.Record
	switch err := d.Get(background, k, 0, &r); err {
	case nil:
		return true
	case driver.ErrNotFound:
		return false
	default:
		t.Fatal(err)
		return false
	}
}

// keysIn counts what a bucket holds, seen or not.
func keysIn(t testing.TB, d *Driver, in format.Bucket) (n int) {
	t.Helper()
	s, err := d.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer d.release(s)
	c := s.cursor(in)
	for k, _ := c.Seek([]byte{0}); k != nil; k, _ = c.Next() {
		n++
	}
	return n
}

// gate stops commits until the test lets them go on.
type gate struct {
	entered chan struct{}
	pass    chan error // not nil: the commit fails with it, see commit
	shut    atomic.Bool
	before  bool // fail before anything is written, instead of after all is
}

func newGate() *gate {
	return &gate{entered: make(chan struct{}, 16), pass: make(chan error, 16)}
}

func (g *gate) commit(tx *bolt.Tx) error {
	if !g.shut.Load() {
		return tx.Commit()
	}
	g.entered <- struct{}{}
	fault := <-g.pass
	if fault != nil && g.before {
		_ = tx.Rollback()
		return fault
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return fault
}

// behind keeps the writer's goroutine in a commit while fill sends calls, n of
// them, and returns once they all wait.
func (g *gate) behind(t testing.TB, d *Driver, n int, fill func()) (first chan error) {
	t.Helper()
	g.shut.Store(true)
	d.writer.solo.Store(false)
	first = make(chan error, 1)
	go func() {
		first <- d.Mutate(background, opOf(driver.Key{Namespace: 99, ID: "first"}, driver.Change{
			Put: session(99, "first", ""),
		}))
	}()
	<-g.entered
	fill()
	for len(d.calls) < n {
		yield()
	}
	return first
}

// emptyStore makes a store's file without content and returns its path.
func emptyStore(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	if err := createStore(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// createStore makes a store's file at path.
func createStore(path string) error {
	d, err := Open(path, Options{})
	if err != nil {
		return err
	}
	return d.Close()
}

// heldFile opens the file without a driver, and closes it when the test ends.
func heldFile(t testing.TB, path string, o dbfile.Options) *dbfile.File {
	t.Helper()
	f, err := dbfile.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// dirNames returns the names in a directory.
func dirNames(t testing.TB, dir string) (names []string) {
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
