package damage

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	seed   = flag.Uint64("damage.seed", 1, "seed of the first trial")
	trials = flag.Uint64("damage.trials", 135, "trials, each with the next seed")
	saved  = flag.String("damage.fixture", "", "fixture of a run that failed, where it says that it left it")
)

func TestMain(m *testing.M) {
	if Child() {
		return
	}
	os.Exit(m.Run())
}

// scratch returns a directory in memory, if possible.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "damage-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// sums adds up the trials of one kind and mode.
type sums struct {
	trials, refused, noticed, short, old, unfound, died int
}

// prepare creates the fixture below dir, or reuses that of an earlier run. Its
// ids are random, so a seed repeats a trial only on the same fixture.
func prepare(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(*saved)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, fixtureName), text, 0o600)
	} else if *saved == "" {
		var f *fixture
		if f, err = newFixture(t.Context(), dir); err == nil {
			err = f.save(dir)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// leave keeps the fixture of a failed run and returns its path.
func leave(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, fixtureName))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(os.TempDir(), fmt.Sprintf("damage-%d.json", *seed))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Promise: on a damaged file, a call returns a correct answer or an error of
// damage, never a wrong answer, and the process does not crash. If a list is
// short, Verify finds the damage. A disk that lost a write leaves a valid old
// page. Then, only a file that Open verified is sure not to crash the process.
func TestDamagedFiles(t *testing.T) {
	dir := scratch(t)
	prepare(t, dir)
	table, violations := map[string]*sums{}, 0
	err := runTrials(dir, *seed, *seed+*trials, func(x trial, o outcome) {
		name := fmt.Sprintf("%-10s %s", modeNames[x.mode], x.kind.name)
		if table[name] == nil {
			table[name] = &sums{}
		}
		table[name].add(o)
		if x.mode == modeVerified && !x.kind.lost && o.counts[short] > 0 {
			t.Logf("seed %d, %s, is short: %s", x.seed, name, o.example)
		}
		if o.bad != "" && !(o.died && x.kind.lost && x.mode != modeVerified) {
			violations++
			t.Errorf("seed %d, %s: %s; again with -damage.seed=%d -damage.trials=1 -damage.fixture=%s", x.seed, name,
				o.bad, x.seed, leave(t, dir))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d: %d damage trials, %d violations", *seed, *trials, violations)
	t.Logf("trials, and of these: refused by Open, noticed by a call, short, old, short or old and not found "+
		"by Verify, died\n%s", show(table))
}

func (s *sums) add(o outcome) {
	s.trials++
	switch {
	case o.died:
		s.died++
	case o.refused:
		s.refused++
	case o.counts[wrong] > 0:
		s.old++
	case o.counts[short] > 0:
		s.short++
	case o.counts[noticed] > 0:
		s.noticed++
	}
	if o.counts[short]+o.counts[wrong] > 0 && !o.found {
		s.unfound++
	}
}

func show(table map[string]*sums) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(table)) {
		s := table[name]
		fmt.Fprintf(&b, "%-28s %6d: %6d %6d %6d %6d %6d %6d\n", name, s.trials, s.refused, s.noticed, s.short, s.old,
			s.unfound, s.died)
	}
	return b.String()
}
