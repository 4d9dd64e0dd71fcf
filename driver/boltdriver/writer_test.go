package boltdriver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/seshatdb/seshat/driver"
	berrors "go.etcd.io/bbolt/errors"
)

func yield() { runtime.Gosched() }

// together sends ops behind a commit in progress, each as a call of its own,
// and waits for all of them.
func together(t *testing.T, d *Driver, g *gate, ops []*driver.Op) {
	t.Helper()
	var wg sync.WaitGroup
	first := g.behind(t, d, len(ops), func() {
		for _, o := range ops {
			wg.Add(1)
			go func() { defer wg.Done(); _ = d.Mutate(background, o) }()
		}
	})
	g.shut.Store(false)
	g.pass <- nil
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

func gated(t *testing.T) (*Driver, *gate) {
	t.Helper()
	g := newGate()
	return openCore(t, Options{core: coreHooks{commit: g.commit}}), g
}

// Calls that wait are committed together, and each sees those before it.
func TestGroupCommit(t *testing.T) {
	d, g := gated(t)
	k := driver.Key{Namespace: 1, ID: "a"}
	r := session(1, "a", "")
	do(t, d, opOf(k, driver.Change{Put: r}))
	before := d.Stats()
	var ops []*driver.Op
	for range 50 {
		ops = append(ops, opPlan(driver.Target{Key: k}, func(v driver.View) (driver.Change, error) {
			n := *v.Record
			n.Version++
			return driver.Change{Put: &n}, nil
		}))
	}
	together(t, d, g, ops)
	for _, o := range ops {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
	}
	var got driver.Record
	if err := d.Get(background, k, 0, &got); err != nil || got.Version != 51 {
		t.Errorf("version %d, want 51, %v", got.Version, err)
	}
	s := d.Stats()
	if s.Commits-before.Commits != 2 || s.MaxOps != 50 {
		t.Errorf("%d commits, at most %d ops in one, want 2 and 50", s.Commits-before.Commits, s.MaxOps)
	}
	sound(t, d)
}

// An op that fails in any way leaves no trace, and the others of its commit are
// done.
func TestOneOpFailsAlone(t *testing.T) {
	d, g := gated(t)
	mine := errors.New("mine")
	put := func(id string) *driver.Op {
		return opOf(driver.Key{Namespace: 1, ID: id}, driver.Change{Put: session(1, id, "u")})
	}
	bad := []func(driver.View) (driver.Change, error){
		func(driver.View) (driver.Change, error) { return driver.Change{Put: session(1, "bad", "")}, mine },
		func(driver.View) (driver.Change, error) { panic("plan") },
		func(driver.View) (driver.Change, error) {
			r := session(1, "bad", "")
			c := withLog(r, 2)
			c.Replace = []driver.Message{{Seq: 9, Body: []byte("x")}}
			return driver.Change{Put: r, Replace: c.Replace}, nil
		},
		func(driver.View) (driver.Change, error) { return driver.Change{Put: session(2, "other", "")}, nil },
	}
	ops := []*driver.Op{put("a")}
	for _, plan := range bad {
		ops = append(ops, opPlan(driver.Target{Key: driver.Key{Namespace: 1, ID: "bad"}}, plan))
	}
	clock := put("bad")
	clock.Clock = func() int64 { panic("clock") }
	ops = append(ops, clock, put("b"))
	together(t, d, g, ops)
	var panicked *driver.PanicError
	for i, want := range []error{nil, mine, nil, driver.ErrNotFound, driver.ErrInvalid, nil, nil} {
		switch got := ops[i].Err; {
		case i == 2 || i == 5:
			if !errors.As(got, &panicked) {
				t.Errorf("op %d: %v, want a PanicError", i, got)
			}
		case !errors.Is(got, want):
			t.Errorf("op %d: %v, want %v", i, got, want)
		}
	}
	for id, want := range map[string]bool{"a": true, "b": true, "bad": false, "other": false} {
		if exists(t, d, driver.Key{Namespace: 1, ID: id}) != want {
			t.Errorf("%q: exists is not %v", id, want)
		}
	}
	if n := keysIn(t, d, bLog); n != 0 {
		t.Errorf("%d messages were left", n)
	}
	sound(t, d)
}

// A Plan that ends its goroutine fails its commit, and the driver goes on.
func TestPlanThatExits(t *testing.T) {
	d := openCore(t, Options{})
	a := opOf(driver.Key{Namespace: 1, ID: "a"}, driver.Change{Put: session(1, "a", "")})
	exit := opPlan(driver.Target{}, func(driver.View) (driver.Change, error) { runtime.Goexit(); panic("not reached") })
	if err := d.Mutate(background, a, exit); !errors.Is(err, errExited) || !errors.Is(exit.Err, errExited) {
		t.Errorf("%v, %v", err, exit.Err)
	}
	if exists(t, d, a.Target.Key) {
		t.Error("an op of the failed commit was done")
	}
	do(t, d, a)
	if !exists(t, d, a.Target.Key) {
		t.Error("the next call was not done")
	}
}

// A context that ends while the call waits: the caller is let go at once, and
// nothing happens.
func TestCancelledWhileQueued(t *testing.T) {
	d, g := gated(t)
	ctx, cancel := context.WithCancel(background)
	o := opOf(driver.Key{Namespace: 1, ID: "a"}, driver.Change{Put: session(1, "a", "")})
	sent := make(chan error, 1)
	first := g.behind(t, d, 1, func() { go func() { sent <- d.Mutate(ctx, o) }() })
	cancel()
	if err := <-sent; !errors.Is(err, context.Canceled) || !errors.Is(o.Err, context.Canceled) {
		t.Errorf("%v, %v", err, o.Err)
	}
	g.shut.Store(false)
	g.pass <- nil
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	do(t, d, opOf(driver.Key{Namespace: 1, ID: "b"}, driver.Change{Put: session(1, "b", "")}))
	if exists(t, d, o.Target.Key) {
		t.Error("the cancelled op was done")
	}
}

// A context that ends after Plan ran: the outcome of the commit counts.
func TestCancelledWhileCommitting(t *testing.T) {
	d, g := gated(t)
	g.shut.Store(true)
	ctx, cancel := context.WithCancel(background)
	o := opOf(driver.Key{Namespace: 1, ID: "a"}, driver.Change{Put: session(1, "a", "")})
	sent := make(chan error, 1)
	go func() { sent <- d.Mutate(ctx, o) }()
	<-g.entered
	cancel()
	g.pass <- nil
	if err := <-sent; err != nil {
		t.Errorf("%v, want nil: the op is durable", err)
	}
	if !exists(t, d, o.Target.Key) {
		t.Error("the op was not done")
	}
}

// A commit of unknown outcome: that call is told so, readers keep the last
// durable state, and nothing more is written until the store is reopened.
func TestUnknownOutcome(t *testing.T) {
	for _, noBigMap := range []bool{false, true} {
		t.Run(fmt.Sprintf("noBigMap=%v", noBigMap), func(t *testing.T) {
			g := newGate()
			d := openCore(t, Options{core: coreHooks{commit: g.commit}, hooks: fileHooks{noBigMap: noBigMap}})
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
	path := d.file.path
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

// Not every error of a full disk is harmless: a failed sync says nothing about
// what reached the disk.
func TestIsFull(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{berrors.ErrMaxSizeReached, true},
		{&fs.PathError{Op: "write", Err: syscall.EFBIG}, true},
		{&fs.PathError{Op: "sync", Err: syscall.ENOSPC}, false},
		{&fs.PathError{Op: "write", Err: syscall.EIO}, false},
		{syscall.ENOSPC, false},
		{errors.New("file resize error: truncate: " + syscall.EIO.Error()), false},
		{errors.New("file sync error: " + syscall.ENOSPC.Error()), false},
	} {
		if got := isFull(c.err); got != c.want {
			t.Errorf("isFull(%v) is %v", c.err, got)
		}
	}
}

// An op that does not fit into the file fails; those committed with it do not.
func TestMaxSizeSparesTheOthers(t *testing.T) {
	g := newGate()
	d := openCore(t, Options{MaxSize: 1 << 20, hooks: fileHooks{noBigMap: true}, core: coreHooks{commit: g.commit}})
	big := session(1, "big", "")
	big.Body = make([]byte, maxRecord)
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

// A batch ends at 4 MiB, within a call too; its ops are done all the same.
func TestBigCallIsSplit(t *testing.T) {
	d := openCore(t, Options{})
	var ops []*driver.Op
	for i := range 12 {
		r := session(1, fmt.Sprint(i), "")
		r.Body = make([]byte, maxRecord)
		r.Bytes = maxRecord
		ops = append(ops, opOf(r.Key, driver.Change{Put: r}))
	}
	do(t, d, ops...)
	if n := d.Stats().Commits; n < 2 || n > 6 {
		t.Errorf("%d commits for 12 MiB", n)
	}
	if n := keysIn(t, d, bRecords); n != 12 {
		t.Errorf("%d records, want 12", n)
	}
	sound(t, d)
}
