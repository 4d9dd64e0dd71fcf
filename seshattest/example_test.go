package seshattest_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// answer is an example of code under test. It appends a question and its answer
// as one turn, and repeats the turn if the outcome is unknown.
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

// Open opens a store in memory for one test. The test moves the store's clock
// instead of waiting. When the test ends, the store is checked and closed.
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

// Reopen tests that data survives a restart: it closes the store's file and
// opens it again. The test must get its tenants anew.
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

// A lost write happens, but its answer is lost. Here, the code under test
// repeats the write, and the store keeps the turn once.
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

// To fail each read of some code in turn, a test plans a fault for read 1, 2, 3
// and so on, until the code makes no such read.
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
				break // the code makes fewer than n reads
			}
			if !errors.Is(err, syscall.EIO) {
				t.Errorf("read %d failed: got error %v, want %v", n, err, syscall.EIO)
			}
		}
	}
}

// AssertLog prints a log that differs from the wanted one line by line.
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
