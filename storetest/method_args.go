package storetest

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// The groups of refusals below are shared by several methods. The functions
// make the calls of the table.

func misusedNamespaces(call func(*Scene, context.Context, seshat.Namespace) error) refusals {
	return refuse(call, map[string]seshat.Namespace{
		"name":          {},
		"name (long)":   {Name: long},
		"name (id)":     {Name: "ns_01ARZ3NDEKTSV4RRFFQ69G5FAV"},
		"namespace_id":  {Name: "x", ID: "ns_01ARZ3NDEKTSV4RRFFQ69G5FAV"},
		"internal_id":   {Name: "x", OrganizationID: "\x00"},
		"lifecycle.ttl": {Name: "x", Lifecycle: negative},
	})
}

func misusedSessions(call func(*Scene, context.Context, seshat.NewSession) error) refusals {
	return refuse(call, map[string]seshat.NewSession{
		"session_id":               {ID: long},
		"user_id":                  {UserID: "\n"},
		"session_name":             {Name: strings.Repeat("x", seshat.MaxSessionNameBytes+1)},
		"agent_config.model":       {Agent: seshat.AgentConfig{Model: long}},
		"agent_config.temperature": {Agent: seshat.AgentConfig{Temperature: seshat.Ptr(3.0)}},
		"agent_config.max_tokens":  {Agent: seshat.AgentConfig{MaxTokens: seshat.Ptr(-1)}},
		"quotas.max_messages":      {Quotas: seshat.Quotas{MaxMessages: 1 << 63}},
		"user_memory.k":            {UserMemory: unstorable},
		"metadata.k":               {Metadata: unstorable},
		"labels":                   {Labels: map[string]string{"": "x"}},
		"labels.k":                 {Labels: map[string]string{"k": long}},
		"lifecycle.ttl":            {Lifecycle: negative},
	})
}

func misusedQueries(call func(*Scene, context.Context, seshat.Query) error) refusals {
	return refuse(call, map[string]seshat.Query{
		"user_id": {UserID: long},
		"status":  {Statuses: []seshat.Status{9}},
		"labels":  {Labels: map[string]string{"\x00": ""}},
		"order":   {Order: 9},
		"limit":   {Limit: -1},
	})
}

// misusedHistories returns the refusals that both readers of a log share, and
// the given ones.
func misusedHistories(
	call func(*Scene, context.Context, seshat.HistoryQuery) error,
	more map[string]seshat.HistoryQuery,
) refusals {
	all := map[string]seshat.HistoryQuery{
		"last":             {Last: -1},
		"last (many)":      {Last: seshat.MaxHistory + 1},
		"limit":            {Limit: -1},
		"limit (many)":     {Limit: seshat.MaxHistory + 1},
		"limit (and last)": {Limit: 1, Last: 1},
	}
	maps.Copy(all, more)
	return refuse(call, all)
}

func refuse[T any](call func(*Scene, context.Context, T) error, args map[string]T) refusals {
	all := refusals{}
	for field, arg := range args {
		all[field] = func(sc *Scene, ctx context.Context) error { return call(sc, ctx, arg) }
	}
	return all
}

func misusedUpdates() refusals {
	all := refuse(func(sc *Scene, ctx context.Context, edit func(*seshat.Session)) error {
		return second(sc.tenant.Update(ctx, "s", func(s *seshat.Session) error {
			edit(s)
			return nil
		}, seshat.UpdateOptions{}))
	}, map[string]func(*seshat.Session){
		"session_name":  func(s *seshat.Session) { s.Name = "\x00" },
		"labels":        func(s *seshat.Session) { s.Labels = map[string]string{"": ""} },
		"metadata.k":    func(s *seshat.Session) { s.Metadata = seshat.NewDocument(unstorable) },
		"user_memory.k": func(s *seshat.Session) { s.UserMemory = seshat.NewDocument(unstorable) },
		"lifecycle.ttl": func(s *seshat.Session) { s.Lifecycle = negative },
		"user_id":       func(s *seshat.Session) { s.UserID = "noa" },
		"status":        func(s *seshat.Session) { s.Status = seshat.StatusArchived },
	})
	all["fn"] = func(sc *Scene, ctx context.Context) error {
		return second(sc.tenant.Update(ctx, "s", nil, seshat.UpdateOptions{}))
	}
	return all
}

func misusedSnapshots() refusals {
	all := refuse(func(sc *Scene, ctx context.Context, edit func(*seshat.Session)) error {
		s := sc.snapshot()
		edit(s)
		return second(sc.tenant.Restore(ctx, seshat.Snapshot{Session: s}))
	}, map[string]func(*seshat.Session){
		"session_id": func(s *seshat.Session) { s.ID = "" },
		"user_id":    func(s *seshat.Session) { s.UserID = long },
		"status":     func(s *seshat.Session) { s.Status = 0 },
		"version":    func(s *seshat.Session) { s.Version = 0 },
		"created_at": func(s *seshat.Session) { s.CreatedAt = time.Time{} },
	})
	all["session"] = func(sc *Scene, ctx context.Context) error {
		return second(sc.tenant.Restore(ctx, seshat.Snapshot{}))
	}
	return all
}

// snapshot returns a session that can be restored.
func (sc *Scene) snapshot() *seshat.Session {
	s, err := sc.tenant.Get(context.Background(), "s")
	// The store is closed or the namespace is gone, so any session will do.
	if err != nil {
		return &seshat.Session{
			ID: "restored", Status: seshat.StatusActive, Version: 1, CreatedAt: seshattest.Start,
			UpdatedAt: seshattest.Start, LastActivityAt: seshattest.Start,
		}
	}
	s.ID = "restored"
	s.LastSeq = 0
	s.MessageCount = 0
	s.Stats = seshat.SessionStats{}
	return s
}

func createKey(sc *Scene, ctx context.Context, k seshat.APIKey) error {
	_, _, err := sc.store.CreateAPIKey(ctx, k)
	return err
}

func ensureSession(sc *Scene, ctx context.Context, n seshat.NewSession) error {
	_, _, err := sc.tenant.Ensure(ctx, n)
	return err
}

func events(sc *Scene, ctx context.Context, since uint64, limit int) error {
	_, _, err := sc.tenant.Events(ctx, since, limit)
	return err
}

// lease acquires the lease of "s" if id is "s", and returns its token.
func (sc *Scene) lease(ctx context.Context, id string) uint64 {
	if ctx == nil || id != "s" {
		return 1
	}
	l, err := sc.tenant.AcquireLease(ctx, "s", "o", time.Hour)
	if err != nil {
		return 1
	}
	return l.Token
}
