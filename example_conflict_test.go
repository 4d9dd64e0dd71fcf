package seshat_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/seshatdb/seshat"
)

// Update calls a function on the newest version of a session, and calls it
// again if another writer was faster. With IfVersion, an update built on a
// stale version fails with a ConflictError instead. Appends never conflict, and
// never make an update conflict.
func Example_conflict() {
	ctx := context.Background()
	store, err := seshat.OpenMemory(seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	acme, err := store.EnsureTenant(ctx, seshat.Namespace{Name: "acme"})
	if err != nil {
		log.Fatal(err)
	}
	seen, err := acme.Create(ctx, seshat.NewSession{ID: "chat"})
	if err != nil {
		log.Fatal(err)
	}
	rename := func(name string) func(*seshat.Session) error {
		return func(s *seshat.Session) error { s.Name = name; return nil }
	}

	if _, err := acme.Append(ctx, "chat", seshat.Message{Role: seshat.RoleUser, Content: "Hi"}); err != nil {
		log.Fatal(err)
	}
	s, err := acme.Update(ctx, "chat", rename("first"), seshat.UpdateOptions{IfVersion: seen.Version})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Name, s.Version)

	_, err = acme.Update(ctx, "chat", rename("second"), seshat.UpdateOptions{IfVersion: seen.Version})
	var conflict *seshat.ConflictError
	if errors.As(err, &conflict) {
		fmt.Println("have", conflict.Have, "stored", conflict.Stored)
	}
	s, err = acme.Update(ctx, "chat", rename("third"), seshat.UpdateOptions{})
	fmt.Println(s.Name, s.Version, err)
	// Output:
	// first 2
	// have 1 stored 2
	// third 3 <nil>
}
