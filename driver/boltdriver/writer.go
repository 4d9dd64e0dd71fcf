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

	next  *call         // taken from the channel, but not part of the last batch
	last  int           // calls in the last batch
	late  int           // calls that had come when it was answered
	skip  int           // batches for which nobody is waited for beyond last
	calm  int           // batches for which nobody is waited for
	rest  int           // what calm was set to last
	took  time.Duration // the last commit
	calls []*call       // of this batch
	ops   []queued      // their ops
	job   *call         // the job that runs now
	out   []outcome     // of the ops that were planned since the transaction began

	batch
	clock  int64    // the largest View.Now of an op that succeeded
	erased erasures // as of the last commit
	poison error    // not nil: a commit of unknown outcome
	commit func(*bolt.Tx) error
}

// queued is one op of a call.
type queued struct {
	op   *driver.Op
	call *call
}

type outcome struct{ err error }

func newWriter(d *Driver, erased erasures) *writer {
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
		w.work(w.serveAll)
	}
	for c := range w.d.calls {
		w.wanted.Store(true)
		w.mu.Lock()
		w.wanted.Store(false)
		w.next = c
		w.work(w.serveAll)
	}
	finished = true
}

// lockAlone locks mu for a caller that nobody else writes beside, and waits for
// nothing: who came first is served first.
func (w *writer) lockAlone() bool {
	return w.solo.Load() && !w.wanted.Load() && len(w.d.calls) == 0 && w.mu.TryLock()
}

// work runs fn, which commits, on a goroutine that has locked mu, and unlocks
// it, also if a Plan ends the goroutine.
func (w *writer) work(fn func()) {
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
		w.settle(&w.ops[i], errExited)
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
	w.gather(c)
	w.answer()
}

// serveAlone runs c, without a look at what waits.
func (w *writer) serveAlone(c *call) {
	w.calls = append(w.calls[:0], c)
	w.last = 1
	w.answer()
}

// answer commits the calls of the batch.
func (w *writer) answer() {
	for i := range w.calls {
		w.enqueue(w.calls[i])
	}
	w.run(w.ops)
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

// gather takes the calls that wait.
func (w *writer) gather(c *call) {
	w.yield()
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

// yield lets those callers run that are likely to call again: the ones that
// the last batch answered, beside those that came during it. Without that
// parts of them would take turns, as the writer takes back the first before the
// others ran. Where the callers did not come, the next batches wait for fewer;
// and where processors are so busy that a yield takes longer than a commit, they
// wait for nobody.
func (w *writer) yield() {
	if w.last+w.late <= 1 {
		return
	}
	if w.calm > 0 {
		w.calm--
		return
	}
	want := w.last + w.late
	if w.skip > 0 {
		w.skip--
		want = w.last
	}
	if w.await(want) {
		w.rest = min(max(2*w.rest, restYields), maxRest)
		w.calm = w.rest
		return
	}
	w.rest /= 2
	if 4*(len(w.d.calls)+1) < 3*want {
		w.skip = restYields
	}
}

// await yields until there are that many calls, with the one at hand, or none
// came for a while. It gives up, and says so, when a yield took longer than a
// commit.
func (w *writer) await(want int) (busy bool) {
	now := time.Now()
	for came, since := -1, now; ; {
		n := len(w.d.calls)
		if n+1 >= want {
			return false
		}
		if n > came {
			came, since = n, now
		} else if now.Sub(since) > w.took/idleShare {
			return false
		}
		runtime.Gosched()
		before := now
		now = time.Now()
		if now.Sub(before) > w.took {
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

// settle gives an op its outcome, and its call the answer if it was the last.
func (w *writer) settle(q *queued, err error) {
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
	if w.poison == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", driver.ErrFailed, w.poison)
}

// run gives all ops their outcomes, in as few commits as they fit in.
func (w *writer) run(ops []queued) {
	for len(ops) > 0 {
		if err := w.failed(); err != nil {
			for i := range ops {
				w.settle(&ops[i], err)
			}
			return
		}
		n, err := w.attempt(ops)
		if err != nil && n > 1 && retriable(err) {
			w.run(ops[:n/2])
			w.run(ops[n/2 : n])
		} else {
			w.settleAll(ops[:n], err)
		}
		ops = ops[n:]
	}
}

// settleAll answers the ops of one commit: err says what became of it.
func (w *writer) settleAll(ops []queued, err error) {
	w.late = len(w.d.calls)
	for i := range ops {
		if err == nil {
			w.settle(&ops[i], w.out[i].err)
		} else {
			w.settle(&ops[i], err)
		}
	}
}

// attempt plans ops until they are enough for a commit, and commits them. n is
// how many it took.
func (w *writer) attempt(ops []queued) (n int, err error) {
	w.out = w.out[:0]
	w.beginFlight()
	defer w.endFlight()
	if err := w.open(); err != nil {
		return len(ops), err
	}
	for n < len(ops) && w.arena.used < maxBatchBytes {
		q := &ops[n]
		w.out = append(w.out, outcome{w.plan(q.call.ctx, q.op)})
		n++
	}
	return n, w.close()
}
