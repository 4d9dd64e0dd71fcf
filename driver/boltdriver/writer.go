package boltdriver

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

const (
	maxBatch      = 1024    // ops in one commit
	maxBatchBytes = 4 << 20 // of values in one commit, the last op's excepted
)

// writer changes the file. It works on one goroutine at a time, which holds mu:
// on its own, or if only one caller writes, on that caller's.
type writer struct {
	d      *Driver
	mu     sync.Mutex
	solo   atomic.Bool // the last batch was one call, and nobody waited behind it
	wanted atomic.Bool // the writer's goroutine has a call and waits for mu

	next  *call     // taken from the channel, but not part of the last batch
	pacer pacer     // knows the last batch
	calls []*call   // of this batch
	ops   []queued  // their ops
	job   *call     // the job that runs now
	out   []outcome // of the ops that were planned since the transaction began

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
	w := &writer{d: d, pacer: pacer{queue: d.calls}, erased: erased, commit: (*bolt.Tx).Commit}
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
		w.runLocked(nil)
	}
	for c := range w.d.calls {
		w.wanted.Store(true)
		w.mu.Lock()
		w.wanted.Store(false)
		w.next = c
		w.runLocked(nil)
	}
	finished = true
}

// tryLockInline locks mu for a caller that nobody else writes beside, and waits
// for nothing: who came first is served first.
func (w *writer) tryLockInline() bool {
	return w.solo.Load() && !w.wanted.Load() && len(w.d.calls) == 0 && w.mu.TryLock()
}

// runLocked runs one call, without a look at what waits, or if that is nil what
// the writer's goroutine has taken. The caller has locked mu: it is unlocked at
// the end, also if a Plan ends the goroutine.
func (w *writer) runLocked(inline *call) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	finished := false
	defer func() {
		if !finished {
			w.abort()
		}
		w.solo.Store(w.pacer.alone())
		w.mu.Unlock()
	}()
	if inline == nil {
		w.serveAll()
	} else {
		w.calls = append(w.calls[:0], inline)
		w.pacer.last = 1
		w.enqueue(inline)
		for n := 0; n < len(w.ops); {
			n += w.commitBatch(w.ops[n:])
		}
		w.forgetOps()
	}
	finished = true
}

// errExited is the outcome of the ops of a batch in which one ended the
// writer's goroutine.
var errExited = errors.New("a plan of the same commit ended its goroutine")

// abort answers what was running when the goroutine ended.
func (w *writer) abort() {
	w.endFlight()
	w.discard()
	for i := range w.ops {
		w.reply(&w.ops[i], errExited)
	}
	w.ops = w.ops[:0]
	if w.job != nil {
		w.job.answer()
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
	for i := range w.calls {
		w.enqueue(w.calls[i])
	}
	w.commitAll(w.ops)
	w.forgetOps()
}

// forgetOps drops the ops of a batch that was answered.
func (w *writer) forgetOps() {
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
	c.answer()
}

// takeWaiting takes the calls that wait.
func (w *writer) takeWaiting(c *call) {
	w.pacer.pace()
	clear(w.calls)
	w.calls = append(w.calls[:0], c)
	defer func() { w.pacer.last = len(w.calls) }()
	for n := len(c.ops); n < maxBatch; {
		select {
		case c, ok := <-w.d.calls:
			if !ok {
				return
			}
			if n += len(c.ops); n > maxBatch || c.job != nil {
				w.next = c
				return
			}
			w.calls = append(w.calls, c)
		default:
			return
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
		c.answer()
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
		q.call.answer()
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
		ops = ops[w.commitBatch(ops):]
	}
}

// replyAll answers the ops of one commit: err says what became of it.
func (w *writer) replyAll(ops []queued, err error) {
	w.pacer.arrived = len(w.d.calls)
	for i := range ops {
		if err == nil {
			w.reply(&ops[i], w.out[i].err)
		} else {
			w.reply(&ops[i], err)
		}
	}
}

// commitBatch plans ops until they are enough for a commit, commits them and
// answers them. If one of them may be why the commit failed, it commits each
// half of them by itself. n is how many it answered.
func (w *writer) commitBatch(ops []queued) (n int) {
	if err := w.failed(); err != nil {
		w.replyAll(ops, err)
		return len(ops)
	}
	w.out = w.out[:0]
	w.beginFlight()
	err := w.open()
	if err != nil {
		n = len(ops)
	} else {
		for n < len(ops) && w.arena.Used() < maxBatchBytes {
			q := &ops[n]
			w.out = append(w.out, outcome{w.plan(q.call.ctx, q.op)})
			n++
		}
		err = w.finish()
	}
	w.endFlight()
	if err != nil && n > 1 && retriable(err) {
		w.commitAll(ops[:n/2])
		w.commitAll(ops[n/2 : n])
	} else {
		w.replyAll(ops[:n], err)
	}
	return n
}
