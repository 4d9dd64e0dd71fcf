package seshat_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/seshatdb/seshat"
)

// A tenant's handle reaches only the tenant's own sessions. A session of
// another tenant looks exactly like one that does not exist.
func Example_tenants() {
	ctx := context.Background()
	store, err := seshat.OpenMemory(seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	acme, err := store.CreateTenant(ctx, seshat.Namespace{
		Name: "acme", Quotas: seshat.NamespaceQuotas{MaxSessions: 1},
	})
	if err != nil {
		log.Fatal(err)
	}
	globex, err := store.CreateTenant(ctx, seshat.Namespace{Name: "globex"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := acme.Create(ctx, seshat.NewSession{ID: "ticket 1"}); err != nil {
		log.Fatal(err)
	}

	_, foreign := globex.Get(ctx, "ticket 1")
	_, absent := globex.Get(ctx, "ticket 2")
	fmt.Println(errors.Is(foreign, seshat.ErrNotFound), errors.Is(absent, seshat.ErrNotFound))

	// Every namespace may use the same id, and each has its own quotas.
	_, err = globex.Create(ctx, seshat.NewSession{ID: "ticket 1"})
	fmt.Println(err)
	_, err = acme.Create(ctx, seshat.NewSession{ID: "ticket 2"})
	fmt.Println(err)

	for n, err := range store.Namespaces(ctx, seshat.DefaultOrganization) {
		fmt.Println(n.Name, err)
	}
	// Output:
	// true true
	// <nil>
	// seshat: Create "acme"/"ticket 2": quota exceeded: namespace.max_sessions is 1, in use 1
	// acme <nil>
	// globex <nil>
}
