package fscut

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/test/lin"
	"github.com/seshatdb/seshat/test/mountns"
	"github.com/seshatdb/seshat/test/powercut"
)

var (
	seed    = flag.Uint64("fscut.seed", 1, "seed of the first history")
	runs    = flag.Int("fscut.runs", 1, "histories on each file system, each with the next seed")
	cuts    = flag.Int("fscut.cuts", 6, "cuts of each history")
	clients = flag.Int("fscut.clients", 8, "goroutines that call")
)

const patience = 5 * time.Minute // limit of the search for an order

func TestMain(m *testing.M) {
	if powercut.Serve() {
		return
	}
	flag.Parse()
	os.Exit(mountns.Run(m))
}

// memory returns a directory in memory that is removed when the test ends.
func memory(t *testing.T) string {
	t.Helper()
	if !mountns.Own() {
		t.Skip("SKIPPED, real file systems are not cut: only root may mount a file system for itself")
	}
	dir := t.TempDir()
	if err := syscall.Mount("seshat-fscut", dir, "tmpfs", 0, ""); err != nil {
		t.Skipf("SKIPPED, real file systems are not cut: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// volumeIn creates a file system in an image in dir. It is removed when the
// test ends.
func volumeIn(t *testing.T, k kind, dir string) *volume {
	t.Helper()
	v, err := newVolume(k, filepath.Join(dir, "image"), t.TempDir())
	if errors.Is(err, errNoVolume) {
		t.Skipf("SKIPPED, %s is not tested: %v", k.name, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.unmount(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// shutDowns makes the file system of a store shut down.
type shutDowns struct {
	v    *volume
	seed uint64

	down  sync.WaitGroup // the running shutdown
	err   error          // its error
	total int
}

// Arm shuts the file system down after a random time.
func (d *shutDowns) Arm(n int) (<-chan struct{}, error) {
	r := rand.New(rand.NewPCG(d.seed, uint64(n)))
	wait := time.Duration(r.IntN([]int{8, 60}[r.IntN(2)])) * time.Millisecond
	struck := make(chan struct{})
	d.down.Go(func() {
		<-time.After(wait + time.Duration(r.IntN(1000))*time.Microsecond)
		close(struck)
		d.err = d.v.shutDown()
	})
	return struck, nil
}

// Recover mounts the file system again.
func (d *shutDowns) Recover(int) error {
	d.down.Wait()
	d.total++
	return errors.Join(d.err, d.v.unmount(), d.v.mount())
}

// plan returns the plan of a history in a new file of the volume, with many
// disasters.
func plan(t *testing.T, v *volume, seed uint64, d lin.Disaster) lin.Plan {
	t.Helper()
	if err := v.remove(); err != nil {
		t.Fatal(err)
	}
	return lin.Plan{
		Seed: seed, Clients: *clients, Sessions: 4, Pace: 40, Disaster: d, Disasters: *cuts,
		Open: func(o seshat.Options) (*seshat.Store, error) { return seshat.Open(v.path(), o) },
	}
}

// violation returns the fault of a history, or "".
func violation(h *lin.History, err error) string {
	if err != nil {
		return err.Error()
	}
	if bad := h.Unexpected(); bad != "" {
		return bad
	}
	if got := h.Check(patience); got != porcupine.Ok {
		return fmt.Sprintf("%s\n%s", got, h.Explain(10*time.Second))
	}
	return ""
}

// Promise: when a real file system loses its power at any moment, it has all
// acknowledged writes after recovery. Calls are linearizable throughout. Calls
// that were running may have taken effect.
func TestLinearizableAcrossShutdowns(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			v := volumeIn(t, k, memory(t))
			for n := range *runs {
				d := &shutDowns{v: v, seed: *seed + uint64(n)}
				h, err := plan(t, v, d.seed, d).Run(t.Context())
				if bad := violation(h, err); bad != "" {
					t.Fatalf("seed %d: %s: violation; again with -run=TestLinearizableAcrossShutdowns "+
						"-fscut.seed=%d -fscut.runs=1", d.seed, bad, d.seed)
				}
				t.Logf("seed %d: %d calls, %d fs cuts %v", d.seed, h.Len(), d.total, h.Codes)
			}
		})
	}
}
