package crash

import (
	"fmt"
	"slices"
	"testing"
)

// Promise: concurrent calls that share a commit survive a loss of power like
// sequential ones: acknowledged calls are durable and commits are atomic.
func TestPowerFailureOfGroups(t *testing.T) {
	for n := range *works {
		w := &work{seed: *seed + uint64(n), kind: "group"}
		p := replayed(t, w, recorded(t, storePath(t), w, 1, 2+*steps/4, fault{}), 0)
		p.report(t, fmt.Sprintf("group, commits by calls %v", p.groups))
		if n := len(p.groups); n == 0 || n == 1 && p.groups[1] > 0 {
			t.Errorf("no commit held several calls: %v", p.groups)
		}
	}
}

// Promise: they also survive a process that is killed inside their commit, and
// a system call that fails there. All calls of one commit share its fate.
func TestFaultThenPowerFailureOfGroups(t *testing.T) {
	hits, tried := 0, 0
	for n := range *spots {
		for _, f := range []fault{faults[n%len(faults)], faults[(n+4)%len(faults)]} {
			w := &work{seed: *seed + uint64(n), kind: "group"}
			if f.Nth = 7 + n*5%23; f.Call == "ftruncate" {
				f.Nth = 1
			}
			path := storePath(t)
			first := recorded(t, path, w, 1, *steps, f)
			at, _ := struck(t, f, w, first)
			tried++
			if at < 0 {
				continue
			}
			hits++
			second := recorded(t, path, w, 1, 3, fault{})
			replayed(t, w, append(first, second...), at).report(t, fmt.Sprintf("%v of call %d in a group", f, f.Nth))
		}
	}
	t.Logf("%d of %d faults came about", hits, tried)
}

// Promise: the test notices a store that acknowledges calls early, and one
// whose commits are not durable.
func TestPlantedPowerFailuresOfGroupsAreFound(t *testing.T) {
	w := &work{seed: *seed, kind: "group"}
	events := recorded(t, storePath(t), w, 1, 4, fault{})
	early, lost := slices.Clone(events), slices.Clone(events)
	created := slices.IndexFunc(events, func(e event) bool { return e.kind == acked })
	for i, e := range events {
		if e.kind == acked {
			early[i].n += 1 << members
		}
		if i > created && e.kind == wrote && e.off < 2*page {
			lost[i] = event{kind: opened} // a meta page that is not written
		}
	}
	wantWrong(t, "early acknowledgement", replayed(t, w, early, 0))
	wantWrong(t, "lost meta pages", replayed(t, w, lost, 0))
}

func wantWrong(t *testing.T, name string, p *replay) {
	t.Helper()
	t.Logf("%s: %d of %d images are wrong", name, p.wrong.count(), p.looked)
	if p.wrong.count() == 0 {
		t.Errorf("%s was not found in %d images", name, p.looked)
	}
}
