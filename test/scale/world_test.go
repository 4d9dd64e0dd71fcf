package scale

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
	"github.com/seshatdb/seshat/seshattest"
)

// full is true if make scale runs the tests.
var full = os.Getenv("SESHAT_SCALE") != ""

// size returns large at full size and small otherwise.
func size(small, large int) int {
	if full {
		return large
	}
	return small
}

const (
	hotSessions   = 1000 // of hotNamespaces, whatever the store's size
	hotNamespaces = 2
	usersEach     = 5  // of a namespace
	dueEach       = 10 // one of so many sessions is due after an hour
)

// world is a store whose namespaces have the same shape.
type world struct {
	*seshat.Store
	path       string
	namespaces int
	each       int // sessions in each
	tenants    []*seshat.Tenant
	clock      *seshattest.Clock
	wrap       func(driver.Driver) driver.Driver // nil = as it is
}

func newWorld(t *testing.T, namespaces, each int, wrap func(driver.Driver) driver.Driver) *world {
	t.Helper()
	w := &world{
		path:       filepath.Join(t.TempDir(), "scale.db"),
		namespaces: namespaces, each: each, clock: seshattest.NewClock(), wrap: wrap,
	}
	w.open(t)
	t.Cleanup(func() { must(t, w.Close()) })
	start := time.Now()
	for range namespaces {
		tn, err := w.CreateTenant(context.Background(),
			seshat.Namespace{Name: fmt.Sprintf("namespace %04d", len(w.tenants))})
		must(t, err)
		w.tenants = append(w.tenants, tn)
	}
	w.fill(t)
	took := time.Since(start)
	info, err := os.Stat(w.path)
	must(t, err)
	n := namespaces * each
	t.Logf("%d sessions in %d namespaces: created in %v (%.0f/s), file %.1f MB (%.0f B a session)",
		n, namespaces, took.Round(time.Millisecond), float64(n)/took.Seconds(), float64(info.Size())/1e6,
		float64(info.Size())/float64(n))
	return w
}

func (w *world) open(t testing.TB) {
	t.Helper()
	d, err := boltdriver.Open(w.path, boltdriver.Options{CountReads: true})
	must(t, err)
	var on driver.Driver = d
	if w.wrap != nil {
		on = w.wrap(d)
	}
	w.Store, err = seshat.OpenDriver(on, seshat.Options{Now: w.clock.Now, SweepEvery: seshat.Never})
	must(t, err)
}

// fill creates the sessions of all namespaces in turn, spread over some hours.
func (w *world) fill(t *testing.T) {
	t.Helper()
	const batches = 50
	n := w.namespaces * w.each
	for b := range batches {
		from, to := n*b/batches, n*(b+1)/batches
		together(t, 1024, to-from, func(i int) error {
			i += from
			_, err := w.tenants[i%w.namespaces].Create(context.Background(), session(i/w.namespaces))
			return err
		})
		w.clock.Advance(time.Minute)
	}
}

// session returns the i-th session of a namespace.
func session(i int) seshat.NewSession {
	s := seshat.NewSession{
		ID: fmt.Sprintf("session %07d", i), UserID: user(i),
		Agent:      seshat.AgentConfig{Model: "gpt-4o", SystemPrompt: "You are a helpful assistant. Be brief."},
		UserMemory: map[string]any{"name": "Mia", "seat": "aisle", "visits": int64(i)},
	}
	if i%dueEach == 0 {
		s.Lifecycle.TTL = 24 * time.Hour
	}
	return s
}

func user(i int) string { return fmt.Sprint("user ", i%usersEach) }

// hot calls fn for each session of the hot set, which is the same in every
// world.
func (w *world) hot(t *testing.T, fn func(tn *seshat.Tenant, i int) error) {
	t.Helper()
	step := max(1, w.namespaces/hotNamespaces)
	for i := range hotSessions {
		must(t, fn(w.tenants[i%hotNamespaces*step], i/hotNamespaces))
	}
}

// together calls fn(0) to fn(n-1) from g goroutines.
func together(t *testing.T, g, n int, fn func(i int) error) {
	t.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range g {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := fn(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// reads is the number of pages and keys that calls visited.
type reads struct{ pages, keys float64 }

// counted runs fn, which makes n calls, and returns the reads per call.
func (w *world) counted(t *testing.T, n int, fn func()) reads {
	t.Helper()
	before, err := w.Stats(context.Background())
	must(t, err)
	fn()
	after, err := w.Stats(context.Background())
	must(t, err)
	return reads{
		pages: float64(after.Engine.PagesRead-before.Engine.PagesRead) / float64(n),
		keys:  float64(after.Engine.KeysRead-before.Engine.KeysRead) / float64(n),
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
