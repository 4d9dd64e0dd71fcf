package seshattest_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// answer is a user's own code: it keeps a question and its answer as one turn,
// and repeats a turn of which it does not know whether it was kept.
func answer(t testing.TB, tenant *seshat.Tenant, id, question string) error {
	turn := seshat.Turn{Messages: seshattest.Conversation(question, "42")}
	turn.Messages[0].ID = "q-" + question
	turn.Messages[1].ID = "a-" + question
	_, err := tenant.AppendTurn(t.Context(), id, turn)
	if errors.Is(err, seshat.ErrUnknown) {
		_, err = tenant.AppendTurn(t.Context(), id, turn)
	}
	return err
}

// A test of code that keeps sessions opens a store in memory, and moves its
// clock in place of waiting. The store is checked and closed when the test
// ends.
func ExampleOpen() {
	_ = func(t *testing.T) {
		store := seshattest.Open(t)
		acme := store.MustTenant(t, "acme")
		s := seshattest.MustCreate(t, acme, seshat.NewSession{Lifecycle: seshat.Lifecycle{TTL: time.Hour}})

		store.Clock.Advance(time.Hour)
		if _, err := acme.Get(t.Context(), s.ID); !errors.Is(err, seshat.ErrNotFound) {
			t.Errorf("after an hour: got error %v, want %v", err, seshat.ErrNotFound)
		}
	}
}

// A test of what a restart must not lose opens the store's file again. Tenants
// are got again after it.
func ExampleStore_Reopen() {
	_ = func(t *testing.T) {
		store := seshattest.OpenFile(t)
		acme := store.MustTenant(t, "acme")
		s := seshattest.MustCreate(t, acme, seshat.NewSession{})
		if err := answer(t, acme, s.ID, "life?"); err != nil {
			t.Fatal(err)
		}

		store.Reopen(t)
		acme = store.MustTenant(t, "acme")
		seshattest.AssertLog(t, acme, s.ID, `
			1 user id=q-life? "life?"
			2 assistant id=a-life? "42"
		`)
	}
}

// A test of code that must survive a lost answer lets a write happen and its
// answer get lost: the code repeats it, and nothing is kept twice.
func ExampleStore_FailWrite() {
	_ = func(t *testing.T) {
		store := seshattest.Open(t)
		acme := store.MustTenant(t, "acme")
		seshattest.MustCreate(t, acme, seshat.NewSession{ID: "s"})

		store.FailWrite(t, seshattest.Fault{Lost: true})
		if err := answer(t, acme, "s", "life?"); err != nil {
			t.Fatal(err)
		}
		seshattest.AssertLog(t, acme, "s", `
			1 user id=q-life? "life?"
			2 assistant id=a-life? "42"
		`)
	}
}

// A test that lets each read of some code fail in turn plans one fault after
// the other, until there is no read left that could meet it.
func ExampleStore_FailRead() {
	load := func(t *testing.T, tenant *seshat.Tenant) error {
		_, err := tenant.Get(t.Context(), "s")
		return err
	}
	_ = func(t *testing.T) {
		store := seshattest.Open(t)
		acme := store.MustTenant(t, "acme")
		seshattest.MustCreate(t, acme, seshat.NewSession{ID: "s"})
		for n := 1; ; n++ {
			fault := store.FailRead(t, seshattest.Fault{Nth: n, Err: syscall.EIO})
			err := load(t, acme)
			if fault.Cancel() {
				break // there is no n-th read
			}
			if !errors.Is(err, syscall.EIO) {
				t.Errorf("read %d failed: got error %v, want %v", n, err, syscall.EIO)
			}
		}
	}
}

// AssertLog shows a log that is not as wanted line by line.
func ExampleAssertLog() {
	_ = func(t *testing.T) {
		acme := seshattest.Open(t).MustTenant(t, "acme")
		seshattest.MustCreate(t, acme, seshat.NewSession{ID: "s"})
		seshattest.MustAppend(t, acme, "s", seshattest.Conversation("Hi", "Hello!")...)
		seshattest.AssertLog(t, acme, "s", `
			1 user "Hi"
			2 assistant "Hello!"
		`)
	}
}
