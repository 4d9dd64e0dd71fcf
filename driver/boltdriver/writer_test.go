package boltdriver

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
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
	if n := keysIn(t, d, format.Log); n != 0 {
		t.Errorf("%d messages were left", n)
	}
	sound(t, d)
}

// A Plan that ends its goroutine fails its commit, and the driver goes on.
func TestPlanThatExits(t *testing.T) {
	for name, alone := range map[string]bool{"the writer's goroutine": false, "the caller's": true} {
		t.Run(name, func(t *testing.T) {
			d := openCore(t, Options{})
			a := opOf(driver.Key{Namespace: 1, ID: "a"}, driver.Change{Put: session(1, "a", "")})
			exit := opPlan(driver.Target{}, func(driver.View) (driver.Change, error) {
				runtime.Goexit()
				panic("not reached")
			})
			d.writer.solo.Store(alone)
			returned := false
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_ = d.Mutate(background, a, exit)
				returned = true
			}()
			<-ended
			if returned == alone || !errors.Is(a.Err, errExited) || !errors.Is(exit.Err, errExited) {
				t.Errorf("the call returned: %v, %v, %v", returned, a.Err, exit.Err)
			}
			if exists(t, d, a.Target.Key) {
				t.Error("an op of the failed commit was done")
			}
			do(t, d, a)
			if !exists(t, d, a.Target.Key) {
				t.Error("the next call was not done")
			}
		})
	}
}

// A caller that writes alone commits by itself; those that come meanwhile wait,
// are committed together, and Close waits for all of them.
func TestLoneCaller(t *testing.T) {
	d, g := gated(t)
	put := func(id string) *driver.Op {
		return opOf(driver.Key{Namespace: 1, ID: id}, driver.Change{Put: session(1, id, "")})
	}
	g.shut.Store(true)
	outcomes := make(chan error, 4)
	call := func(o *driver.Op) { outcomes <- d.Mutate(background, o) }
	go call(put("alone"))
	<-g.entered
	if d.writer.mu.TryLock() {
		t.Fatal("nobody holds the writer")
	}
	for _, id := range []string{"b", "c"} {
		go call(put(id))
	}
	for len(d.calls) < 1 || !d.writer.wanted.Load() {
		yield()
	}
	g.shut.Store(false)
	g.pass <- nil
	for range 3 {
		if err := <-outcomes; err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"alone", "b", "c"} {
		if !exists(t, d, driver.Key{Namespace: 1, ID: id}) {
			t.Errorf("%q is not there", id)
		}
	}
	d.writer.solo.Store(true)
	g.shut.Store(true)
	go call(put("last"))
	<-g.entered
	closed := make(chan error)
	go func() { closed <- d.Close() }()
	g.pass <- nil
	if err := <-outcomes; err != nil {
		t.Error("a call under way when the driver was closed:", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// A caller does not commit by itself while others write or wait to.
func TestLoneCallerGoesBeforeNobody(t *testing.T) {
	d := openCore(t, Options{})
	w := d.writer
	for _, busy := range []func(bool){
		w.wanted.Store,
		func(on bool) { w.solo.Store(!on) },
		func(on bool) {
			if on {
				w.mu.Lock()
			} else {
				w.mu.Unlock()
			}
		},
	} {
		busy(true)
		if w.tryLockInline() {
			t.Error("it did")
			w.mu.Unlock()
		}
		busy(false)
		if !w.tryLockInline() {
			t.Error("a lone caller has to wait")
			continue
		}
		w.mu.Unlock()
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

// A batch ends at 4 MiB, within a call too; its ops are done all the same.
func TestBigCallIsSplit(t *testing.T) {
	d := openCore(t, Options{})
	var ops []*driver.Op
	for i := range 12 {
		r := session(1, fmt.Sprint(i), "")
		r.Body = make([]byte, format.MaxRecord)
		r.Bytes = format.MaxRecord
		ops = append(ops, opOf(r.Key, driver.Change{Put: r}))
	}
	do(t, d, ops...)
	if n := d.Stats().Commits; n < 2 || n > 6 {
		t.Errorf("%d commits for 12 MiB", n)
	}
	if n := keysIn(t, d, format.Records); n != 12 {
		t.Errorf("%d records, want 12", n)
	}
	sound(t, d)
}
