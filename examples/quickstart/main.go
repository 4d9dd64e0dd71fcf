// Quickstart lives through a day of two tenants: sessions are created, get
// their names from what is said first, fall idle, are woken, archived, and
// expire; then the file is closed, opened again, and shown once more.
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
	path := flag.String("db", "", "the store's `file`; by default one in a temporary directory")
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

// live opens a new store and spends a day in it.
func live(ctx context.Context, w io.Writer, path string) error {
	clock := newClock() // so that the day takes no time
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

// reopen shows that all of it is in the file.
func reopen(ctx context.Context, w io.Writer, path string) error {
	store, err := seshat.Open(path, seshat.Options{Now: newClock().Now, SweepEvery: seshat.Never})
	if err != nil {
		return err
	}
	defer store.Close()
	fmt.Fprintln(w, "\nThe file, opened again:")
	return show(ctx, w, store)
}
