//go:build unix

package suites

import (
	"flag"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/seshatdb/seshat/test/lin"
)

var (
	seed = flag.Uint64("lin.seed", 1, "seed of the first history")
	runs = flag.Int("lin.runs", scaled(2, 10), "histories of each kind, each with the next seed")
)

const patience = time.Minute // of the search for an order

func plan(seed uint64, p place) lin.Plan {
	return lin.Plan{Seed: seed, Clients: 8, Calls: scaled(200, 1000), Sessions: 4, Open: p.open}
}

// linear fails the test if no order explains the history.
func linear(t *testing.T, seed uint64, h *lin.History) {
	t.Helper()
	if bad := h.Unexpected(); bad != "" {
		t.Error(bad)
	}
	if got := h.Check(patience); got != porcupine.Ok {
		t.Errorf("seed %d: %s; again with -run=%s -lin.seed=%d -lin.runs=1", seed, got, t.Name(), seed)
	}
	t.Logf("seed %d: %d calls %v", seed, h.Len(), h.Codes)
}

func linearizable(t *testing.T, p lin.Plan) {
	t.Helper()
	h, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	linear(t, p.Seed, h)
}

// Promise: calls on one session are linearizable, in PostgreSQL.
func TestLinearizable(t *testing.T) {
	for n := range *runs {
		linearizable(t, plan(*seed+uint64(n), newPlace(t)))
	}
}

// Promise: they stay so while the store is closed and opened again.
func TestLinearizableAcrossReopening(t *testing.T) {
	for n := range *runs {
		p := plan(*seed+uint64(n), newPlace(t))
		p.Reopens = 4
		linearizable(t, p)
	}
}
