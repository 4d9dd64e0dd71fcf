package crash

import (
	"context"
	"errors"
	"os"
	"runtime"

	"github.com/seshatdb/seshat"
)

// The natures of a failure that a writer meets. natureWrong begins those that
// must not be: what is said after it is why.
const (
	natureUnknown = "unknown"
	natureRefused = "refused"
	natureWrong   = "wrong: "
)

func nature(err error) string {
	if errors.Is(err, seshat.ErrUnknown) {
		return natureUnknown
	}
	return natureRefused
}

// writeRecorded runs in the process whose power is cut.
func writeRecorded(w *work, t task) error {
	log, err := os.OpenFile(t.Log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(4) // one thread answers calls while others wait for theirs
	r := &recorder{store: t.Path, fault: t.Fault, log: log}
	if err := r.trap(); err != nil {
		return err
	}
	if w.kind == "group" {
		return (&writer{w: w, r: r}).runGroups(t)
	}
	(&writer{w: w, r: r}).run(t)
	return nil
}

// writer makes steps and tells the recorder which of them were acknowledged.
type writer struct {
	w *work
	r *recorder
	s *seshat.Store
}

// run makes the steps. The steps that it finds in the file when it opens it are
// durable, so they count as acknowledged. It repeats a failed step once, unless
// the store accepts no more writes. After a fault, a few more steps show
// whether the store still works.
func (w *writer) run(t task) {
	ctx := context.Background()
	if err := w.open(t); err != nil {
		return
	}
	defer w.s.Close()
	w.r.say(event{kind: acked, n: t.From - 1})
	for n, more := t.From, 4; n <= t.To && more > 0; n++ {
		err := w.w.do(ctx, w.s, n)
		if err != nil {
			err = w.failed(ctx, n, err)
		}
		if err != nil {
			return
		}
		w.r.say(event{kind: acked, n: n})
		if w.r.struck.Load() {
			more--
		}
	}
}

// open opens the store. If a fault makes that fail, the next attempt must
// succeed.
func (w *writer) open(t task) (err error) {
	w.w.at(t.From)
	w.s, err = seshat.Open(t.Path, w.w.options())
	if err == nil {
		return nil
	}
	w.r.say(event{kind: failed, n: t.From - 1, text: nature(err)})
	if w.s, err = seshat.Open(t.Path, w.w.options()); err != nil {
		w.wrong(t.From-1, "it cannot be opened when the fault is over: "+err.Error())
	}
	return err
}

func (w *writer) wrong(n int, why string) {
	w.r.say(event{kind: failed, n: n, text: natureWrong + why})
}

// failed checks the store after step n returned err, and repeats the step. It
// returns the error of the repetition.
func (w *writer) failed(ctx context.Context, n int, err error) error {
	w.r.say(event{kind: failed, n: n, text: nature(err)})
	w.reads(ctx, n)
	again := w.w.do(ctx, w.s, n)
	unknown := errors.Is(err, seshat.ErrUnknown)
	switch {
	case unknown && !errors.Is(again, seshat.ErrFailed):
		w.wrong(n, "it goes on writing after an unknown outcome")
	case !unknown && again != nil:
		w.wrong(n, "it stops writing where it need not: "+again.Error())
	}
	if unknown {
		w.reads(ctx, n)
	}
	return again
}

// reads checks that the store still shows the state before step n.
func (w *writer) reads(ctx context.Context, n int) {
	got, err := w.w.dump(ctx, w.s, false)
	if err != nil {
		w.wrong(n, "it cannot be read after a failed write: "+err.Error())
		return
	}
	if w.w.step(w.s, n).resumable || n == 1 {
		return // a part of it may be done
	}
	want, err := before(ctx, &work{seed: w.w.seed, kind: w.w.kind}, n)
	switch {
	case err != nil:
		w.wrong(n, "no reference: "+err.Error())
	case got != want:
		w.wrong(n, "a failed write changed what it shows")
	}
}
