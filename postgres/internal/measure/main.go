// Command measure compares a store on PostgreSQL with the embedded one in a
// single run, and writes RESULTS.md:
//
//	go run ./postgres/internal/measure
//
// It starts a PostgreSQL server of its own, durable, from the binaries of the
// distribution.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

// config sets the amount of work.
type config struct {
	out    string
	each   time.Duration // a round of one call on one store
	rounds int

	goroutines []int // that call at once
	sessions   int
	small      int
	large      int
	later      time.Duration
}

func main() {
	c := config{goroutines: []int{1, 8, 32, 64}}
	flag.StringVar(&c.out, "out", "postgres/RESULTS.md", "file to write")
	flag.DurationVar(&c.each, "each", 250*time.Millisecond, "time of a round of one call on one store")
	flag.IntVar(&c.rounds, "rounds", 3, "rounds, interleaved, of which the median counts")
	flag.IntVar(&c.sessions, "sessions", 3200, "sessions in each store")
	flag.IntVar(&c.small, "small", 10_000, "sessions of the small namespace")
	flag.IntVar(&c.large, "large", 1_000_000, "sessions of the large namespace; 0 = leave that part out")
	flag.DurationVar(&c.later, "later", 2*time.Millisecond, "added to a round trip where the server is far")
	flag.Parse()
	if err := run(context.Background(), c); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, c config) (err error) {
	r := &results{config: c, began: time.Now(), load: []string{loadAverage()}}
	server, err := pgserver.New("shared_buffers=256MB", "max_connections=200", "max_wal_size=4GB")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if r.version, err = server.Query(ctx, "show server_version"); err != nil {
		return err
	}
	if err := r.compare(ctx, server); err != nil {
		return err
	}
	if c.large > 0 {
		if r.scale, err = grow(ctx, server, c.small, c.large); err != nil {
			return err
		}
	}
	r.load = append(r.load, loadAverage())
	return os.WriteFile(c.out, []byte(r.markdown()), 0o644)
}

// loadAverage returns the machine's load average of the last minute, if known.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(b))[0]
}
