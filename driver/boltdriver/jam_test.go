package boltdriver

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver"
	bolt "go.etcd.io/bbolt"
)

// within fails the test if fn does not return.
func within(t *testing.T, what string, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); fn() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s hangs", what)
	}
}

// Where damage keeps the engine from ending a transaction, its lock is held for
// ever: writes fail and say why, reads go on, Close returns, and the file can
// be opened again by whoever repairs it.
func TestJammedEngine(t *testing.T) {
	jam := false
	d := openCore(t, Options{core: coreHooks{rollback: func(tx *bolt.Tx) error {
		if jam {
			panic("freed page (53) was allocated by the same transaction (200)")
		}
		return tx.Rollback()
	}}})
	r := session(1, "a", "mia")
	do(t, d, opOf(r.Key, driver.Change{Put: r}))
	jam = true
	mine := errors.New("mine")
	within(t, "a write that changes nothing", func() {
		op := opPlan(driver.Target{Key: r.Key}, func(driver.View) (driver.Change, error) {
			return driver.Change{}, mine
		})
		_ = d.Mutate(background, op)
		if !errors.Is(op.Err, mine) {
			t.Errorf("%v, want the plan's error", op.Err)
		}
	})
	within(t, "the next write", func() {
		op := opOf(r.Key, driver.Change{Put: r})
		_ = d.Mutate(background, op)
		if !errors.Is(op.Err, driver.ErrFailed) || !errors.Is(op.Err, driver.ErrCorrupt) {
			t.Errorf("%v, want ErrFailed and ErrCorrupt", op.Err)
		}
	})
	if err := d.Get(background, r.Key, 0, new(driver.Record)); err != nil {
		t.Errorf("a read: %v", err)
	}
	within(t, "Close", func() {
		if err := d.Close(); !errors.Is(err, driver.ErrCorrupt) {
			t.Errorf("Close: %v, want ErrCorrupt", err)
		}
	})
	if !exists(t, opened(t, d.file.Path, Options{}), r.Key) {
		t.Error("what was acknowledged is gone")
	}
}

// pausing is a log whose first line starts fn beside the writer, and gives it
// the time to run.
type pausing struct {
	slog.Handler
	fn   func()
	once sync.Once
}

func (p *pausing) Handle(context.Context, slog.Record) error {
	p.once.Do(func() {
		go p.fn()
		for range 1000 {
			yield()
		}
	})
	return nil
}

// Stats are read while the writer fails, twice in one commit, and again when it
// did: there is one reason, the first.
func TestStatsWhileTheWriterFails(t *testing.T) {
	var d *Driver
	read := make(chan error, 1)
	log := slog.New(&pausing{Handler: slog.NewTextHandler(io.Discard, nil), fn: func() { read <- d.Stats().Failed }})
	d = openCore(t, Options{Logger: log, core: coreHooks{
		commit:   func(*bolt.Tx) error { panic("a page") },
		rollback: func(*bolt.Tx) error { panic("freed page (53) was allocated by the same transaction (200)") },
	}})
	r := session(1, "a", "mia")
	if err := d.Mutate(background, opOf(r.Key, driver.Change{Put: r})); !errors.Is(err, driver.ErrUnknown) {
		t.Fatalf("%v, want ErrUnknown", err)
	}
	if early, late := <-read, d.Stats().Failed; early == nil || early != late {
		t.Errorf("failed for %v, and later for %v", early, late)
	}
	if err := d.Close(); !errors.Is(err, driver.ErrCorrupt) {
		t.Errorf("Close: %v, want ErrCorrupt", err)
	}
}
