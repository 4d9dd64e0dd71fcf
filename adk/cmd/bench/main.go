// Command bench measures Seshat's session services and those of ADK in one run,
// and prints a table with ratios.
//
//	go run ./cmd/bench                prints the table
//	go run ./cmd/bench -write         writes it to README.md
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seshatdb/seshat/adk/internal/peers"
	"github.com/seshatdb/seshat/adk/internal/readme"
)

var (
	sessions = flag.Int("sessions", 10_000, "number of sessions to list")
	events   = flag.Int("events", 100, "events of the session to get")
	long     = flag.Int("long", 5000, "events of the long session")
	times    = flag.Int("times", 300, "calls of each measurement")
	rounds   = flag.Int("rounds", 3, "runs of each measurement; the fastest counts")
	listings = flag.Int("listings", 10, "calls of list")
	write    = flag.Bool("write", false, "write the table into the README")
	file     = flag.String("readme", "README.md", "the README")
)

// measurement is one line of the table.
type measurement struct {
	name string
	run  func(*testing.B, peers.Peer)
	n    int  // calls
	div  bool // also print its ratio to the row before
}

func main() {
	testing.Init()
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	text, err := table([]measurement{
		{name: "create", run: create, n: *times},
		{name: fmt.Sprintf("get with %d events", *events), run: get, n: *times},
		{name: "append, 10 events there", run: func(b *testing.B, p peers.Peer) { appendTo(b, p, 10) }, n: *times},
		{
			name: fmt.Sprintf("append, %d events there", *long),
			run:  func(b *testing.B, p peers.Peer) { appendTo(b, p, *long) }, n: *times, div: true,
		},
		{name: fmt.Sprintf("list %d sessions", *sessions), run: list, n: *listings},
	})
	if err != nil {
		return err
	}
	if *write {
		return readme.Replace(*file, "bench", text)
	}
	fmt.Print(text)
	return nil
}

// measure returns the fastest of several rounds. The services take turns, so
// that other work of the machine affects all of them.
func (m measurement) measure(all []peers.Peer) ([]testing.BenchmarkResult, error) {
	best := make([]testing.BenchmarkResult, len(all))
	for range *rounds {
		for i, p := range all {
			r := testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				m.run(b, p)
			})
			if r.N == 0 {
				return nil, fmt.Errorf("%s of %s failed", m.name, p.Name)
			}
			if best[i].N == 0 || r.NsPerOp() < best[i].NsPerOp() {
				best[i] = r
			}
		}
	}
	return best, nil
}

// table runs the measurements and formats them.
func table(lines []measurement) (string, error) {
	all := peers.All()
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d CPUs, %s; time and allocations of one call, fastest of %d rounds\n\n|", runtime.Version(),
		runtime.NumCPU(), runtime.GOARCH, *rounds)
	for _, p := range all {
		b.WriteString(" | " + p.Name)
	}
	b.WriteString(" | SQLite : file | in memory, ADK : Seshat |\n|---|" + strings.Repeat("--:|", len(all)+2) + "\n")
	var before []testing.BenchmarkResult
	for _, m := range lines {
		fmt.Fprintf(&b, "| %s |", m.name)
		if err := flag.Set("test.benchtime", fmt.Sprintf("%dx", m.n)); err != nil {
			return "", err
		}
		results, err := m.measure(all)
		if err != nil {
			return "", err
		}
		for _, r := range results {
			fmt.Fprintf(&b, " %s, %d |", short(r), r.AllocsPerOp())
		}
		fmt.Fprintf(&b, " %s | %s |\n", ratio(results[2], results[0]), ratio(results[3], results[1]))
		if m.div {
			b.WriteString("| the latter : the former |")
			for i := range all {
				fmt.Fprintf(&b, " %s, %.2f |", ratio(results[i], before[i]),
					float64(results[i].AllocsPerOp())/float64(before[i].AllocsPerOp()))
			}
			b.WriteString(" | |\n")
		}
		before = results
	}
	return b.String(), nil
}

func short(r testing.BenchmarkResult) string {
	d := time.Duration(r.NsPerOp())
	switch {
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Nanosecond).String()
}

func ratio(a, b testing.BenchmarkResult) string {
	return fmt.Sprintf("%.2f", float64(a.NsPerOp())/float64(b.NsPerOp()))
}
