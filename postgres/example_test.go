package postgres_test

import (
	"context"
	"log"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/postgres"
)

// A program opens its store in a database instead of a file. The rest of the
// program stays the same.
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
