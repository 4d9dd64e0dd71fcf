package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var lifecycle = []promise{
	{name: "every move is as in the table", test: transitions},
	{name: "to the same status is a no-op", test: sameStatus},
	{name: "a move keeps its time, reason and actor", test: moves},
	{name: "archived and terminated are read-only", test: readOnlyStatuses},
	{name: "a message wakes an idle session", test: waking},
	{name: "a terminated session ends its retention later", test: termination},
	{name: "a restored session is in use", test: restored},
	{name: "an overdue move is applied by the next write", test: overdueMove},
	{name: "an overdue archiving refuses the next write", test: overdueArchive},
	{name: "readers see the stored status", test: readersSeeStored},
}

var allStatuses = []seshat.Status{
	seshat.StatusActive, seshat.StatusIdle, seshat.StatusArchived,
	seshat.StatusTerminated,
}

// allowed is the table of transitions, written independently.
var allowed = map[seshat.Status][]seshat.Status{
	seshat.StatusActive:   {seshat.StatusIdle, seshat.StatusArchived, seshat.StatusTerminated},
	seshat.StatusIdle:     {seshat.StatusActive, seshat.StatusArchived, seshat.StatusTerminated},
	seshat.StatusArchived: {seshat.StatusActive, seshat.StatusTerminated},
}

// createIn creates a session with a status.
func (e *env) createIn(t *seshat.Tenant, status seshat.Status, n seshat.NewSession) *seshat.Session {
	e.Helper()
	s := e.create(t, n)
	if status != seshat.StatusActive {
		s = e.move(t, s.ID, status)
	}
	return s
}

func transitions(e *env) {
	t := e.tenant("t")
	for _, from := range allStatuses {
		for _, to := range allStatuses {
			id := fmt.Sprintf("%v to %v", from, to)
			before := e.createIn(t, from, seshat.NewSession{ID: id})
			s, err := t.Transition(e.ctx, id, to, seshat.TransitionOptions{})
			if from == to || slices.Contains(allowed[from], to) {
				e.must(err)
				equal(e, "status after "+id, s.Status, to)
				equal(e, "stored status after "+id, e.get(t, id).Status, to)
				continue
			}
			var illegal *seshat.TransitionError
			if !errors.Is(err, seshat.ErrTransition) || !errors.As(err, &illegal) {
				e.Fatalf("%s: got error %v, want a TransitionError", id, err)
			}
			if illegal.From != from || illegal.To != to || !slices.Equal(illegal.Allowed, allowed[from]) {
				e.Fatalf("%s: got %+v", id, illegal)
			}
			equal(e, "status after a refused "+id, e.get(t, id).Status, from)
			equal(e, "version after a refused "+id, e.get(t, id).Version, before.Version)
		}
	}
	for _, unknown := range []seshat.Status{0, 5, 255} {
		_, err := t.Transition(e.ctx, "active to idle", unknown, seshat.TransitionOptions{})
		e.isInvalid(err, "status")
	}
}

func sameStatus(e *env) {
	t := e.tenant("t")
	for _, status := range allStatuses {
		before := e.createIn(t, status, seshat.NewSession{ID: status.String()})
		e.clock.Advance(minute)
		s, err := t.Transition(e.ctx, before.ID, status, seshat.TransitionOptions{Reason: "again", Actor: "mia"})
		e.must(err)
		for _, got := range []*seshat.Session{s, e.get(t, before.ID)} {
			equal(e, "version", got.Version, before.Version)
			equal(e, "last move", got.LastTransition, before.LastTransition)
			equal(e, "updated", got.UpdatedAt, before.UpdatedAt)
			equal(e, "end", got.ExpiresAt, before.ExpiresAt)
		}
	}
}

func moves(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	at := e.clock.Advance(minute)
	s, err := t.Transition(e.ctx, "s", seshat.StatusArchived, seshat.TransitionOptions{Reason: "done", Actor: "mia"})
	e.must(err)
	equal(e, "last move", s.LastTransition, seshat.Transition{At: at, Reason: "done", Actor: "mia"})
	equal(e, "updated", s.UpdatedAt, at)
	for field, why := range map[string]seshat.TransitionOptions{
		"reason": {Reason: strings.Repeat("x", 1025)},
		"actor":  {Actor: "a\nb"},
	} {
		_, err := t.Transition(e.ctx, "s", seshat.StatusActive, why)
		e.isInvalid(err, field)
	}
	_, err = t.Transition(e.ctx, "s", seshat.StatusActive, seshat.TransitionOptions{Reason: "a\x00b"})
	e.isInvalid(err, "reason")
	equal(e, "last move", e.get(t, "s").LastTransition, s.LastTransition)
	_, err = t.Transition(e.ctx, "s", seshat.StatusActive, seshat.TransitionOptions{Reason: strings.Repeat("x", 1024)})
	e.must(err)
}

func readOnlyStatuses(e *env) {
	t := e.tenant("t")
	for _, status := range []seshat.Status{seshat.StatusArchived, seshat.StatusTerminated} {
		id := status.String()
		before := e.createIn(t, status, seshat.NewSession{ID: id})
		e.clock.Advance(minute)
		for name, err := range map[string]error{
			"Touch":  second(t.Touch(e.ctx, id)),
			"Update": second(t.Update(e.ctx, id, rename("x"), seshat.UpdateOptions{})),
			"Append": second(t.Append(e.ctx, id, seshat.Message{Role: seshat.RoleUser, Content: "?"})),
		} {
			if !errors.Is(err, seshat.ErrReadOnly) {
				e.Fatalf("%s of a session that is %v: got error %v", name, status, err)
			}
		}
		s := e.get(t, id)
		equal(e, "version", s.Version, before.Version)
		equal(e, "end", s.ExpiresAt, before.ExpiresAt)
	}
}

func waking(e *env) {
	t := e.tenant("t")
	v := e.createIn(t, seshat.StatusIdle, seshat.NewSession{ID: "s"}).Version
	at := e.clock.Advance(hour)
	s, err := t.Append(e.ctx, "s", seshat.Message{Role: seshat.RoleUser, Content: "hello"})
	e.must(err)
	equal(e, "status", s.Status, seshat.StatusActive)
	equal(e, "activity", s.LastActivityAt, at)
	equal(e, "last move", s.LastTransition.At, at)
	equal(e, "counted as active", e.count(t, seshat.Query{Statuses: []seshat.Status{seshat.StatusActive}}), 1)
	if s.Version < v {
		e.Fatalf("version went from %d back to %d", v, s.Version)
	}
	e.move(t, "s", seshat.StatusIdle)
	s, err = t.Touch(e.ctx, "s")
	e.must(err)
	equal(e, "status after a touch", s.Status, seshat.StatusIdle)
}

func termination(e *env) {
	t := e.tenant("t")
	l := seshat.Lifecycle{TTL: hour, Retention: 3 * hour}
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: l})
	at := e.clock.Advance(minute)
	s := e.move(t, "s", seshat.StatusTerminated)
	equal(e, "termination", s.TerminatedAt, at)
	equal(e, "end", s.ExpiresAt, at.Add(3*hour))
	e.clock.Advance(3*hour - ms)
	e.get(t, "s")
	e.clock.Advance(ms)
	e.isGone(t, "s")
	l.Retention = seshat.Never
	s = e.createIn(t, seshat.StatusTerminated, seshat.NewSession{ID: "kept", Lifecycle: l})
	equal(e, "end of one that is kept", s.ExpiresAt, time.Time{})
	l.MaxLifetime = 2 * hour
	s = e.createIn(t, seshat.StatusTerminated, seshat.NewSession{ID: "capped", Lifecycle: l})
	equal(e, "end of one with a cap", s.ExpiresAt, s.CreatedAt.Add(2*hour))
}

func restored(e *env) {
	t := e.tenant("t")
	l := seshat.Lifecycle{TTL: hour, IdleAfter: 10 * minute}
	e.createIn(t, seshat.StatusArchived, seshat.NewSession{ID: "s", Lifecycle: l})
	at := e.clock.Advance(30 * minute)
	s := e.move(t, "s", seshat.StatusActive)
	equal(e, "activity", s.LastActivityAt, at)
	equal(e, "end", s.ExpiresAt, at.Add(hour))
	e.clock.Advance(10*minute - ms)
	equal(e, "sessions idled before their time", e.sweep().Idled, 0)
	e.clock.Advance(ms)
	equal(e, "sessions idled in time", e.sweep().Idled, 1)
}

func overdueMove(e *env) {
	t := e.tenant("t")
	l := seshat.Lifecycle{IdleAfter: 10 * minute, ArchiveAfter: hour}
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: l})
	e.clock.Advance(10 * minute)
	s := e.update(t, "s", func(s *seshat.Session) { s.Name = "x" })
	equal(e, "status", s.Status, seshat.StatusIdle)
	equal(e, "moved at", s.LastTransition.At, seshattest.Start.Add(10*minute))
	equal(e, "moved by", s.LastTransition.Actor, "seshat")
	equal(e, "version", s.Version, 3) // the move and the update
	// A Transition to the status that time has already set is a no-op.
	e.create(t, seshat.NewSession{ID: "by hand", Lifecycle: l})
	e.clock.Advance(15 * minute)
	s = e.move(t, "by hand", seshat.StatusIdle)
	equal(e, "moved at", s.LastTransition.At, seshattest.Start.Add(20*minute))
	equal(e, "moved by", s.LastTransition.Actor, "seshat")
	equal(e, "left for the sweep", e.sweep().Idled, 0)
}

func overdueArchive(e *env) {
	t := e.tenant("t")
	l := seshat.Lifecycle{IdleAfter: 10 * minute, ArchiveAfter: hour}
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: l})
	e.clock.Advance(10*minute + hour)
	_, err := t.Update(e.ctx, "s", rename("x"), seshat.UpdateOptions{})
	e.isError(err, seshat.ErrReadOnly)
	_, err = t.Touch(e.ctx, "s")
	e.isError(err, seshat.ErrReadOnly)
	_, err = t.Transition(e.ctx, "s", seshat.StatusIdle, seshat.TransitionOptions{})
	e.isError(err, seshat.ErrTransition)
	equal(e, "archived by the sweep", e.sweep().Archived, 1)
	s := e.get(t, "s")
	equal(e, "status", s.Status, seshat.StatusArchived)
	equal(e, "moved at", s.LastTransition.At, seshattest.Start.Add(70*minute))
}

func readersSeeStored(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{IdleAfter: minute}})
	e.clock.Advance(hour)
	equal(e, "status", e.get(t, "s").Status, seshat.StatusActive)
	equal(e, "listed as active", len(e.ids(t, seshat.Query{Statuses: []seshat.Status{seshat.StatusActive}})), 1)
	equal(e, "counted as active", e.count(t, seshat.Query{Statuses: []seshat.Status{seshat.StatusActive}}), 1)
	equal(e, "idled", e.sweep().Idled, 1)
	equal(e, "counted as idle", e.count(t, seshat.Query{Statuses: []seshat.Status{seshat.StatusIdle}}), 1)
}
