package boltdriver

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/seshatdb/seshat/driver"
	bolt "go.etcd.io/bbolt"
)

const (
	maxBatch      = 1024    // ops in one commit
	maxBatchBytes = 4 << 20 // of values in one commit, the last op's excepted

	maxYields  = 8    // before one batch
	restYields = 16   // batches
	maxRest    = 1024 // batches
)

// writer is the one goroutine that changes the file.
type writer struct {
	d *Driver

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
	debug.SetPanicOnFault(true)
	finished := false
	defer func() {
		if !finished {
			w.abort()
			go w.loop()
			return
		}
		close(w.d.done)
	}()
	for {
		c := w.next
		w.next = nil
		if c == nil {
			var ok bool
			if c, ok = <-w.d.calls; !ok {
				finished = true
				return
			}
		}
		w.serve(c)
	}
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

// serve runs c and what can be committed with it.
func (w *writer) serve(c *call) {
	if c.job != nil {
		w.serveJob(c)
		return
	}
	w.gather(c)
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
// others ran. It is repeated while it brings calls. Where the callers did not
// come, the next batches wait for fewer; and where processors are so busy that
// a yield takes longer than a commit, they wait for nobody.
func (w *writer) yield() {
	if w.last <= 1 {
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
	for range maxYields {
		n := len(w.d.calls)
		if n+1 >= want {
			return
		}
		start := time.Now()
		runtime.Gosched()
		if time.Since(start) > w.took {
			w.rest = min(max(2*w.rest, restYields), maxRest)
			w.calm = w.rest
			return
		}
		w.rest /= 2
		if len(w.d.calls) == n {
			break
		}
	}
	if 4*(len(w.d.calls)+1) < 3*want {
		w.skip = restYields
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
