// Quickstart plays one day of two tenants. Sessions are created and named after
// their first message. They become idle, active again, archived, and expire.
// Then the file is closed, opened again and listed.
//
//	go run ./examples/quickstart             uses a temporary directory
//	go run ./examples/quickstart -db my.db   keeps the file for the next run
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/seshatdb/seshat"
)

func main() {
	log.SetFlags(0)
	path := flag.String("db", "", "`file` of the store (default in a temporary directory)")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *path); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer, path string) error {
	if path == "" {
		dir, err := os.MkdirTemp("", "seshat-quickstart-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		path = filepath.Join(dir, "agents.db")
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if err := live(ctx, w, path); err != nil {
			return err
		}
	}
	return reopen(ctx, w, path)
}

// live opens a new store and plays the day.
func live(ctx context.Context, w io.Writer, path string) error {
	clock := newClock() // lets the day take no time
	store, err := seshat.Open(path, seshat.Options{Now: clock.Now, SweepEvery: seshat.Never})
	if err != nil {
		return err
	}
	defer store.Close()
	d := &day{ctx: ctx, w: w, store: store, clock: clock}
	for _, part := range []func() error{d.tenants, d.morning, d.idle, d.wake, d.expire, d.nextDay} {
		if err := part(); err != nil {
			return err
		}
	}
	return store.Close()
}

// reopen lists the sessions in the file.
func reopen(ctx context.Context, w io.Writer, path string) error {
	store, err := seshat.Open(path, seshat.Options{Now: newClock().Now, SweepEvery: seshat.Never})
	if err != nil {
		return err
	}
	defer store.Close()
	fmt.Fprintln(w, "\nThe file, opened again:")
	return show(ctx, w, store)
}
