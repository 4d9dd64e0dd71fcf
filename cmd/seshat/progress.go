package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows the progress of long work on standard error, if that is a
// terminal.
type progress struct{ bar *progressbar.ProgressBar }

// bar shows progress in bytes. A total of 0 is not known yet.
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
	_ = bar.RenderBlank() // a closed terminal must not stop the work
	return progress{bar}
}

// at shows that done of total bytes are finished.
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

// writer returns a writer to w that counts bytes.
func (p progress) writer(w io.Writer) io.Writer {
	if p.bar == nil {
		return w
	}
	return io.MultiWriter(w, p.bar)
}

// reader returns a reader of r that counts bytes.
func (p progress) reader(r io.Reader) io.Reader {
	if p.bar == nil {
		return r
	}
	return io.TeeReader(r, p.bar)
}

// spin shows that work of unknown size goes on, until done is called.
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

// size formats a number of bytes.
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
