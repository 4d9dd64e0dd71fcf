package boltdriver

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	berrors "go.etcd.io/bbolt/errors"
)

// A commit of unknown outcome: that call is told so, readers keep the last
// durable state, and nothing more is written until the store is reopened.
func TestUnknownOutcome(t *testing.T) {
	for _, noBigMap := range []bool{false, true} {
		t.Run(fmt.Sprintf("noBigMap=%v", noBigMap), func(t *testing.T) {
			g := newGate()
			d := openCore(t, Options{core: coreHooks{commit: g.commit}, hooks: dbfile.Hooks{NoBigMap: noBigMap}})
			old := session(1, "old", "")
			do(t, d, opOf(old.Key, driver.Change{Put: old}))
			g.shut.Store(true)
			g.pass <- syscall.EIO // after all was written
			o := opOf(driver.Key{Namespace: 1, ID: "new"}, driver.Change{Put: session(1, "new", "")})
			if err := d.Mutate(background, o); !errors.Is(err, driver.ErrUnknown) || !errors.Is(err, syscall.EIO) {
				t.Fatalf("%v, want ErrUnknown for EIO", err)
			}
			later := opOf(driver.Key{Namespace: 1, ID: "later"}, driver.Change{Put: session(1, "later", "")})
			if err := d.Mutate(background, later); !errors.Is(err, driver.ErrFailed) {
				t.Errorf("%v, want ErrFailed", err)
			}
			if _, err := d.Reclaim(background, 0, 10); !errors.Is(err, driver.ErrFailed) {
				t.Errorf("Reclaim: %v, want ErrFailed", err)
			}
			if d.Stats().Failed == nil {
				t.Error("Stats does not say that the store failed")
			}
			checkAfterUnknown(t, d, old.Key, o.Target.Key, noBigMap)
		})
	}
}

func checkAfterUnknown(t *testing.T, d *Driver, old, unknown driver.Key, ownSnapshots bool) {
	t.Helper()
	var r driver.Record
	if ownSnapshots { // the engine shows only what is not known to be durable
		if err := d.Get(background, unknown, 0, &r); !errors.Is(err, driver.ErrFailed) {
			t.Errorf("%v, want ErrFailed", err)
		}
	} else if !exists(t, d, old) || exists(t, d, unknown) {
		t.Error("readers do not see the last durable state")
	}
	path := d.file.Path
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = opened(t, path, Options{})
	if !exists(t, d, old) || !exists(t, d, unknown) {
		t.Error("the state on disk is not what was written")
	}
	do(t, d, opOf(old, driver.Change{Remove: true}))
	sound(t, d)
}

// A full disk fails the calls that need room, changes nothing, and the store
// carries on.
func TestDiskFull(t *testing.T) {
	for _, fault := range []error{
		&fs.PathError{Op: "write", Err: syscall.ENOSPC},
		errors.New("file resize error: truncate x: " + syscall.EFBIG.Error()),
	} {
		d, g := gated(t)
		g.before = true
		g.shut.Store(true)
		g.pass <- fault
		o := opOf(driver.Key{Namespace: 1, ID: "a"}, driver.Change{Put: session(1, "a", "")})
		if err := d.Mutate(background, o); !errors.Is(err, fault) {
			t.Errorf("%v, want %v", err, fault)
		}
		g.shut.Store(false)
		if exists(t, d, o.Target.Key) {
			t.Error("the failed op was done")
		}
		do(t, d, o)
		sound(t, d)
	}
}

// An op that does not fit into the file fails; those committed with it do not.
func TestMaxSizeSparesTheOthers(t *testing.T) {
	g := newGate()
	d := openCore(t, Options{MaxSize: 1 << 20, hooks: dbfile.Hooks{NoBigMap: true}, core: coreHooks{commit: g.commit}})
	big := session(1, "big", "")
	big.Body = make([]byte, format.MaxRecord)
	ops := []*driver.Op{
		opOf(driver.Key{Namespace: 1, ID: "a"}, driver.Change{Put: session(1, "a", "")}),
		opOf(big.Key, driver.Change{Put: big}),
		opOf(driver.Key{Namespace: 1, ID: "b"}, driver.Change{Put: session(1, "b", "")}),
	}
	together(t, d, g, ops)
	if ops[0].Err != nil || ops[2].Err != nil || !errors.Is(ops[1].Err, berrors.ErrMaxSizeReached) {
		t.Errorf("%v, %v, %v", ops[0].Err, ops[1].Err, ops[2].Err)
	}
	if exists(t, d, big.Key) || !exists(t, d, ops[0].Target.Key) || !exists(t, d, ops[2].Target.Key) {
		t.Error("what was done is not what was answered")
	}
	sound(t, d)
}
