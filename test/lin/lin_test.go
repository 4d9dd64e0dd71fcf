package lin

import (
	"flag"
	"path/filepath"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/seshatdb/seshat"
)

var (
	seed    = flag.Uint64("lin.seed", 1, "seed of the first history")
	runs    = flag.Int("lin.runs", 2, "histories of each kind, each with the next seed")
	calls   = flag.Int("lin.calls", 400, "calls of each client")
	clients = flag.Int("lin.clients", 8, "goroutines that call")
)

const patience = time.Minute // limit of the search for an order

func plan(seed uint64, open func(seshat.Options) (*seshat.Store, error)) Plan {
	return Plan{Seed: seed, Clients: *clients, Calls: *calls, Sessions: max(4, *clients/2), Open: open}
}

func inFile(t *testing.T) func(seshat.Options) (*seshat.Store, error) {
	path := filepath.Join(t.TempDir(), "seshat.db")
	return func(o seshat.Options) (*seshat.Store, error) { return seshat.Open(path, o) }
}

// linearizable executes a plan and fails the test if no order explains the
// history.
func linearizable(t *testing.T, p Plan) {
	t.Helper()
	h, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if bad := h.Unexpected(); bad != "" {
		t.Error(bad)
	}
	if got := h.Check(patience); got != porcupine.Ok {
		t.Errorf("seed %d: %s; again with -run=%s -lin.seed=%d -lin.runs=1", p.Seed, got, t.Name(), p.Seed)
	}
	t.Logf("seed %d: %d calls %v", p.Seed, h.Len(), h.Codes)
}

// Promise: calls on one session are linearizable, in memory.
func TestLinearizableInMemory(t *testing.T) {
	for n := range *runs {
		linearizable(t, plan(*seed+uint64(n), seshat.OpenMemory))
	}
}

// Promise: calls on one session are linearizable, in a file.
func TestLinearizableInFile(t *testing.T) {
	for n := range *runs {
		linearizable(t, plan(*seed+uint64(n), inFile(t)))
	}
}

// Promise: calls stay linearizable while the file is closed and reopened. A
// call on a closed store has no effect.
func TestLinearizableAcrossReopening(t *testing.T) {
	for n := range *runs {
		p := plan(*seed+uint64(n), inFile(t))
		p.Reopens = 4
		linearizable(t, p)
	}
}
