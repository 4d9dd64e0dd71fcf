package boltdriver

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// version writes a record with a body that makes the file grow.
func version(g, n int) *driver.Op {
	target := driver.Target{Key: driver.Key{Namespace: 1, ID: fmt.Sprint(g)}}
	return opPlan(target, func(v driver.View) (driver.Change, error) {
		r := session(1, fmt.Sprint(g), "")
		if v.Record != nil {
			r.Incarnation = v.Record.Incarnation
		}
		r.Version = uint64(n)
		r.Body = make([]byte, 3000+100*n)
		r.Bytes = uint64(len(r.Body))
		return driver.Change{Put: r}, nil
	})
}

// race runs writers and readers at once. Each writer must read what it wrote,
// and nobody may see a version go backwards.
func race(t *testing.T, d *Driver, rounds int) {
	t.Helper()
	const writers = 4
	var newest [writers]atomic.Int64
	var wg sync.WaitGroup
	var stop atomic.Bool
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var r driver.Record
			for i := 0; !stop.Load(); i++ {
				g := i % writers
				least := newest[g].Load()
				err := d.Get(background, driver.Key{Namespace: 1, ID: fmt.Sprint(g)}, 0, &r)
				if least > 0 && (err != nil || int64(r.Version) < least) {
					t.Errorf("version %d was acknowledged, read %d, %v", least, r.Version, err)
					return
				}
				if p, err := d.List(background, driver.Query{Namespace: 1, Limit: 10}); err != nil ||
					len(p.Records) > writers {
					t.Errorf("list: %d records, %v", len(p.Records), err)
					return
				}
			}
		}()
	}
	var ww sync.WaitGroup
	for g := range writers {
		ww.Add(1)
		go func() {
			defer ww.Done()
			for v := 1; v <= rounds; v++ {
				if err := d.Mutate(background, version(g, v)); err != nil {
					t.Errorf("write: %v", err)
					return
				}
				newest[g].Store(int64(v))
			}
		}()
	}
	ww.Wait()
	stop.Store(true)
	wg.Wait()
	sound(t, d)
}

// Shared snapshots with a map that is moved again and again: readers see what
// was acknowledged, and neither they nor the writer wait for ever.
func TestSnapshotsWhileTheMapMoves(t *testing.T) {
	d := openCore(t, Options{
		hooks: dbfile.Hooks{NoBigMap: true},
		core:  coreHooks{share: true, headroom: 256 << 10},
	})
	limit := d.file.MapLimit
	race(t, d, 60)
	if d.file.MapLimit == limit {
		t.Error("the map was never moved: the test proves nothing")
	}
}

// A commit that outgrows the map although nothing foretold it waits for the
// shared snapshot, but not for ever.
func TestUnforeseenMoveOfTheMap(t *testing.T) {
	d := openCore(t, Options{
		hooks: dbfile.Hooks{NoBigMap: true},
		core:  coreHooks{share: true, headroom: 1, patience: time.Millisecond},
	})
	for i := range 8 {
		r := session(1, fmt.Sprint(i), "")
		r.Body = make([]byte, format.MaxRecord)
		r.Bytes = format.MaxRecord
		do(t, d, opOf(r.Key, driver.Change{Put: r}))
		if !exists(t, d, r.Key) {
			t.Error("the record cannot be read")
		}
	}
	sound(t, d)
}

// The same without shared snapshots, and with the large map.
func TestSnapshotsRace(t *testing.T) {
	race(t, openCore(t, Options{hooks: dbfile.Hooks{NoBigMap: true}}), 30)
	race(t, openCore(t, Options{}), 30)
}

// A reader never sees what is not durable yet: with a snapshot of its own it
// waits for the commit that the engine shows already.
func TestReadersWaitForDurability(t *testing.T) {
	d := openCore(t, Options{hooks: dbfile.Hooks{NoBigMap: true}})
	b := d.durable
	r := session(1, "a", "")
	do(t, d, opOf(r.Key, driver.Change{Put: r}))
	b.commits.Add(-1) // as if that commit were still being synced
	got := make(chan error, 1)
	go func() {
		var r driver.Record
		got <- d.Get(background, driver.Key{Namespace: 1, ID: "a"}, 0, &r)
	}()
	for range 1000 {
		yield()
	}
	select {
	case err := <-got:
		t.Errorf("the reader did not wait: %v", err)
	default:
	}
	b.advance()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// Close lets running calls finish, returns to every caller, and ends the rest
// with ErrClosed.
func TestCloseUnderLoad(t *testing.T) {
	d := openCore(t, Options{})
	var wg sync.WaitGroup
	var done, closed atomic.Int64
	started := make(chan struct{}, 8)
	for g := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; ; i++ {
				r := session(1, fmt.Sprint(g, "-", i), "")
				switch err := d.Mutate(background, opOf(r.Key, driver.Change{Put: r})); {
				case err == nil:
					done.Add(1)
				case errors.Is(err, driver.ErrClosed):
					closed.Add(1)
					return
				default:
					t.Errorf("%v", err)
					return
				}
				if i == 3 {
					started <- struct{}{}
				}
			}
		}()
	}
	for range 8 {
		<-started
	}
	for range 3 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if closed.Load() != 8 {
		t.Errorf("%d callers learnt that the store is closed", closed.Load())
	}
	var r driver.Record
	if err := d.Get(background, driver.Key{Namespace: 1, ID: "x"}, 0, &r); !errors.Is(err, driver.ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
	again := opened(t, d.file.Path, Options{})
	if n := int64(keysIn(t, again, format.Records)); n != done.Load() {
		t.Errorf("%d records, %d were acknowledged", n, done.Load())
	}
	sound(t, again)
}
