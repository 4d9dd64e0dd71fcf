package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows on standard error how long work goes on. It is silent unless
// that is a terminal.
type progress struct{ bar *progressbar.ProgressBar }

// bar begins to show progress in bytes; total 0 = not known yet.
func (a *app) bar(what string, total int64) progress {
	if _, ok := terminal(a.err); !ok || a.json {
		return progress{}
	}
	if total <= 0 {
		total = -1
	}
	bar := progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(a.err), progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(24),
	)
	_ = bar.RenderBlank() // a terminal that is gone must not stop the work
	return progress{bar}
}

// at says how much of the whole is done.
func (p progress) at(done, total int64) {
	if p.bar == nil {
		return
	}
	if p.bar.GetMax64() != total {
		p.bar.ChangeMax64(total)
	}
	_ = p.bar.Set64(done)
}

func (p progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// writer counts what is written to w.
func (p progress) writer(w io.Writer) io.Writer {
	if p.bar == nil {
		return w
	}
	return io.MultiWriter(w, p.bar)
}

// reader counts what is read from r.
func (p progress) reader(r io.Reader) io.Reader {
	if p.bar == nil {
		return r
	}
	return io.TeeReader(r, p.bar)
}

// spin shows that work goes on whose amount is not known, until it is called
// off.
func (a *app) spin(what string) (done func()) {
	p := a.bar(what, 0)
	if p.bar == nil {
		return func() {}
	}
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = p.bar.RenderBlank()
			case <-stop:
				p.done()
				return
			}
		}
	}()
	return func() { close(stop); <-stopped }
}

// size prints bytes for people.
func size(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	v := float64(n)
	units := "KMGTPE"
	for v /= 1 << 10; v >= 1<<10; v /= 1 << 10 {
		units = units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", v, units[0])
}
