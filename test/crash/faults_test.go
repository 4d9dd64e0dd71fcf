package crash

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/seshatdb/seshat"
)

// faults are what befalls the writer, in strace's words.
var faults = []string{
	"fdatasync:signal=KILL", "pwrite64:signal=KILL",
	"fdatasync:error=EIO", "pwrite64:error=EIO", "pwrite64:error=ENOSPC", "ftruncate:error=ENOSPC",
}

// Promise: a store whose process was killed inside a commit, or whose disk
// failed a write or a sync, is opened again with all that was acknowledged,
// goes on, and still survives the loss of power at any moment from then on.
// A failure of unknown outcome says so and stops writing.
func TestFaultThenPowerFailure(t *testing.T) {
	for _, fault := range faults {
		t.Run(fault, func(t *testing.T) {
			hits := 0
			for n := range *spots {
				if faultAt(t, fault, 4+n*5%11, &work{seed: *seed + uint64(n), grow: true, quiet: true}) {
					hits++
				}
			}
			t.Logf("%d of %d faults came about", hits, *spots)
		})
	}
}

// faultAt makes the fault happen at the nth such call of a thread, lets
// another process go on, and cuts its power. It reports whether the fault came
// about.
func faultAt(t *testing.T, fault string, nth int, w *work) bool {
	path := storePath(t)
	first := recorded(t, path, w, 1, *steps, fault+":when="+strconv.Itoa(nth))
	last, hit := 0, false
	for _, e := range first.events {
		switch e.kind {
		case acked:
			last = e.n
		case failed:
			hit = true
			if e.text == natureWrong {
				t.Errorf("%s, seed %d: step %d: the store stops writing where it need not, or goes on where it must not", fault, w.seed, e.n)
			}
		}
	}
	from := last + 1
	if last < *steps {
		hit = true
		from = resume(t, path, w, last)
	}
	t.Logf("%s at %d: step %d was acknowledged, the next process begins with %d", fault, nth, last, from)
	second := recorded(t, path, w, from, from+7, "")
	before := first.events
	if !slices.ContainsFunc(before, func(e event) bool { return e.kind == linked }) {
		before = nil // what it wrote has no name
	}
	p := replayed(t, w, append(before, second.events...), len(before))
	p.report(t, fault)
	return hit
}

// resume returns the step that comes next in a file of which the first steps
// were acknowledged.
func resume(t *testing.T, path string, w *work, last int) int {
	t.Helper()
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && last == 0 {
		return 1
	}
	if err != nil {
		t.Fatal(err)
	}
	if w.step(nil, last+1).resumable {
		return last + 1
	}
	copied := storePath(t)
	if err := os.WriteFile(copied, content, 0o600); err != nil {
		t.Fatal(err)
	}
	done, bad := reached(t, copied, w, last)
	if bad != "" {
		t.Fatalf("seed %d: %s", w.seed, bad)
	}
	return done + 1
}

// reached returns how many steps the file holds.
func reached(t *testing.T, path string, w *work, last int) (done int, bad string) {
	t.Helper()
	ref, err := newReference(&work{seed: w.seed, grow: w.grow})
	if err != nil {
		t.Fatal(err)
	}
	w.at(last + 1)
	s, err := seshat.Open(path, w.options())
	if err != nil {
		return 0, err.Error()
	}
	defer s.Close()
	return place(t.Context(), s, w, ref, last)
}
