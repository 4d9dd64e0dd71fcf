// Command bench runs one workload on Seshat and its peers in turns, and writes
// the results as a table and two plots.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// config holds the flags.
type config struct {
	dir      string
	out      string
	only     string
	n        int
	sizes    []int
	routines []int
	rounds   int
	each     time.Duration
	large    int
	quick    bool
}

var began = time.Now()

// logf prints the progress of the run.
func logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6.1fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
}

func main() {
	if path, ok := strings.CutPrefix(strings.Join(os.Args[1:], " "), "-probe "); ok {
		probe(path)
		return
	}
	c, err := parse(os.Args[1:])
	if err == nil {
		err = run(c)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		logf("bench: %v", err)
		os.Exit(1)
	}
}

func parse(args []string) (*config, error) {
	c := new(config)
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	sizes := f.String("sizes", "1e3,1e4,1e5", "numbers of sessions for latency against size")
	routines := f.String("g", "1,8,64,256", "numbers of goroutines")
	f.StringVar(&c.dir, "dir", "", "an empty directory on the disk to be measured; default: a temporary one")
	f.StringVar(&c.out, "out", "bench", "directory for RESULTS.md and the plots")
	f.StringVar(&c.only, "only", "", "peers, by name, separated by commas; default: all")
	f.IntVar(&c.n, "n", 2000, "sessions, with their logs, that each peer holds")
	f.IntVar(&c.rounds, "rounds", 3, "rounds")
	f.DurationVar(&c.each, "each", 250*time.Millisecond, "how long a peer is measured in a round")
	f.IntVar(&c.large, "large", 100_000, "sessions of the store that is swept and opened")
	f.BoolVar(&c.quick, "quick", false, "once, tiny: only to see that it runs")
	err := f.Parse(args)
	if err != nil {
		return nil, err
	}
	if c.quick {
		*sizes = "1e2,2e2"
		*routines = "1,4"
		c.n = 10
		c.rounds = 1
		c.each = 5 * time.Millisecond
		c.large = 100
	}
	if c.sizes, err = numbers(*sizes); err != nil {
		return nil, err
	}
	c.routines, err = numbers(*routines)
	return c, err
}

func numbers(list string) (out []int, err error) {
	for _, text := range strings.Split(list, ",") {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || x < 1 {
			return nil, fmt.Errorf("%q is not a number from 1 on", text)
		}
		out = append(out, int(x))
	}
	return out, nil
}

// run makes all measurements and writes the results.
func run(c *config) (err error) {
	if c.dir == "" {
		if c.dir, err = os.MkdirTemp("", "seshat-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(c.dir)
	}
	start := time.Now()
	r := &results{config: c, load: []string{loadAverage()}}
	if err := r.peers(); err != nil {
		return err
	}
	if err := r.ourselves(); err != nil {
		return err
	}
	r.took, r.load = time.Since(start), append(r.load, loadAverage())
	if err := os.WriteFile(filepath.Join(c.out, "RESULTS.md"), []byte(r.markdown()), 0o644); err != nil {
		return err
	}
	return r.plot(c.out)
}

// loadAverage returns the load average of the last minute, if the system tells.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	first, _, _ := strings.Cut(string(b), " ")
	return first
}

// peers measures the matrix, with all peers open.
func (r *results) peers() (err error) {
	dir := filepath.Join(r.dir, "peers")
	if r.m, err = openPeers(dir, r.n, r.only); err != nil {
		return err
	}
	r.m.add(r.routines)
	if err := r.m.run(r.rounds, r.each); err != nil {
		return errors.Join(err, r.m.close())
	}
	defer logf("closed the peers")
	return r.m.close()
}

// ourselves makes the measurements that need only some peers.
func (r *results) ourselves() error {
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"pages", r.measurePages},
		{"readers", r.measureReaders},
		{"busy", r.measureBusy},
		{"raw", r.measureRaw},
		{"codec", r.measureCodec},
		{"sizes", r.measureSizes},
		{"large", r.measureLarge},
	} {
		start := time.Now()
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		logf("%s took %v", step.name, time.Since(start).Round(time.Millisecond))
	}
	return nil
}
