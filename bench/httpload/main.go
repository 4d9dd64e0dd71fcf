// Command httpload measures how many requests a second sessionhttp answers,
// beside a handler that returns constant bodies of the same sizes.
//
// Both are served on loopback by this process, which also has the clients: as
// many keep-alive connections as -clients says, which cost little. Rounds of
// the two are interleaved, and medians compared. The access log is off.
//
//	go run ./bench/httpload -sessions 100000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

type options struct {
	db       string
	sessions int
	clients  int
	rounds   int
	time     time.Duration // of one measurement
	requests int           // likewise, at most
}

func main() {
	var o options
	flag.StringVar(&o.db, "db", "", "`file` of the store, which is made; default: a temporary one")
	flag.IntVar(&o.sessions, "sessions", 100_000, "sessions in the store")
	flag.IntVar(&o.clients, "clients", 64, "connections")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds")
	flag.DurationVar(&o.time, "time", 3*time.Second, "longest `duration` of one measurement, of which a round has four")
	flag.IntVar(&o.requests, "requests", 1_000_000, "most requests of one measurement")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "httpload:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	if o.sessions < 1 || o.clients < 1 || o.rounds < 1 || o.time <= 0 || o.requests < 1 {
		return errors.New("sessions, clients, rounds, time and requests must be positive")
	}
	if o.db == "" {
		dir, err := os.MkdirTemp("", "httpload")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		o.db = filepath.Join(dir, "load.db")
	} else if _, err := os.Stat(o.db); err == nil {
		return fmt.Errorf("%s is there already", o.db)
	}
	w, err := newWorld(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	results, err := w.measure(ctx)
	if err != nil {
		return err
	}
	return report(out, o, results)
}
