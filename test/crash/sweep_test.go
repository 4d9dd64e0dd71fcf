package crash

import (
	"flag"
	"fmt"
	"sync/atomic"
	"testing"
)

var parts = flag.Uint64("crash.parts", 60,
	"every call that may fail is tried by so many runs whose seeds follow by ten")

// Promise: whichever call to the system fails once, for want of space or of a
// working disk, the store says so, goes on or stops as it must, keeps what it
// acknowledged when it is opened again, and survives the loss of power from
// then on. So it does if the process is killed before the call, or after it.
// All calls of a workload are tried: making, opening, writing, resizing,
// syncing and naming files.
func TestEveryCallFails(t *testing.T) {
	of := func() *work { return &work{seed: *seed / 10 / *parts, kind: "sweep", quiet: true} }
	names := calls(recorded(t, storePath(t), of(), 1, *steps, fault{}))
	tried := map[string]int{}
	var hits atomic.Int64
	t.Run("call", func(t *testing.T) {
		for i := int(*seed / 10 % *parts); i < len(names); i += int(*parts) {
			tried[names[i]] += 3
			t.Run(fmt.Sprint(i+1), func(t *testing.T) {
				t.Parallel()
				for _, how := range []string{"EIO", "ENOSPC", []string{"kill", "killed"}[i%2]} {
					if faultAt(t, fault{Call: "any", Nth: i + 1, How: how}, of()) {
						hits.Add(1)
					}
				}
			})
		}
	})
	t.Logf("%d of %d faults came about, of %d calls three times: %v", hits.Load(), sum(tried), len(names), tried)
	if hits.Load() == 0 {
		t.Error("nothing was made to fail")
	}
}

// calls returns the names of the calls among the events.
func calls(events []event) (names []string) {
	of := map[eventKind]string{
		wrote: "write", resized: "resize", synced: "sync", named: "name", dirSynced: "sync of the directory",
		opened: "open",
	}
	for _, e := range events {
		if name := of[e.kind]; name != "" {
			names = append(names, name)
		}
	}
	return names
}

func sum(counts map[string]int) (n int) {
	for _, of := range counts {
		n += of
	}
	return n
}
