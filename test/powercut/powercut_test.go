package powercut

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/test/lin"
	"github.com/seshatdb/seshat/test/mountns"
)

var (
	seed    = flag.Uint64("powercut.seed", 1, "seed of the first history")
	runs    = flag.Int("powercut.runs", 3, "histories, each with the next seed")
	cuts    = flag.Int("powercut.cuts", 25, "disasters of each history")
	clients = flag.Int("powercut.clients", 8, "goroutines that call")
)

const patience = 5 * time.Minute // limit of the search for an order

func TestMain(m *testing.M) {
	if Serve() {
		return
	}
	flag.Parse()
	os.Exit(mountns.Run(m))
}

// drive returns a drive that lasts until the test ends.
func drive(t *testing.T) *Drive {
	t.Helper()
	v := newDrive(t)
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// newDrive returns a drive.
func newDrive(t *testing.T) *Drive {
	t.Helper()
	if !mountns.Own() {
		t.Skip("SKIPPED, power cuts are not tested: only root may mount a file system for itself")
	}
	v, err := Mount(t.TempDir())
	if errors.Is(err, ErrNoFUSE) {
		t.Skipf("SKIPPED, power cuts are not tested: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// plan formats the drive and returns the plan of a history on it, with many
// disasters.
func plan(t *testing.T, v *Drive, c *Cuts) lin.Plan {
	t.Helper()
	if err := v.Format(c.Seed); err != nil {
		t.Fatal(err)
	}
	c.Drive = v
	p := lin.Plan{
		Seed: c.Seed, Clients: *clients, Sessions: 4, Pace: 40, Disaster: c, Disasters: *cuts,
		Open: func(o seshat.Options) (*seshat.Store, error) {
			o.File.AllowNetworkFS = true // it is FUSE
			return seshat.Open(filepath.Join(v.Dir, "seshat.db"), o)
		},
	}
	if c.Seed%2 == 0 {
		p.Wrap = func(t *seshat.Tenant) lin.API { return wordy{t} }
	}
	return p
}

// wordy appends long messages among the short ones, so that commits have many
// pages and the file grows.
type wordy struct{ *seshat.Tenant }

func (w wordy) Append(ctx context.Context, id string, messages ...seshat.Message) (*seshat.Session, error) {
	for i := range messages {
		if rand.IntN(3) == 0 {
			messages[i].Content = strings.Repeat("w", rand.IntN(100_000))
		}
	}
	return w.Tenant.Append(ctx, id, messages...)
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

// Promise: whatever happens to the power, the process or the disk at any time,
// all acknowledged writes are durable and every write is atomic. Calls are
// linearizable throughout. Calls that were running may have taken effect.
func TestLinearizableAcrossPowerCuts(t *testing.T) {
	v := drive(t)
	for n := range *runs {
		c := &Cuts{Seed: *seed + uint64(n)}
		h, err := plan(t, v, c).Run(t.Context())
		if bad := violation(h, err); bad != "" {
			t.Fatalf("seed %d: %s: violation; again with -run=%s -powercut.seed=%d -powercut.runs=1", c.Seed, bad,
				t.Name(), c.Seed)
		}
		t.Logf("seed %d: %d calls, %d power cuts, %d kills, %d troubles with an error %v", c.Seed, h.Len(), c.Power,
			c.Kills, c.Faults, h.Codes)
	}
}
