package main

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// results holds all measurements.
type results struct {
	config
	began     time.Time
	load      []string // averages before and after
	version   string   // of the server
	names     []string // of the stores
	near, far time.Duration
	rows      []row
	scale     *scale
}

func (r *results) markdown() string {
	var t strings.Builder
	fmt.Fprintf(&t,
		"# Results\n\nWritten by `make bench-postgres` on %s, in %v: %s/%s, %d processors, %s, PostgreSQL %s, "+
			"durable, on the loopback of the same machine and the same disk. ",
		time.Now().UTC().Format(time.DateOnly), time.Since(r.began).Round(time.Second), runtime.GOOS, runtime.GOARCH,
		runtime.GOMAXPROCS(0), runtime.Version(), r.version)
	fmt.Fprintf(&t,
		"Load average before and after: %s; one above the number of processors before it began means that "+
			"other work disturbed it.\n", strings.Join(r.load, ", "))
	fmt.Fprintf(&t,
		"\n## Calls a second\n\nMedians of %d interleaved rounds of %v each, through package seshat, with %d "+
			"sessions in one namespace and as many in %d; at most %d connections. "+
			"In brackets: times the embedded store, a file that syncs each commit. Round trips were counted "+
			"by a proxy. "+
			"The distant server is behind a proxy that holds back what is sent for %v; a get took %v at best "+
			"there, and %v without it.\n\n",
		r.rounds, r.each, r.sessions, namespaces, maxConns, r.later, micros(r.far), micros(r.near))
	fmt.Fprintf(&t, "| call | goroutines | %s | round trips |\n|---|---|%s---|\n", strings.Join(r.names, " | "),
		strings.Repeat("---|", len(r.names)))
	for _, w := range r.rows {
		fmt.Fprintf(&t, "| %s | %d | %s", w.call.name, w.goroutines, count(w.perSecond[0]))
		for _, v := range w.perSecond[1:] {
			fmt.Fprintf(&t, " | %s (%sx)", count(v), ratio(v/w.perSecond[0]))
		}
		fmt.Fprintf(&t, " | %s |\n", strconv.FormatFloat(w.trips, 'f', -1, 64))
	}
	if r.scale != nil {
		r.scale.markdown(&t)
	}
	return t.String()
}

func (s *scale) markdown(t *strings.Builder) {
	small := count(float64(s.small))
	large := count(float64(s.large))
	fmt.Fprintf(t,
		"\n## %s sessions against %s\n\nOne namespace, %d sessions of each user all over it, bodies of %d "+
			"bytes, through the driver, one caller, calls by turns, after `vacuum analyze`. "+
			"They are about the same %d users or sessions, but where it says others: the large one's have "+
			"then to be fetched into the server's memory (256 MB). "+
			"Above is the fastest tenth, which other work on the machine disturbs least, and below the "+
			"median. The large one took %v to load. "+
			"How many pages of the engine a call touches is in `TestReadsDoNotGrow`.\n\n",
		large, small, perUser, bodySize, hotUsers, s.loaded.Round(time.Second))
	fmt.Fprintf(t, "| call | %s | %s | times |\n|---|---|---|---|\n", small, large)
	for _, r := range s.rows {
		fmt.Fprintf(t, "| %s | %v<br>%v | %v<br>%v | %s<br>%s |\n", r.name,
			micros(r.small.tenth), micros(r.small.median), micros(r.large.tenth), micros(r.large.median),
			ratio(float64(r.large.tenth)/float64(r.small.tenth)),
			ratio(float64(r.large.median)/float64(r.small.median)))
	}
	for _, r := range s.rows {
		if r.name == "list 50 of a user" {
			fmt.Fprintf(t,
				"\nAim: a page of 50 of a user takes at most 1.5 times as long. By the fastest tenth: %s. By "+
					"the median: %s.\n",
				reached(r.small.tenth, r.large.tenth), reached(r.small.median, r.large.median))
		}
	}
}

func reached(small, large time.Duration) string {
	if float64(large) > 1.5*float64(small) {
		return "**missed**"
	}
	return "reached"
}

func micros(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

// ratio formats x with two significant digits.
func ratio(x float64) string {
	digits := 2
	for y := x; y > 0 && y < 0.1 && digits < 9; y *= 10 {
		digits++
	}
	return strconv.FormatFloat(x, 'f', digits, 64)
}

// count formats a number with commas.
func count(x float64) string {
	s := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
