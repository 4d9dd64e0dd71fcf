package boltdriver

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

const (
	maxBatch      = 1024    // ops in one commit
	maxBatchBytes = 4 << 20 // of values in one commit, the last op's excepted

	idleShare  = 16   // 1/16 of the last commit's time is waited while no call comes
	restYields = 16   // batches
	maxRest    = 1024 // batches
)

// writer changes the file. It works on one goroutine at a time, which holds mu:
// on its own, or where one caller writes alone, on that one's.
type writer struct {
	d      *Driver
	mu     sync.Mutex
	solo   atomic.Bool // the last batch was one call, and nobody waited behind it
	wanted atomic.Bool // the writer's goroutine has a call and waits for mu

	next       *call         // taken from the channel, but not part of the last batch
	last       int           // calls in the last batch
	arrived    int           // calls that had come when it was answered
	lowTarget  int           // batches for which nobody is waited for beyond last
	pauseLeft  int           // batches for which nobody is waited for
	backoff    int           // what calm was set to last
	lastCommit time.Duration // the last commit
	calls      []*call       // of this batch
	ops        []queued      // their ops
	job        *call         // the job that runs now
	out        []outcome     // of the ops that were planned since the transaction began

	batch
	clock   int64                  // the largest View.Now of an op that succeeded
	erased  format.PendingErasures // as of the last commit
	failure error                  // not nil: a commit of unknown outcome
	commit  func(*bolt.Tx) error
}

// queued is one op of a call.
type queued struct {
	op   *driver.Op
	call *call
}

type outcome struct{ err error }

func newWriter(d *Driver, erased format.PendingErasures) *writer {
	w := &writer{d: d, erased: erased, commit: (*bolt.Tx).Commit}
	w.solo.Store(true)
	if hook := d.options.core.commit; hook != nil {
		w.commit = hook
	}
	w.batch.init(w)
	return w
}

// loop serves calls until the channel is closed and empty. A Plan that ends
// its goroutine (as testing.T.FailNow does) must not end the writer: another
// one takes over.
func (w *writer) loop() {
	finished := false
	defer func() {
		if !finished {
			go w.loop()
			return
		}
		close(w.d.done)
	}()
	if w.next != nil { // left by a Plan that ended the goroutine
		w.mu.Lock()
		w.runLocked(w.serveAll)
	}
	for c := range w.d.calls {
		w.wanted.Store(true)
		w.mu.Lock()
		w.wanted.Store(false)
		w.next = c
		w.runLocked(w.serveAll)
	}
	finished = true
}

// tryLockInline locks mu for a caller that nobody else writes beside, and waits
// for nothing: who came first is served first.
func (w *writer) tryLockInline() bool {
	return w.solo.Load() && !w.wanted.Load() && len(w.d.calls) == 0 && w.mu.TryLock()
}

// runLocked runs fn, which commits, on a goroutine that has locked mu, and
// unlocks it, also if a Plan ends the goroutine.
func (w *writer) runLocked(fn func()) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	finished := false
	defer func() {
		if !finished {
			w.abort()
		}
		w.solo.Store(w.last <= 1 && len(w.d.calls) == 0)
		w.mu.Unlock()
	}()
	fn()
	finished = true
}

// errExited is the outcome of the ops of a batch in which one ended the
// writer's goroutine.
var errExited = errors.New("a plan of the same commit ended its goroutine")

// abort answers what was running when the goroutine ended.
func (w *writer) abort() {
	w.discard()
	for i := range w.ops {
		w.reply(&w.ops[i], errExited)
	}
	w.ops = w.ops[:0]
	if w.job != nil {
		w.job.finish()
		w.job = nil
	}
}

// serveAll serves the next call, and the one that its batch leaves, and so on.
func (w *writer) serveAll() {
	for w.next != nil {
		c := w.next
		w.next = nil
		w.serve(c)
	}
}

// serve runs c and what can be committed with it.
func (w *writer) serve(c *call) {
	if c.job != nil {
		w.serveJob(c)
		return
	}
	w.takeWaiting(c)
	w.answer()
}

// commitInline runs c, without a look at what waits.
func (w *writer) commitInline(c *call) {
	w.calls = append(w.calls[:0], c)
	w.last = 1
	w.answer()
}

// answer commits the calls of the batch.
func (w *writer) answer() {
	for i := range w.calls {
		w.enqueue(w.calls[i])
	}
	w.commitAll(w.ops)
	clear(w.ops)
	w.ops = w.ops[:0]
}

func (w *writer) serveJob(c *call) {
	if !c.taken.CompareAndSwap(false, true) {
		return
	}
	w.job = c
	c.job(w)
	w.job = nil
	c.finish()
}

// takeWaiting takes the calls that wait.
func (w *writer) takeWaiting(c *call) {
	w.pace()
	clear(w.calls)
	w.calls = append(w.calls[:0], c)
	for n := len(c.ops); n < maxBatch; {
		select {
		case c, ok := <-w.d.calls:
			if !ok {
				w.last = len(w.calls)
				return
			}
			if n += len(c.ops); n > maxBatch || c.job != nil {
				w.next = c
				w.last = len(w.calls)
				return
			}
			w.calls = append(w.calls, c)
		default:
			w.last = len(w.calls)
			return
		}
	}
	w.last = len(w.calls)
}

// pace lets those callers run that are likely to call again: the ones that the
// last batch answered, beside those that came during it. Without that parts of
// them would take turns, as the writer takes back the first before the others
// ran. Where the callers did not come, the next batches wait for fewer; and
// where processors are so busy that a yield takes longer than a commit, they
// wait for nobody.
func (w *writer) pace() {
	if w.last+w.arrived <= 1 {
		return
	}
	if w.pauseLeft > 0 {
		w.pauseLeft--
		return
	}
	want := w.last + w.arrived
	if w.lowTarget > 0 {
		w.lowTarget--
		want = w.last
	}
	if w.waitFor(want) {
		w.backoff = min(max(2*w.backoff, restYields), maxRest)
		w.pauseLeft = w.backoff
		return
	}
	w.backoff /= 2
	if 4*(len(w.d.calls)+1) < 3*want {
		w.lowTarget = restYields
	}
}

// waitFor yields until there are that many calls, with the one at hand, or none
// came for a while. It gives up, and says so, when a yield took longer than a
// commit.
func (w *writer) waitFor(want int) (busy bool) {
	now := time.Now()
	for came, since := -1, now; ; {
		n := len(w.d.calls)
		if n+1 >= want {
			return false
		}
		if n > came {
			came, since = n, now
		} else if now.Sub(since) > w.lastCommit/idleShare {
			return false
		}
		runtime.Gosched()
		before := now
		now = time.Now()
		if now.Sub(before) > w.lastCommit {
			return true
		}
	}
}

// enqueue takes the ops of c, unless its caller has gone away.
func (w *writer) enqueue(c *call) {
	if !c.taken.CompareAndSwap(false, true) {
		return
	}
	for _, o := range c.ops {
		if o.Err == nil {
			w.ops = append(w.ops, queued{o, c})
			c.left++
		}
	}
	if c.left == 0 {
		c.finish()
	}
}

// reply gives an op its outcome, and its call the answer if it was the last.
func (w *writer) reply(q *queued, err error) {
	if q.call == nil {
		return
	}
	q.op.Err = err
	q.call.left--
	if q.call.left == 0 {
		q.call.finish()
	}
	q.call = nil
}

// failed returns the error of a writer that may not write any more.
func (w *writer) failed() error {
	if w.failure == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", driver.ErrFailed, w.failure)
}

// commitAll gives all ops their outcomes, in as few commits as they fit in.
func (w *writer) commitAll(ops []queued) {
	for len(ops) > 0 {
		if err := w.failed(); err != nil {
			for i := range ops {
				w.reply(&ops[i], err)
			}
			return
		}
		n, err := w.commitBatch(ops)
		if err != nil && n > 1 && retriable(err) {
			w.commitAll(ops[:n/2])
			w.commitAll(ops[n/2 : n])
		} else {
			w.replyAll(ops[:n], err)
		}
		ops = ops[n:]
	}
}

// replyAll answers the ops of one commit: err says what became of it.
func (w *writer) replyAll(ops []queued, err error) {
	w.arrived = len(w.d.calls)
	for i := range ops {
		if err == nil {
			w.reply(&ops[i], w.out[i].err)
		} else {
			w.reply(&ops[i], err)
		}
	}
}

// commitBatch plans ops until they are enough for a commit, and commits them. n
// is how many it took.
func (w *writer) commitBatch(ops []queued) (n int, err error) {
	w.out = w.out[:0]
	w.beginFlight()
	defer w.endFlight()
	if err := w.open(); err != nil {
		return len(ops), err
	}
	for n < len(ops) && w.arena.Used() < maxBatchBytes {
		q := &ops[n]
		w.out = append(w.out, outcome{w.plan(q.call.ctx, q.op)})
		n++
	}
	return n, w.finish()
}
