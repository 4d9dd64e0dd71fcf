package seshattest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// chat is a user's own code that keeps its conversations in a store.
func chat(t *testing.T, tenant *seshat.Tenant) *seshat.Session {
	s, err := tenant.Create(t.Context(), seshat.NewSession{UserID: "mia", Lifecycle: seshat.Lifecycle{TTL: time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A test of code that keeps sessions opens a store in memory, and moves its
// clock in place of waiting. The store is checked and closed when the test
// ends.
func ExampleOpen() {
	_ = func(t *testing.T) {
		store := seshattest.Open(t)
		acme, err := store.EnsureTenant(t.Context(), seshat.Namespace{Name: "acme"})
		if err != nil {
			t.Fatal(err)
		}
		s := chat(t, acme)

		store.Clock.Advance(time.Hour)
		if _, err := acme.Get(t.Context(), s.ID); !errors.Is(err, seshat.ErrNotFound) {
			t.Errorf("after an hour: got error %v, want %v", err, seshat.ErrNotFound)
		}
	}
}
