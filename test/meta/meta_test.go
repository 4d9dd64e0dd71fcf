package meta

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
)

var (
	seed = flag.Uint64("meta.seed", 1, "seed of the first log")
	logs = flag.Int("meta.logs", 2, "logs, each with the next seed")
	ops  = flag.Int("meta.ops", 150, "calls of a log")
)

// Promise: a store's answers depend only on the calls, not on where it keeps
// its data, how it was opened, or what happened to its file.
func TestSameAnswers(t *testing.T) {
	for n := *seed; n < *seed+uint64(*logs); n++ {
		worlds := worldsOf(t, n, variants)
		played, codes, bad := playLog(n, worlds)
		if bad != "" {
			t.Fatalf("%s\nagain with -meta.seed=%d -meta.logs=1", bad, n)
		}
		compareDumps(t, n, worlds)
		t.Logf("seed %d: %d metamorphic ops %v", n, played, codes)
	}
}

// Promise: the test notices a store with other answers. Otherwise agreement
// would mean nothing.
func TestADifferenceIsFound(t *testing.T) {
	for name, change := range map[string]func(o *seshat.Options, n int){
		"sessions that live longer": func(o *seshat.Options, _ int) { o.Lifecycle.TTL += time.Millisecond },
		"other names": func(o *seshat.Options, _ int) {
			o.Title = func(string) string { return "other" }
		},
	} {
		worlds := worldsOf(t, 2, []variant{variants[0], {name: name, options: change}})
		if _, _, bad := playLog(2, worlds); bad == "" {
			t.Errorf("%s: not found", name)
		}
	}
}

// worldsOf opens the worlds that a log is played in.
func worldsOf(t *testing.T, seed uint64, kinds []variant) (worlds []*world) {
	t.Helper()
	for _, v := range kinds {
		if v.exported && !plainLog(seed) {
			continue
		}
		w := &world{kind: v, dir: t.TempDir()}
		w.path = w.newPath()
		if err := w.open(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.s.Close() })
		worlds = append(worlds, w)
	}
	return worlds
}

// playLog plays one log in all worlds, op by op, and describes the first
// difference.
func playLog(seed uint64, worlds []*world) (played int, codes map[string]int, bad string) {
	codes = map[string]int{}
	for n := range *ops {
		want := ""
		for i, w := range worlds {
			o, space, got, err := w.play(context.Background(), seed, n)
			if err != nil {
				return played, codes, fmt.Sprintf("seed %d, %s: %v", seed, w.kind.name, err)
			}
			played++
			if i == 0 {
				want = got
				code, _, _ := strings.Cut(got, ": ")
				codes[code]++
			}
			if got != want || strings.HasPrefix(got, "unexpected") {
				return played, codes, fmt.Sprintf("seed %d, op %d, %s in %q, %s:\n%s\n%s:\n%s",
					seed, n, o.name, space, w.kind.name, got, worlds[0].kind.name, want)
			}
		}
	}
	return played, codes, ""
}
