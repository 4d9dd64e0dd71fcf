package seshat_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seshatdb/seshat"
)

// Profile is what this program knows about a user.
type Profile struct {
	Seat  string   `msgpack:"seat"`
	Likes []string `msgpack:"likes"`
}

// A store in memory behaves like a store in a file, so unit tests can use it.
// The program stores its knowledge about a user as a Document, and DocumentAs
// reads it into the program's own type. Package seshattest has more for tests.
func Example_memory() {
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

	s, err := acme.Create(ctx, seshat.NewSession{UserID: "mia", UserMemory: map[string]any{"seat": "aisle"}})
	if err != nil {
		log.Fatal(err)
	}
	s, err = acme.Update(ctx, s.ID, func(s *seshat.Session) error {
		memory := s.UserMemory.Map()
		memory["likes"] = []string{"trains"}
		s.UserMemory = seshat.NewDocument(memory)
		return nil
	}, seshat.UpdateOptions{})
	if err != nil {
		log.Fatal(err)
	}
	p, err := seshat.DocumentAs[Profile](s.UserMemory)
	fmt.Println(p.Seat, p.Likes, err)
	// Output: aisle [trains] <nil>
}
