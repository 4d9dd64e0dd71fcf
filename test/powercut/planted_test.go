package powercut

import (
	"strings"
	"testing"
)

// Promise: the test notices a disk whose syncs do nothing, which is equivalent
// to a store that does not sync or acknowledges early. Otherwise its success
// would mean nothing.
func TestPlantedPowerCutsAreFound(t *testing.T) {
	v := drive(t)
	for name, lies := range map[string]Op{"syncs of a file": Sync, "syncs of the directory": SyncNames} {
		bad := ""
		for n := uint64(0); n < 20 && !strings.HasPrefix(bad, "Illegal"); n++ {
			c := &Cuts{Seed: *seed + n, Lies: lies}
			p := plan(t, v, c)
			p.Disasters = 6
			bad = violation(p.Run(t.Context()))
			t.Logf("%s keep nothing, seed %d: %q", name, c.Seed, bad)
		}
		if !strings.HasPrefix(bad, "Illegal") {
			t.Errorf("that %s keep nothing was not found in 20 histories", name)
		}
	}
}
