package seshat_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/storetest"
)

// Each test below proves one of ten promises. A reader can check it against the
// package's documentation. The tests run in memory and in a file, unless they
// concern the file. After them come the suites, which prove these promises and
// many more.

// 1. An acknowledged write is there when the file is reopened.
func TestAcknowledgedWritesSurviveAReopen(t *testing.T) {
	s := seshattest.OpenFile(t)
	acme := s.MustTenant(t, "acme")
	topic := map[string]any{"topic": "parcel"}
	seshattest.MustCreate(t, acme, seshat.NewSession{ID: "s", UserID: "mia", Metadata: topic})
	seshattest.MustAppend(t, acme, "s", seshattest.Conversation("Where is it?", "On its way.")...)
	must(t, acme.MergeState(t.Context(), seshat.UserScope("mia"), map[string]any{"seat": "aisle"}))

	s.Reopen(t)

	acme = s.MustTenant(t, "acme")
	got := seshattest.MustGet(t, acme, "s")
	if got.UserID != "mia" || got.MessageCount != 2 || got.Metadata.Map()["topic"] != "parcel" {
		t.Errorf("got session %+v", got)
	}
	seshattest.AssertLog(t, acme, "s", `
		1 user "Where is it?"
		2 assistant "On its way."
	`)
	state, err := acme.State(t.Context(), seshat.UserScope("mia"))
	if err != nil || state["seat"] != "aisle" {
		t.Errorf("got state %v, error %v", state, err)
	}
}

// 2. One tenant sees nothing of another tenant, not even that an id is taken.
func TestTenantsCannotSeeEachOther(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store) {
		acme := s.MustTenant(t, "acme")
		other := s.MustTenant(t, "acme2")
		seshattest.MustCreate(t, acme, seshat.NewSession{ID: "s", UserID: "mia"})
		for name, call := range map[string]func() error{
			"get":    func() error { return only(other.Get(t.Context(), "s")) },
			"append": func() error { return only(other.Append(t.Context(), "s", hello)) },
			"delete": func() error { return only(other.Delete(t.Context(), "s")) },
			"state":  func() error { return only(other.State(t.Context(), seshat.SessionScope("s"))) },
		} {
			if err := call(); !errors.Is(err, seshat.ErrNotFound) {
				t.Errorf("%s: got error %v, want %v", name, err, seshat.ErrNotFound)
			}
		}
		if n, err := other.Count(t.Context(), seshat.Query{}); err != nil || n != 0 {
			t.Errorf("the other tenant counts %d sessions, error %v", n, err)
		}
		seshattest.MustCreate(t, other, seshat.NewSession{ID: "s", UserID: "mia"})
		if _, err := other.DeleteUser(t.Context(), "mia"); err != nil {
			t.Error(err)
		}
		seshattest.MustGet(t, acme, "s")
	})
}

// 3. An id has at most one live session. When that is gone, the id is free and
// starts empty.
func TestAnIDLivesOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store) {
		acme := s.MustTenant(t, "acme")
		seshattest.MustCreate(t, acme, seshat.NewSession{ID: "s"})
		seshattest.MustAppend(t, acme, "s", seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "first life"})
		if _, err := acme.Create(t.Context(), seshat.NewSession{ID: "s"}); !errors.Is(err, seshat.ErrExists) {
			t.Errorf("a second one: got error %v, want %v", err, seshat.ErrExists)
		}
		must(t, only(acme.Delete(t.Context(), "s")))
		next := seshattest.MustCreate(t, acme, seshat.NewSession{ID: "s"})
		if next.Version != 1 || next.LastSeq != 0 {
			t.Errorf("its next life begins with %+v", next)
		}
		seshattest.AssertLog(t, acme, "s", "")
		seshattest.MustAppend(t, acme, "s", seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "second life"})
		seshattest.AssertLog(t, acme, "s", `1 user id=m "second life"`)
	})
}

// 4. Messages keep the order in which they were appended. A message that is
// repeated with its id is appended once.
func TestMessagesKeepOrderAndAreAppendedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store) {
		acme := s.MustTenant(t, "acme")
		seshattest.MustCreate(t, acme, seshat.NewSession{ID: "s"})
		late := seshattest.Start.Add(time.Hour) // a caller's timestamp does not affect the order
		for i, id := range []string{"c", "a", "b"} {
			m := seshat.Message{ID: id, Role: seshat.RoleUser, Timestamp: late.Add(-time.Duration(i) * time.Minute)}
			seshattest.MustAppend(t, acme, "s", m)
			seshattest.MustAppend(t, acme, "s", m)
		}
		seshattest.AssertLog(t, acme, "s", `
			1 user id=c ""
			2 user id=a ""
			3 user id=b ""
		`)
		other := seshat.Message{ID: "a", Role: seshat.RoleUser, Content: "other content"}
		if _, err := acme.Append(t.Context(), "s", other); !errors.Is(err, seshat.ErrConflict) {
			t.Errorf("other content under a used id: got error %v, want %v", err, seshat.ErrConflict)
		}
		must(t, only(acme.Truncate(t.Context(), "s", 1)))
		if got := seshattest.MustAppend(t, acme, "s", hello); got.LastSeq != 4 {
			t.Errorf("after a truncation the next number is %d, want 4", got.LastSeq)
		}
	})
}

// 5. A status changes only as the table allows, and determines which writes are
// allowed.
func TestStatusesMoveByTheTable(t *testing.T) {
	const active, idle, archived, terminated = seshat.StatusActive, seshat.StatusIdle,
		seshat.StatusArchived, seshat.StatusTerminated
	table := []struct {
		from     seshat.Status
		to       []seshat.Status
		writable bool
	}{
		{from: active, to: []seshat.Status{idle, archived, terminated}, writable: true},
		{from: idle, to: []seshat.Status{active, archived, terminated}, writable: true},
		{from: archived, to: []seshat.Status{active, terminated}},
		{from: terminated},
	}
	onBoth(t, func(t *testing.T, s *seshattest.Store) {
		acme := s.MustTenant(t, "acme")
		in := func(status seshat.Status) string {
			id := seshattest.MustCreate(t, acme, seshat.NewSession{}).ID
			must(t, only(acme.Transition(t.Context(), id, status, seshat.TransitionOptions{})))
			return id
		}
		for _, row := range table {
			for _, to := range []seshat.Status{active, idle, archived, terminated} {
				_, err := acme.Transition(t.Context(), in(row.from), to, seshat.TransitionOptions{})
				allowed := to == row.from || slices.Contains(row.to, to)
				if allowed && err != nil || !allowed && !errors.Is(err, seshat.ErrTransition) {
					t.Errorf("from %v to %v: got error %v, allowed: %v", row.from, to, err, allowed)
				}
			}
			_, err := acme.Append(t.Context(), in(row.from), hello)
			if row.writable && err != nil || !row.writable && !errors.Is(err, seshat.ErrReadOnly) {
				t.Errorf("append to %v: got error %v, writable: %v", row.from, err, row.writable)
			}
		}
	})
}

// 6. At its deadline a session disappears from every call and count. Nothing
// revives it.
func TestExpiredSessionsAreGoneAtTheInstant(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store) {
		acme := s.MustTenant(t, "acme")
		seshattest.MustCreate(t, acme, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: time.Hour}})
		s.Clock.Advance(time.Hour - time.Millisecond)
		seshattest.MustGet(t, acme, "s")
		s.Clock.Advance(time.Millisecond)
		for name, call := range map[string]func() error{
			"get":    func() error { return only(acme.Get(t.Context(), "s")) },
			"touch":  func() error { return only(acme.Touch(t.Context(), "s")) },
			"append": func() error { return only(acme.Append(t.Context(), "s", hello)) },
		} {
			if err := call(); !errors.Is(err, seshat.ErrNotFound) {
				t.Errorf("%s: got error %v, want %v", name, err, seshat.ErrNotFound)
			}
		}
		if n, err := acme.Count(t.Context(), seshat.Query{}); err != nil || n != 0 {
			t.Errorf("counted %d sessions before any sweep, error %v", n, err)
		}
		if r, err := s.Sweep(t.Context(), seshat.SweepOptions{}); err != nil || r.Expired != 1 {
			t.Errorf("swept %+v, error %v", r, err)
		}
	})
}

// 7. An update of an old version fails with a ConflictError, which carries both
// versions, and changes nothing.
func TestAConflictChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store) {
		acme := s.MustTenant(t, "acme")
		read := seshattest.MustCreate(t, acme, seshat.NewSession{ID: "s"})
		rename := func(name string) error {
			return only(acme.Update(t.Context(), "s", func(s *seshat.Session) error {
				s.Name = name
				return nil
			}, seshat.UpdateOptions{IfVersion: read.Version}))
		}
		must(t, rename("first"))
		before := seshattest.MustGet(t, acme, "s")
		var conflict *seshat.ConflictError
		if err := rename("second"); !errors.As(err, &conflict) || conflict.Have != 1 || conflict.Stored != 2 {
			t.Errorf("got error %v, want a conflict of 1 with 2", err)
		}
		after := seshattest.MustGet(t, acme, "s")
		if after.Name != "first" || after.Version != before.Version || !after.UpdatedAt.Equal(before.UpdatedAt) {
			t.Errorf("the conflict changed %+v to %+v", before, after)
		}
	})
}

// 8. Nothing remains of an erased user: no session, message or state.
func TestErasureLeavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store) {
		acme := s.MustTenant(t, "acme")
		seshattest.MustCreate(t, acme, seshat.NewSession{ID: "1", UserID: "mia"})
		seshattest.MustAppend(t, acme, "1", seshattest.Conversation("Hi", "Hello")...)
		seshattest.MustCreate(t, acme, seshat.NewSession{ID: "2", UserID: "tom"})
		must(t, acme.MergeState(t.Context(), seshat.UserScope("mia"), map[string]any{"k": "v"}))

		if r, err := acme.DeleteUser(t.Context(), "mia"); err != nil || r.Sessions != 1 || r.Messages != 2 {
			t.Errorf("erased %+v, error %v", r, err)
		}
		if _, err := acme.Get(t.Context(), "1"); !errors.Is(err, seshat.ErrNotFound) {
			t.Errorf("got error %v, want %v", err, seshat.ErrNotFound)
		}
		if state, err := acme.State(t.Context(), seshat.UserScope("mia")); err != nil || len(state) > 0 {
			t.Errorf("got state %v, error %v", state, err)
		}
		seshattest.MustCreate(t, acme, seshat.NewSession{ID: "1", UserID: "mia"})
		seshattest.AssertLog(t, acme, "1", "")
		seshattest.MustGet(t, acme, "2")
	})
}

// 9. The feed reports every change once and in order, from any position.
func TestTheFeedTellsEverythingOnceInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, s *seshattest.Store) {
		acme := s.MustTenant(t, "acme")
		seshattest.MustCreate(t, acme, seshat.NewSession{ID: "s"})
		seshattest.MustAppend(t, acme, "s", hello)
		must(t, only(acme.Transition(t.Context(), "s", seshat.StatusIdle, seshat.TransitionOptions{})))
		must(t, acme.MergeState(t.Context(), seshat.SessionScope("s"), map[string]any{"k": 1}))
		must(t, only(acme.Delete(t.Context(), "s")))
		want := []string{"1 created", "2 appended", "3 transitioned", "4 updated", "5 deleted"}
		for since := range len(want) + 1 {
			got := []string{}
			events, head, err := acme.Events(t.Context(), uint64(since), 10)
			must(t, err)
			for _, e := range events {
				got = append(got, fmt.Sprintf("%d %v", e.Position, e.Kind))
			}
			if !slices.Equal(got, want[since:]) || head != uint64(len(want)) {
				t.Errorf("after %d: got %q, head %d; want %q", since, got, head, want[since:])
			}
		}
	})
}

// 10. A backup shows the store at one moment, although writes continue.
func TestABackupIsOneMoment(t *testing.T) {
	s := seshattest.OpenFile(t)
	acme := s.MustTenant(t, "acme")
	seshattest.MustCreate(t, acme, seshat.NewSession{ID: "first"})
	seshattest.MustCreate(t, acme, seshat.NewSession{ID: "second"})
	began := make(chan struct{})
	ctx := t.Context()
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	go func() { // first, second, first, second, …
		for n := 0; ; n++ {
			for _, id := range []string{"first", "second"} {
				if _, err := acme.Append(ctx, id, hello); err != nil {
					done <- err
					return
				}
			}
			if n == 10 {
				close(began)
			}
		}
	}()
	<-began
	dir := t.TempDir()
	saved := filepath.Join(dir, "saved")
	restored := filepath.Join(dir, "restored")
	file, err := os.Create(saved)
	must(t, err)
	must(t, only(s.Backup(t.Context(), file)))
	must(t, file.Close())
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) && !errors.Is(err, seshat.ErrUnknown) {
		t.Fatal(err)
	}

	must(t, seshat.RestoreBackup(t.Context(), saved, restored))
	s.Path = restored
	s.Reopen(t)
	acme = s.MustTenant(t, "acme")
	first := seshattest.MustGet(t, acme, "first")
	second := seshattest.MustGet(t, acme, "second")
	if lead := int(first.MessageCount) - int(second.MessageCount); lead != 0 && lead != 1 || second.MessageCount < 11 {
		t.Errorf("first has %d messages, second %d: never so at one moment", first.MessageCount, second.MessageCount)
	}
}

// A store in memory keeps every promise of package storetest.
func TestStoreInMemory(t *testing.T) { storetest.Run(t, storetest.Harness{Open: openMemory}) }

// A store in a file keeps every promise of package storetest.
func TestStoreInFile(t *testing.T) {
	f := &files{}
	storetest.Run(t, storetest.Harness{Open: f.open, Reopen: f.reopen})
}
