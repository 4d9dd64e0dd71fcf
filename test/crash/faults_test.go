package crash

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seshatdb/seshat"
)

// faults are the faults that the writer can meet.
var faults = []fault{
	{Call: "fdatasync", How: "kill"},
	{Call: "fdatasync", How: "killed"},
	{Call: "pwrite", How: "kill"},
	{Call: "pwrite", How: "killed"},
	{Call: "fdatasync", How: "EIO"},
	{Call: "pwrite", How: "EIO"},
	{Call: "pwrite", How: "ENOSPC"},
	{Call: "ftruncate", How: "ENOSPC"},
}

// wideFaults are faults of calls that only creating, opening and compacting a
// file makes.
var wideFaults = []fault{
	{Call: "rename", How: "EIO"},
	{Call: "rename", How: "kill"},
	{Call: "rename", How: "killed"},
	{Call: "fsync", How: "EIO"},
	{Call: "open", How: "ENOSPC"},
	{Call: "link", How: "EIO"},
	{Call: "ftruncate", How: "EIO"},
}

// Promise: if the process is killed inside a commit, or if the disk fails a
// write or a sync, the store reopens with all acknowledged writes and works
// again. From then on it survives a loss of power at any moment. A write with
// an unknown outcome returns ErrUnknown and ends all writes. Reads continue.
func TestFaultThenPowerFailure(t *testing.T) {
	befallen(t, faults, "grow", func(f fault, n int) int {
		if f.Call == "ftruncate" {
			return 1 + n // the file grows now and then only
		}
		return 4 + n*5%11
	})
}

// Promise: the same holds if the file could not be created, opened, resized or
// replaced by a smaller one.
func TestFaultOfTheFileThenPowerFailure(t *testing.T) {
	befallen(t, wideFaults, "wide", func(f fault, n int) int {
		switch f.Call {
		case "link": // once in a file's life
			return 1
		case "fsync": // some when it is opened, the rest when it is replaced
			return 1 + n*3%10
		}
		return 1 + n%4
	})
}

// befallen tries each fault at several places.
func befallen(t *testing.T, faults []fault, kind string, nth func(f fault, n int) int) {
	for _, f := range faults {
		t.Run(f.String(), func(t *testing.T) {
			hits := 0
			for n := range *spots {
				f.Nth = nth(f, n)
				if faultAt(t, f, &work{seed: *seed + uint64(n), kind: kind, quiet: true}) {
					hits++
				}
			}
			t.Logf("%d of %d faults came about", hits, *spots)
		})
	}
}

// faultAt causes the fault, lets another process continue, and cuts the power
// at any moment after the fault. It reports whether the fault happened.
func faultAt(t *testing.T, f fault, w *work) bool {
	path := storePath(t)
	defer os.RemoveAll(filepath.Dir(path)) // there may be thousands
	first := recorded(t, path, w, 1, *steps, f)
	at, last := struck(t, f, w, first)
	if at < 0 {
		return false
	}
	from := resume(t, path, w, last)
	second := recorded(t, path, w, from, from+3, fault{})
	p := replayed(t, w, append(first, second...), at)
	p.report(t, fmt.Sprintf("%v of call %d, step %d acknowledged, then from %d", f, f.Nth, last, from))
	return true
}

// struck returns the index of the fault in the events, or -1, and the last
// acknowledged step. It fails the test if the writer saw a violation.
func struck(t *testing.T, f fault, w *work, events []event) (at, last int) {
	t.Helper()
	at = -1
	for i, e := range events {
		switch e.kind {
		case acked:
			last = e.n
		case broke:
			at = i
		case failed:
			if why, bad := strings.CutPrefix(e.text, natureWrong); bad {
				t.Errorf("%v, call %d, seed %d: step %d: %s", f, f.Nth, w.seed, e.n, why)
			}
		}
	}
	return at, last
}

// resume returns the next step for a file that has the acknowledged steps up to
// last.
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
	copied := filepath.Join(filepath.Dir(path), "copy")
	if err := os.WriteFile(copied, content, 0o600); err != nil {
		t.Fatal(err)
	}
	done, bad := reached(t, copied, w, last)
	if bad != "" {
		t.Fatalf("seed %d: %s", w.seed, bad)
	}
	return done + 1
}

// reached returns how many steps the file has.
func reached(t *testing.T, path string, w *work, last int) (done int, bad string) {
	t.Helper()
	ref, err := referenceOf(w)
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

// references are those of works that faults befell, which share them.
var (
	referencesMu sync.Mutex
	references   = map[string]*reference{}
)

func referenceOf(w *work) (ref *reference, err error) {
	referencesMu.Lock()
	defer referencesMu.Unlock()
	key := fmt.Sprint(w.seed, w.kind)
	if references[key] == nil {
		references[key], err = newReference(&work{seed: w.seed, kind: w.kind})
	}
	return references[key], err
}
