//go:build unix

package suites

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/test/lin"
)

// busy is how many sessions all writers append to.
const busy = 4

// swept is what a child that swept and wrote says at its end.
type swept struct {
	Swept, Failed int         // of sweeps that were not cut short by the end
	Appended      [busy]int64 // by session
	Others        int64       // other writes
}

func (s *swept) add(other swept) {
	s.Swept, s.Failed = s.Swept+other.Swept, s.Failed+other.Failed
	for i, n := range other.Appended {
		s.Appended[i] += n
	}
	s.Others += other.Others
}

// sweepAndWrite sweeps without a pause beside writers, until it is told to
// stop.
func sweepAndWrite(ctx context.Context, w work, in *bufio.Scanner, out *os.File) error {
	clock, free, err := lin.MapClock(w.Clock)
	if err != nil {
		return err
	}
	var got swept
	var failed error
	store, err := w.place().open(seshat.Options{
		Now: clock.Now, SweepEvery: time.Millisecond,
		OnSweep: func(r seshat.SweepReport) {
			got.add(swept{Swept: r.Expired + r.Idled, Failed: r.Failed})
			failed = errors.Join(failed, r.Err)
		},
	})
	if err != nil {
		return err
	}
	acme, err := tenant(ctx, store)
	if err != nil {
		return err
	}
	wrote, err := writeUntilTold(ctx, acme, w, in, out)
	err = errors.Join(err, store.Close(), free(), failed) // once it is closed, no sweep runs
	got.add(wrote)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(got)
}

// writeUntilTold has all writers write, says so, and goes on until it is told
// to stop.
func writeUntilTold(ctx context.Context, acme *seshat.Tenant, w work, in *bufio.Scanner,
	out *os.File,
) (total swept, err error) {
	var stop atomic.Bool
	var all, begun sync.WaitGroup
	errs := make([]error, w.Clients)
	wrote := make([]swept, w.Clients)
	begun.Add(w.Clients)
	for i := range w.Clients {
		all.Go(func() {
			errs[i] = wrote[i].write(ctx, acme, w.First+i, 0)
			begun.Done()
			for n := 1; !stop.Load() && errs[i] == nil; n++ {
				errs[i] = wrote[i].write(ctx, acme, w.First+i, n)
			}
		})
	}
	begun.Wait()
	fmt.Fprintln(out, "writing")
	told := awaitWord(in, "stop")
	stop.Store(true)
	all.Wait()
	for i := range wrote {
		total.add(wrote[i])
	}
	return total, errors.Join(append(errs, told)...)
}

// write makes a writer's nth writes: to what all write, and to its own.
func (s *swept) write(ctx context.Context, acme *seshat.Tenant, writer, n int) error {
	which := (writer + n) % busy
	if _, err := acme.Append(ctx, fmt.Sprint("busy", which),
		seshat.Message{Role: seshat.RoleUser, Content: "x"}); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	s.Appended[which]++
	own := fmt.Sprintf("w%d.%d", writer, n)
	if _, err := acme.Create(ctx, seshat.NewSession{ID: own, UserID: fmt.Sprint("u", writer)}); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	rename := func(s *seshat.Session) error { s.Name = own; return nil }
	if _, err := acme.Update(ctx, own, rename, seshat.UpdateOptions{}); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if _, err := acme.Touch(ctx, fmt.Sprint("busy", which)); err != nil {
		return fmt.Errorf("touch: %w", err)
	}
	s.Others += 3
	if n%2 == 0 {
		return nil
	}
	if _, err := acme.Delete(ctx, own); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	s.Others++
	return nil
}

// Promise: two processes that sweep and write the same sessions handle each
// due one once, and do not get into each other's way.
func TestTwoProcesses(t *testing.T) {
	due := scaled(50, 400) // expire, and as many fall idle
	p := newPlace(t)
	path, clock := mapped(t)
	store, err := p.open(seshat.Options{Now: clock.Now, SweepEvery: seshat.Never})
	if err != nil {
		t.Fatal(err)
	}
	defer seshattest.CheckAndClose(t, store)
	acme, err := tenant(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, acme, due)
	before := deadlocks(t, p)
	var children []*process
	for i := range 2 {
		children = append(children,
			start(t, "sweep", work{DSN: p.dsn, Schema: p.schema, Clock: path, First: 16 * i, Clients: 16}))
	}
	for _, c := range children {
		c.hear()
	}
	clock.Advance(2 * time.Hour)
	all := follow(t, acme, due)
	var total swept
	for _, c := range children {
		c.say("stop")
	}
	for _, c := range children {
		var s swept
		if err := json.Unmarshal([]byte(c.hear()), &s); err != nil {
			t.Fatal(err)
		}
		c.end()
		t.Logf("a process: %+v", s)
		total.add(s)
	}
	if total.Failed != 0 {
		t.Errorf("%d sessions could not be swept", total.Failed)
	}
	all.verify(t, acme, due, total)
	if n := deadlocks(t, p) - before; n != 0 {
		t.Errorf("%d deadlocks", n)
	}
}

// fill makes what becomes due in an hour, and what all write.
func fill(t *testing.T, acme *seshat.Tenant, due int) {
	t.Helper()
	for i := range 2 * due {
		n := seshat.NewSession{ID: fmt.Sprint("due", i), Lifecycle: seshat.Lifecycle{TTL: time.Hour}}
		if i >= due {
			n.Lifecycle = seshat.Lifecycle{IdleAfter: time.Hour}
		}
		if _, err := acme.Create(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	for i := range busy {
		if _, err := acme.Create(t.Context(), seshat.NewSession{ID: fmt.Sprint("busy", i)}); err != nil {
			t.Fatal(err)
		}
	}
}

// deadlocks returns how many the engine has met in this database. It counts a
// connection's when that has ended, as those of ended processes have.
func deadlocks(t *testing.T, p place) (n int) {
	t.Helper()
	admin := schemas.Admin(t, p.dsn)
	const sql = `select deadlocks from pg_stat_database where datname = current_database()`
	if err := admin.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
