package boltdriver

import (
	"runtime"
	"time"
)

const (
	idleShare  = 16   // 1/16 of the last commit's time is waited while no call comes
	restYields = 16   // batches
	maxRest    = 1024 // batches
)

// pacer decides how long the writer waits before it takes the calls of a batch.
//
// Why wait at all: a commit costs the same for one call as for a hundred, and
// callers that were just answered call again at once if they are let run. The
// writer would otherwise take the first of them back before the others ran, and
// the callers would commit in two groups that take turns, each waiting for the
// other's sync. So the pacer yields the processor until as many calls have come
// as the last batch answered, beside those that came during it. It must not
// cost more than it brings: if the callers did not come, the next batches wait
// for fewer; and if processors are so busy that one yield takes longer than a
// commit, the next batches, more and more of them, wait for nobody.
//
// Only the writer uses it, under its lock.
type pacer struct {
	queue      <-chan *call
	last       int           // calls in the last batch
	arrived    int           // calls that had come when it was answered
	lowTarget  int           // batches for which nobody is waited for beyond last
	pauseLeft  int           // batches for which nobody is waited for
	backoff    int           // what pauseLeft was set to last
	lastCommit time.Duration // the last commit
}

// alone reports whether the last batch was one call, and nobody waits.
func (p *pacer) alone() bool { return p.last <= 1 && len(p.queue) == 0 }

// pace lets those callers run that are likely to call again. The writer has one
// call at hand.
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

// waitFor yields until there are that many calls, with the one at hand, or none
// came for a while. It gives up, and says so, when a yield took longer than a
// commit.
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
