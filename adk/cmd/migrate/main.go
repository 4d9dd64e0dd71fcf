// Command migrate copies the sessions of ADK's database service from a SQLite
// file into a file of Seshat, which it creates if it is missing. It only reads
// the SQLite file. To continue after a failure, run the command again.
//
//	go run github.com/seshatdb/seshat/adk/cmd/migrate \
//	    -from sessions.sqlite -to agents.db
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/glebarez/sqlite"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/adk"
	"github.com/seshatdb/seshat/adk/migrate"
)

var (
	from = flag.String("from", "", "SQLite file of ADK's database service")
	to   = flag.String("to", "", "file of Seshat")
	ttl  = flag.Duration("ttl", 0,
		"how long a migrated session lasts after its last event, 0 = "+seshat.DefaultTTL.String())
	keep = flag.Bool("keep", false, "migrated sessions last for ever")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if *from == "" || *to == "" {
		return errors.New("migrate: -from and -to are required")
	}
	if _, err := os.Stat(*from); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	store, err := seshat.Open(*to, seshat.Options{})
	if err != nil {
		return err
	}
	began := time.Now()
	life := seshat.Lifecycle{TTL: *ttl}
	if *keep {
		life.TTL = seshat.Never
	}
	service := adk.New(store, adk.Options{Lifecycle: life})
	r, err := migrate.Database(context.Background(), sqlite.Open(*from+"?mode=ro"), service)
	fmt.Printf("%d apps, %d sessions read; %d sessions and %d events added in %v\n",
		r.Apps, r.Read, r.Sessions, r.Events, time.Since(began).Round(time.Millisecond))
	return errors.Join(err, store.Close())
}
