package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// results holds all measurements.
type results struct {
	*config
	m       *matrix
	pages   []pageRow
	readers []readersRow
	busy    []busyRow
	codec   []codecRow
	grown   []sizeRow
	big     largeResult
	took    time.Duration
	load    []string // averages before and after

	rawNS, rawAllocs, getAllocs, boltAllocs float64
}

// text collects Markdown.
type text struct{ strings.Builder }

func (t *text) f(format string, args ...any) { fmt.Fprintf(t, format, args...) }

func (t *text) head(cells ...string) {
	t.f("\n| %s |\n|%s\n", strings.Join(cells, " | "), strings.Repeat("---|", len(cells)))
}

func (t *text) row(cells ...string) { t.f("| %s |\n", strings.Join(cells, " | ")) }

func (r *results) markdown() string {
	t := new(text)
	t.f("# Results\n\nWritten by `go run ./bench` on %s, in %v: %s/%s, %d processors, %s. ",
		time.Now().UTC().Format(time.DateOnly), r.took.Round(time.Second), runtime.GOOS, runtime.GOARCH,
		runtime.GOMAXPROCS(0), runtime.Version())
	t.f("Medians of %d interleaved rounds of %v each; %d sessions with the logs of real conversations in each peer. ",
		r.rounds, r.each, r.n)
	t.f("Load average of the machine before and after: %s. One that is above the number of processors before "+
		"it began means that other work disturbed it. ",
		strings.Join(r.load, ", "))
	t.f("What each peer is, and why a row is won or lost, is in [README.md](README.md).\n")
	for _, s := range r.m.skipped {
		t.f("\nNot measured: %s.\n", s)
	}
	r.reachTable(t)
	r.matrixTable(t)
	r.latencyTable(t)
	r.pagesTable(t)
	r.readersTable(t)
	r.busyTable(t)
	r.codecTable(t)
	r.sizesTable(t)
	r.largeText(t)
	return t.String()
}

// matrixTable writes operations per second, and Seshat's as a multiple of each
// peer's.
func (r *results) matrixTable(t *text) {
	t.f("\n## Calls a second\n\nIn brackets: how many times as fast Seshat is.\n")
	cells := []string{"call", "goroutines"}
	for _, c := range r.m.peers {
		cells = append(cells, c.kind.Name)
	}
	t.head(cells...)
	for _, row := range r.m.rows {
		cells := []string{row.name, fmt.Sprint(row.g)}
		for i, s := range row.found {
			cells = append(cells, versus(row.found[0], s, i))
		}
		t.row(cells...)
	}
}

func versus(first, s *sample, i int) string {
	switch {
	case s == nil:
		return "–"
	case i == 0 || first == nil || s.perSec == 0:
		return count(s.perSec)
	}
	return fmt.Sprintf("%s (%s)", count(s.perSec), times(first.perSec/s.perSec))
}

// latencyTable writes the medians and 99th percentiles of writes.
func (r *results) latencyTable(t *text) {
	g := r.routines[0]
	for _, x := range r.routines {
		if x <= 64 {
			g = x
		}
	}
	t.f("\n## Latency of a write at %d goroutines\n\nMedian / 99th percentile, in milliseconds.\n", g)
	t.head("peer", "create", "append", "touch")
	for i, c := range r.m.peers {
		cells := []string{c.kind.Name}
		for _, row := range r.m.rows {
			if !row.write || row.g != g {
				continue
			}
			if s := row.found[i]; s != nil {
				cells = append(cells, fmt.Sprintf("%s / %s", ms(s.p50), ms(s.p99)))
			} else {
				cells = append(cells, "–")
			}
		}
		t.row(cells...)
	}
}

func (r *results) pagesTable(t *text) {
	t.f("\n## Pages written by a call\n\nSessions are drawn from %d. The other side is one bbolt transaction "+
		"of as many calls that puts only what the last column says.\n",
		min(r.large, 20_000))
	t.head("call", "calls in a commit", "pages, Seshat", "pages, bbolt", "ratio", "bbolt puts")
	for _, p := range r.pages {
		t.row(p.name, fmt.Sprintf("%.1f", p.calls), fmt.Sprintf("%.2f", p.ours), fmt.Sprintf("%.2f", p.theirs),
			times(p.ours/p.theirs), p.against)
	}
}

func (r *results) readersTable(t *text) {
	t.f("\n## Reads under durable writers\n\n%d readers that rest 100 µs after each read, %d writers that touch.\n",
		underReaders, underWriters)
	t.head("peer", "read p50", "read p99", "read p99.9", "writes/s", "writes/s without readers")
	for _, x := range r.readers {
		t.row(x.name, x.reads.p50.String(), x.reads.p99.String(), x.reads.p999.String(),
			count(x.writes.perSec), count(x.writesWithout.perSec))
	}
}

func (r *results) busyTable(t *text) {
	t.f("\n## Touch while all processors are busy elsewhere\n\nBeside %d goroutines that compute.\n",
		2*runtime.GOMAXPROCS(0))
	t.head("goroutines", "Seshat, calls/s", "bbolt, calls/s", "ratio")
	for _, b := range r.busy {
		t.row(fmt.Sprint(b.g), count(b.ours.perSec), count(b.bolt.perSec), times(b.ours.perSec/b.bolt.perSec))
	}
}

func (r *results) codecTable(t *text) {
	t.f("\n## Reads of one session and the codec\n\nA get allocates %.0f times (bbolt with msgpack: %.0f). A "+
		"read of the stored record into the caller's buffer: %.0f ns, %.0f allocations.\n",
		r.getAllocs, r.boltAllocs, r.rawNS, r.rawAllocs)
	if len(r.codec) == 0 {
		return
	}
	t.head("codec", "ns", "allocations")
	for _, c := range r.codec {
		t.row(c.name, fmt.Sprintf("%.0f", c.ns), c.allocs)
	}
}

func (r *results) sizesTable(t *text) {
	t.f("\n## Latency against size\n\nMedian of one goroutine's calls; sessions without logs.\n")
	t.head("sessions", "peer", "get", "list 50 of a user", "durable append")
	for _, x := range r.grown {
		t.row(fmt.Sprint(x.n), x.name, x.get.String(), x.list.String(), x.add.String())
	}
	t.f("\n![throughput against goroutines](throughput.svg)\n\n![latency against size](latency.svg)\n")
}

func (r *results) largeText(t *text) {
	b := &r.big
	t.f("\n## Sweep and open, %d sessions, %.0f MB\n", r.large, b.fileMB)
	t.f("\nThe background sweeper removed %d expired sessions in %d parts beside %d writers, in %v.\n",
		b.due, sweepRounds, sweepWriters, b.sweepTook.Round(time.Millisecond))
	t.head("writers", "median", "p99")
	t.row("alone", b.without.p50.String(), b.without.p99.String())
	t.row("beside a sweep", b.with.p50.String(), b.with.p99.String())
	t.head("open, each in a process of its own", "time")
	t.row("bbolt.Open, no check", b.boltOpen.String())
	t.row("Seshat, no check", b.openUnchecked.String())
	t.row("Seshat, its default: every page checked", b.open.String())
	t.f("\nResident after the default open: %.0f MB.\n", b.residentMB)
}

func times(x float64) string {
	if x >= 10 {
		return fmt.Sprintf("%.0fx", x)
	}
	return fmt.Sprintf("%.2fx", x)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()*1e3) }

// count formats a number with separators.
func count(x float64) string {
	s := fmt.Sprintf("%.0f", x)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
