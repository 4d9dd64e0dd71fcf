package postgres_test

import (
	"context"
	"log"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/postgres"
)

// A program opens its store on a database in place of a file, and is otherwise
// the same.
func ExampleOpen() {
	ctx := context.Background()
	d, err := postgres.Open(ctx, "postgres://app@db.internal/agents", postgres.Options{})
	if err != nil {
		log.Fatal(err)
	}
	store, err := seshat.OpenDriver(d, seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
}
