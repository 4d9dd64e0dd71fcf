package crash

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var (
	seed     = flag.Uint64("crash.seed", 1, "seed of the first workload")
	works    = flag.Int("crash.works", 1, "workloads, each with the next seed")
	steps    = flag.Int("crash.steps", 20, "calls of each workload")
	images   = flag.Int("crash.images", 60, "distinct images of each history, about")
	random   = flag.Int("crash.random", 12, "random images of each moment")
	checkers = flag.Int("crash.checkers", min(2, runtime.NumCPU()), "images that are looked at side by side")
	deep     = flag.Int("crash.deep", 1, "goes on with about one in so many images")
	spots    = flag.Int("crash.spots", 1, "places at which each kind of fault is injected")
)

func TestMain(m *testing.M) {
	if Child() {
		return
	}
	flag.Parse()
	code := m.Run()
	endPools()
	os.Exit(code)
}

// recorded runs steps of the work, with a fault, in a process that records its
// calls. It returns the events.
func recorded(t *testing.T, path string, w *work, from, to int, f fault) []event {
	t.Helper()
	log, err := os.CreateTemp(filepath.Dir(path), "log-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(log.Name())
	defer log.Close()
	cmd, err := child(task{Do: "write", Path: path, From: from, To: to, Log: log.Name(), Fault: f}, w)
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), errNoTrap.Error()) {
		t.Skipf("SKIPPED, power failures are not tested: %s", out)
	}
	if err != nil && !strings.HasPrefix(f.How, "kill") {
		t.Fatalf("the writer: %v: %s", err, out)
	}
	events, err := readLog(log.Name())
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// storePath returns the path for a test's store. It is in memory, if possible:
// syncs are then cheap, and the test sees them all the same.
func storePath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(memoryDir(), "seshat-crash-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, storeName)
}

// report fails the test if an image was wrong.
func (p *replay) report(t *testing.T, what string) {
	t.Helper()
	t.Logf("%s, seed %d: %d images, %d violations, %d continued", what, p.w.seed, p.images, p.wrong.count(),
		p.continued)
	for bad, n := range p.wrong.what {
		t.Errorf("%d images: %s; again with -run=%s -crash.seed=%d -crash.works=1", n, bad, t.Name(), p.w.seed)
	}
}

// replayed checks the images of a history.
func replayed(t *testing.T, w *work, events []event, from int) *replay {
	t.Helper()
	p, err := newReplay(&work{seed: w.seed, kind: w.kind, quiet: w.quiet}, *images, *checkers)
	if err != nil {
		t.Fatal(err)
	}
	p.from, p.deep, p.random = from, *deep, *random
	p.spread(events)
	if err := p.run(events); err != nil {
		t.Fatal(err)
	}
	if p.looked == 0 {
		t.Error("no image was made")
	}
	return p
}

// Promise: acknowledged writes survive a loss of power at any moment, and every
// write is atomic, whichever part of the pending writes reached the disk.
func TestPowerFailure(t *testing.T) {
	for n := range *works {
		for _, kind := range []string{"small", "grow", "wide"} {
			w := &work{seed: *seed + uint64(n), kind: kind}
			events := recorded(t, storePath(t), w, 1, *steps, fault{})
			replayed(t, w, events, 0).report(t, kind)
		}
	}
}

// Promise: the test notices a store that does not sync and one that
// acknowledges early. Otherwise its success would mean nothing.
func TestPlantedPowerFailuresAreFound(t *testing.T) {
	w := &work{seed: *seed}
	events := recorded(t, storePath(t), w, 1, *steps, fault{})
	created := slices.IndexFunc(events, func(e event) bool { return e.kind == acked })
	unsynced := slices.Clone(events[:created])
	unsynced = append(unsynced,
		slices.DeleteFunc(slices.Clone(events[created:]), func(e event) bool { return e.kind == synced })...)
	early := slices.Clone(events)
	for i := range early {
		if early[i].kind == acked {
			early[i].n++
		}
	}
	for name, events := range map[string][]event{"no sync": unsynced, "early acknowledgement": early} {
		wantWrong(t, name, replayed(t, w, events, 0))
	}
}
