package fscut

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/seshatdb/seshat/test/powercut"
)

// small is a file system on a disk in memory.
var small = kind{name: "ext4", fs: "ext4", mkfs: "-q -F -E nodiscard -J size=4", size: 20 << 20}

// blockCuts makes the disk below a store's file system lose its power.
type blockCuts struct {
	v     *volume
	disk  *powercut.Drive
	seed  uint64
	lies  powercut.Op
	total int
}

// Arm makes the disk lose its power after a few writes and flushes.
func (b *blockCuts) Arm(n int) (<-chan struct{}, error) {
	r := rand.New(rand.NewPCG(b.seed, uint64(n)))
	return b.disk.Arm(powercut.Trouble{Off: 1 + r.IntN([]int{12, 60, 200}[r.IntN(3)]), Lies: b.lies})
}

// Recover lets the file system recover from what the disk kept.
func (b *blockCuts) Recover(int) error {
	b.total++
	return errors.Join(b.v.unmount(), b.disk.Restart(true), b.v.mount())
}

// newBlockCuts creates a file system on a new disk.
func newBlockCuts(t *testing.T, seed uint64) *blockCuts {
	t.Helper()
	disk, err := powercut.Mount(memory(t))
	if errors.Is(err, powercut.ErrNoFUSE) {
		t.Skipf("SKIPPED, disks are not cut below a file system: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := disk.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := disk.Format(seed); err != nil {
		t.Fatal(err)
	}
	v := volumeIn(t, small, disk.Dir)
	return &blockCuts{v: v, disk: disk, seed: seed}
}

// Promise: after the disk below a file system loses its power, whichever of the
// pending blocks it wrote, the recovered file system has all acknowledged
// writes.
func TestLinearizableAcrossBlockCuts(t *testing.T) {
	b := newBlockCuts(t, *seed)
	for n := range *runs {
		b.seed, b.total = *seed+uint64(n), 0
		h, err := plan(t, b.v, b.seed, b).Run(t.Context())
		if bad := violation(h, err); bad != "" {
			t.Fatalf("seed %d: %s: violation; again with -run=%s -fscut.seed=%d -fscut.runs=%d", b.seed, bad,
				t.Name(), *seed, n+1)
		}
		t.Logf("seed %d: %d calls, %d fs cuts %v", b.seed, h.Len(), b.total, h.Codes)
	}
}

// Promise: the test notices a disk that ignores flushes. Otherwise its success
// would mean nothing.
func TestPlantedBlockCutsAreFound(t *testing.T) {
	bad := ""
	for n := uint64(0); n < 10 && !strings.HasPrefix(bad, "Illegal"); n++ {
		b := newBlockCuts(t, *seed+n)
		b.lies = powercut.Sync
		bad = violation(plan(t, b.v, b.seed, b).Run(t.Context()))
		t.Logf("seed %d: %q", b.seed, bad)
	}
	if !strings.HasPrefix(bad, "Illegal") {
		t.Error("flushes that keep nothing were not found in 10 histories")
	}
}
