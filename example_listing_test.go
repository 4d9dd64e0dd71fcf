package seshat_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seshatdb/seshat"
)

// List reads sessions page by page, with a cursor between pages. Sessions reads
// them all in a loop. A list by user, in either order, reads only the sessions
// that it returns.
func Example_listing() {
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
	for i, user := range []string{"mia", "noah", "mia", "mia"} {
		n := seshat.NewSession{
			ID: fmt.Sprint("s", i), UserID: user, Labels: map[string]string{"even": fmt.Sprint(i%2 == 0)},
		}
		if _, err := acme.Create(ctx, n); err != nil {
			log.Fatal(err)
		}
	}

	q := seshat.Query{UserID: "mia", OldestFirst: true, Limit: 2}
	for {
		page, err := acme.List(ctx, q)
		if err != nil {
			log.Fatal(err)
		}
		for _, s := range page.Sessions {
			fmt.Print(s.ID, " ")
		}
		fmt.Println("end of page")
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			break
		}
	}

	for s, err := range acme.Sessions(ctx, seshat.Query{Labels: map[string]string{"even": "true"}, OldestFirst: true}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(s.ID, " ")
	}
	n, err := acme.Count(ctx, seshat.Query{Statuses: []seshat.Status{seshat.StatusActive}})
	fmt.Println(n, "are active", err)
	// Output:
	// s0 s2 end of page
	// s3 end of page
	// s0 s2 4 are active <nil>
}
