package boltdriver

import (
	"runtime"
	"time"
)

const (
	idleShare  = 16   // the pacer gives up after 1/16 of the last commit's time without a call
	restYields = 16   // batches of the shortest pause
	maxRest    = 1024 // batches of the longest pause
)

// pacer decides how long the writer waits before it takes the calls of a batch.
//
// Why wait at all: a commit costs the same for one call as for a hundred, and
// callers that just got their answer call again as soon as they run. Without a
// wait, the writer would take the first of them before the others ran, and the
// callers would commit in two groups that take turns, each waiting for the
// other's sync. So the pacer yields the processor until the callers of the last
// batch, and those that called during it, have called again. The wait must not
// cost more than it gains. If callers did not call again, the next batches wait
// for fewer calls. If the processors are so busy that one yield takes longer
// than a commit, the next batches do not wait, for a pause that grows each
// time.
//
// Only the writer uses it, under its lock.
type pacer struct {
	queue      <-chan *call
	last       int           // calls in the last batch
	arrived    int           // calls in the queue when the last batch was answered
	lowTarget  int           // number of next batches that wait only for last calls
	pauseLeft  int           // number of next batches that do not wait
	backoff    int           // length of the last pause, in batches
	lastCommit time.Duration // duration of the last commit
}

// alone reports whether the last batch had one call and the queue is empty.
func (p *pacer) alone() bool { return p.last <= 1 && len(p.queue) == 0 }

// pace lets the callers run that are likely to call again. The writer has taken
// one call already.
func (p *pacer) pace() {
	if p.last+p.arrived <= 1 {
		return
	}
	if p.pauseLeft > 0 {
		p.pauseLeft--
		return
	}
	want := p.last + p.arrived
	if p.lowTarget > 0 {
		p.lowTarget--
		want = p.last
	}
	if p.waitFor(want) {
		p.backoff = min(max(2*p.backoff, restYields), maxRest)
		p.pauseLeft = p.backoff
		return
	}
	p.backoff /= 2
	if 4*(len(p.queue)+1) < 3*want {
		p.lowTarget = restYields
	}
}

// waitFor yields until want calls are there, including the one that the writer
// has taken, or until no call came for a while. It gives up and returns true if
// a yield took longer than a commit.
func (p *pacer) waitFor(want int) (busy bool) {
	now := time.Now()
	came := -1
	for since := now; ; {
		n := len(p.queue)
		if n+1 >= want {
			return false
		}
		if n > came {
			came = n
			since = now
		} else if now.Sub(since) > p.lastCommit/idleShare {
			return false
		}
		runtime.Gosched()
		before := now
		now = time.Now()
		if now.Sub(before) > p.lastCommit {
			return true
		}
	}
}
