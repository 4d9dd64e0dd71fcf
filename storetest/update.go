package storetest

import (
	"errors"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var updates = []promise{
	{name: "the editable part changes", test: editable},
	{name: "the rest cannot be edited", test: notEditable},
	{name: "only the version that was named is changed", test: ifVersion},
	{name: "a conflict carries both versions", test: conflictVersions},
	{name: "an update runs again on what another wrote", test: retried},
	{name: "a session made anew is another one", test: otherIncarnation},
	{name: "appends and touches make no conflict", test: noConflict},
	{name: "the caller's error comes back", test: callersError},
	{name: "a lifecycle may be edited field by field", test: editLifecycle},
	{name: "an update that is never first gives up", test: alwaysLate},
}

func editable(e *env) {
	t := e.tenant("t")
	before := e.create(t, seshat.NewSession{ID: "s", Labels: map[string]string{"old": "1"}})
	e.clock.Advance(minute)
	got := e.update(t, "s", func(s *seshat.Session) {
		s.Name = "Flights"
		s.UserMemory = seshat.NewDocument(map[string]any{"seat": "aisle"})
		s.Metadata = seshat.NewDocument(map[string]any{"n": 1})
		s.Labels = map[string]string{"new": "2"}
	})
	e.same("what update returned", got, e.get(t, "s"))
	equal(e, "name", got.Name, "Flights")
	equal(e, "memory", got.UserMemory.Map()["seat"], any("aisle"))
	equal(e, "metadata", got.Metadata.Map()["n"], any(int64(1)))
	equal(e, "labels", len(got.Labels) == 1 && got.Labels["new"] == "2", true)
	equal(e, "version", got.Version, before.Version+1)
	equal(e, "updated", got.UpdatedAt, seshattest.Start.Add(minute))
	equal(e, "activity", got.LastActivityAt, before.LastActivityAt)
	equal(e, "found by the old label", e.count(t, seshat.Query{Labels: map[string]string{"old": "1"}}), 0)
	equal(e, "found by the new label", e.count(t, seshat.Query{Labels: map[string]string{"new": "2"}}), 1)
}

func notEditable(e *env) {
	t := e.tenant("t")
	before := e.create(t, fullSession())
	for field, edit := range map[string]func(*seshat.Session){
		"session_id":      func(s *seshat.Session) { s.ID = "x" },
		"namespace_id":    func(s *seshat.Session) { s.NamespaceID = "x" },
		"internal_id":     func(s *seshat.Session) { s.OrganizationID = "x" },
		"user_id":         func(s *seshat.Session) { s.UserID = "x" },
		"agent_config":    func(s *seshat.Session) { s.Agent.AvailableTools[0] = "x" },
		"quotas":          func(s *seshat.Session) { s.Quotas.MaxMessages = 99 },
		"status":          func(s *seshat.Session) { s.Status = seshat.StatusIdle },
		"stats":           func(s *seshat.Session) { s.Stats.TotalTokens = 1 },
		"version":         func(s *seshat.Session) { s.Version = 9 },
		"parent":          func(s *seshat.Session) { s.Parent.Seq = 1 },
		"memory_disabled": func(s *seshat.Session) { s.MemoryDisabled = true },
		"expires_at":      func(s *seshat.Session) { s.ExpiresAt = s.ExpiresAt.Add(1) },
		"created_at":      func(s *seshat.Session) { s.CreatedAt = s.CreatedAt.Add(1) },
		"updated_at":      func(s *seshat.Session) { s.UpdatedAt = time.Time{} },

		"last_activity_at": func(s *seshat.Session) { s.LastActivityAt = time.Time{} },
		"terminated_at":    func(s *seshat.Session) { s.TerminatedAt = s.CreatedAt },
	} {
		_, err := t.Update(e.ctx, "s", func(s *seshat.Session) error {
			s.Name = "edited"
			edit(s)
			return nil
		}, seshat.UpdateOptions{})
		e.isInvalid(err, field)
		e.same("after a refused edit of "+field, e.get(t, "s"), before)
	}
}

func ifVersion(e *env) {
	t := e.tenant("t")
	v := e.create(t, seshat.NewSession{ID: "s"}).Version
	equal(e, "first version", v, 1)
	s, err := t.Update(e.ctx, "s", rename("one"), seshat.UpdateOptions{IfVersion: v})
	e.must(err)
	_, err = t.Update(e.ctx, "s", rename("two"), seshat.UpdateOptions{IfVersion: v})
	e.isError(err, seshat.ErrConflict)
	_, err = t.Transition(e.ctx, "s", seshat.StatusIdle, seshat.TransitionOptions{IfVersion: v})
	e.isError(err, seshat.ErrConflict)
	got := e.get(t, "s")
	equal(e, "name", got.Name, "one")
	equal(e, "status", got.Status, seshat.StatusActive)
	s, err = t.Transition(e.ctx, "s", seshat.StatusIdle, seshat.TransitionOptions{IfVersion: s.Version})
	e.must(err)
	equal(e, "version", s.Version, v+2)
	_, err = t.Update(e.ctx, "s", rename("any version"), seshat.UpdateOptions{})
	e.must(err)
	s, err = t.Transition(e.ctx, "s", seshat.StatusActive, seshat.TransitionOptions{})
	e.must(err)
	equal(e, "version without a condition", s.Version, v+4)
}

func conflictVersions(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.update(t, "s", func(s *seshat.Session) { s.Name = "x" })
	for name, call := range map[string]func() error{
		"Update": func() error { return second(t.Update(e.ctx, "s", rename("y"), seshat.UpdateOptions{IfVersion: 1})) },
		"Transition": func() error {
			return second(t.Transition(e.ctx, "s", seshat.StatusIdle, seshat.TransitionOptions{IfVersion: 1}))
		},
		"a change in between": func() error {
			return second(t.Update(e.ctx, "s", func(*seshat.Session) error {
				e.update(t, "s", func(s *seshat.Session) { s.Name = "between" })
				return nil
			}, seshat.UpdateOptions{IfVersion: 2}))
		},
	} {
		stored := e.get(t, "s").Version
		var c *seshat.ConflictError
		if err := call(); !errors.As(err, &c) {
			e.Fatalf("%s: got error %v, want a ConflictError", name, err)
		}
		if c.Have >= c.Stored || c.Stored < stored {
			e.Fatalf("%s: got versions %d and %d, stored was %d", name, c.Have, c.Stored, stored)
		}
		e.recreate(t, "s")
	}
}

// recreate recreates a session, which then has version 2.
func (e *env) recreate(t *seshat.Tenant, id string) {
	e.Helper()
	_, err := t.Delete(e.ctx, id)
	e.must(err)
	e.create(t, seshat.NewSession{ID: id})
	e.update(t, id, func(s *seshat.Session) { s.Name = "x" })
}

func retried(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	runs := 0
	s, err := t.Update(e.ctx, "s", func(s *seshat.Session) error {
		if runs++; runs <= 3 {
			e.update(t, "s", func(s *seshat.Session) { s.Name += "x" })
		}
		s.Name += "!"
		return nil
	}, seshat.UpdateOptions{})
	e.must(err)
	equal(e, "runs", runs, 4)
	equal(e, "name", s.Name, "xxx!")
}

// otherIncarnation: a session that was deleted and created again at the same
// version is not the session that was read.
func otherIncarnation(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Name: "old"})
	_, err := t.Update(e.ctx, "s", func(s *seshat.Session) error {
		e.must(second(t.Delete(e.ctx, "s")))
		e.create(t, seshat.NewSession{ID: "s", Name: "new"})
		s.Name = "edited old"
		return nil
	}, seshat.UpdateOptions{IfVersion: 1})
	e.isError(err, seshat.ErrNotFound)
	equal(e, "name", e.get(t, "s").Name, "new")
}

func noConflict(e *env) {
	t := e.tenant("t")
	v := e.create(t, seshat.NewSession{ID: "s"}).Version
	s, err := t.Update(e.ctx, "s", func(s *seshat.Session) error {
		_, err := t.Append(e.ctx, "s", seshat.Message{Role: seshat.RoleUser, Content: "hello"})
		e.must(err)
		_, err = t.Touch(e.ctx, "s")
		e.must(err)
		s.Metadata = seshat.NewDocument(map[string]any{"k": 1})
		return nil
	}, seshat.UpdateOptions{IfVersion: v})
	e.must(err)
	equal(e, "version", s.Version, v+1)
	equal(e, "messages", s.MessageCount, 1)
	equal(e, "the name that the message gave", e.get(t, "s").Name, "hello")
}

func callersError(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	mine := errors.New("mine")
	_, err := t.Update(e.ctx, "s", func(s *seshat.Session) error {
		s.Name = "edited"
		return mine
	}, seshat.UpdateOptions{})
	e.isError(err, mine)
	var wrapped *seshat.Error
	if !errors.As(err, &wrapped) || wrapped.Op != "Update" || wrapped.ID != "s" {
		e.Fatalf("got error %#v", err)
	}
	equal(e, "name", e.get(t, "s").Name, "")
}

func editLifecycle(e *env) {
	t, err := e.CreateTenant(e.ctx, seshat.Namespace{Name: "t", Lifecycle: seshat.Lifecycle{TTL: 10 * hour}})
	e.must(err)
	e.create(t, seshat.NewSession{ID: "s"})
	e.clock.Advance(hour)
	now := seshattest.Start.Add(hour)
	s := e.update(t, "s", func(s *seshat.Session) { s.Lifecycle.MaxLifetime = 5 * hour })
	equal(e, "end, capped", s.ExpiresAt, seshattest.Start.Add(5*hour))
	s = e.update(t, "s", func(s *seshat.Session) {
		s.Lifecycle.TTL = 2 * hour
		s.Lifecycle.MaxLifetime = seshat.Never
	})
	equal(e, "end, shortened", s.ExpiresAt, now.Add(2*hour))
	s = e.update(t, "s", func(s *seshat.Session) { s.Lifecycle.TTL = 0 })
	equal(e, "TTL, inherited again", s.Lifecycle.TTL, 10*hour)
	equal(e, "end, inherited again", s.ExpiresAt, now.Add(10*hour))
	s = e.update(t, "s", func(s *seshat.Session) { s.Lifecycle.TTL = seshat.Never })
	equal(e, "end, never", s.ExpiresAt.IsZero(), true)
	s = e.update(t, "s", func(s *seshat.Session) {
		s.Lifecycle = seshat.Lifecycle{
			TTL: 30 * hour, Expiry: seshat.ExpiryAbsolute, IdleAfter: hour, ArchiveAfter: hour, Retention: hour,
		}
	})
	equal(e, "end, absolute", s.ExpiresAt, seshattest.Start.Add(30*hour))
	_, err = t.Update(e.ctx, "s", func(s *seshat.Session) error {
		s.Lifecycle.IdleAfter = -2
		return nil
	}, seshat.UpdateOptions{})
	e.isInvalid(err, "lifecycle.idle_after")
}

// alwaysLate: an update fails with a conflict if it loses every try.
func alwaysLate(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	runs := 0
	_, err := t.Update(e.ctx, "s", func(s *seshat.Session) error {
		runs++
		e.update(t, "s", func(s *seshat.Session) { s.Name = "winner" })
		s.Name = "loser"
		return nil
	}, seshat.UpdateOptions{})
	e.isError(err, seshat.ErrConflict)
	equal(e, "runs", runs, 32)
	equal(e, "name", e.get(t, "s").Name, "winner")
}
