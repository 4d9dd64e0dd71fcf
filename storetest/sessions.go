package storetest

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var sessions = []promise{
	{name: "what was created is what is read", test: roundTrip},
	{name: "the largest session comes back", test: largestSession},
	{name: "an empty session has the defaults", test: emptySession},
	{name: "absent and zero differ", test: absentAndZero},
	{name: "a generated id is fresh", test: generatedIDs},
	{name: "create refuses an id that is taken", test: createTwice},
	{name: "ensure returns the one that exists, unchanged", test: ensure},
	{name: "touch extends, and changes no version", test: touch},
	{name: "delete returns what it removed", test: deleteCounts},
	{name: "a reused id starts empty", test: reusedID},
	{name: "documents are normalized", test: documents},
	{name: "a session without memory takes none", test: noMemory},
	{name: "illegal sessions are refused", test: illegalSessions},
}

// nearlyFull returns a document slightly below the maximum size.
func nearlyFull() map[string]any {
	return map[string]any{"k": strings.Repeat("x", seshat.MaxDocumentBytes-16)}
}

// largestSession: a driver's limits leave room for the largest session that the
// store accepts.
func largestSession(e *env) {
	name := strings.Repeat("n", seshat.MaxNameBytes)
	n := seshat.NewSession{
		ID: name, UserID: name, Name: strings.Repeat("x", seshat.MaxSessionNameBytes),
		Agent: seshat.AgentConfig{
			Model: name, Temperature: seshat.Ptr(seshat.MaxTemperature), MaxTokens: seshat.Ptr(seshat.MaxTokens),
			SystemPrompt: strings.Repeat("x", seshat.MaxSystemPromptBytes),
		},
		Quotas: seshat.Quotas{
			MaxMessages: seshat.MaxQuota, MaxTokensTotal: seshat.MaxQuota, MaxToolCalls: seshat.MaxQuota,
			RateLimitMessagesPerMinute: seshat.MaxQuota, MaxSessionDurationMinutes: seshat.MaxQuota,
		},
		UserMemory: nearlyFull(), Metadata: nearlyFull(), Labels: map[string]string{},
	}
	for i := range seshat.MaxTools {
		n.Agent.AvailableTools = append(n.Agent.AvailableTools, name[3:]+fmt.Sprintf("%03d", i))
	}
	for i := range seshat.MaxLabels {
		n.Labels[name[3:]+fmt.Sprintf("%03d", i)] = name
	}
	t := e.tenant("t")
	e.create(t, n)
	reason := strings.Repeat("x", seshat.MaxReasonBytes)
	_, err := t.Transition(e.ctx, name, seshat.StatusIdle, seshat.TransitionOptions{Reason: reason, Actor: name})
	e.must(err)
	got := e.get(t, name)
	equal(e, "the quotas", got.Quotas, n.Quotas)
	equal(e, "the reason", got.LastTransition.Reason, reason)
	if !reflect.DeepEqual(got.Agent, n.Agent) || !maps.Equal(got.Labels, n.Labels) {
		e.Fatal("the largest agent or the largest labels did not come back")
	}
	if !reflect.DeepEqual(got.UserMemory.Map(), n.UserMemory) || !reflect.DeepEqual(got.Metadata.Map(), n.Metadata) {
		e.Fatal("the largest documents did not come back")
	}
}

// fullSession returns a new session with every field that a caller can set.
func fullSession() seshat.NewSession {
	return seshat.NewSession{
		ID: "s", UserID: "mia", Name: "Flights",
		Agent: seshat.AgentConfig{
			Model: "m-1", Temperature: seshat.Ptr(0.5), MaxTokens: seshat.Ptr(100),
			SystemPrompt: "Be\nbrief.", AvailableTools: []string{"search", "book"},
		},
		Quotas: seshat.Quotas{
			MaxMessages: 1, MaxTokensTotal: 2, MaxToolCalls: 3,
			RateLimitMessagesPerMinute: 4, MaxSessionDurationMinutes: 500,
		},
		UserMemory: map[string]any{"seat": "aisle"},
		Metadata:   map[string]any{"n": int64(7)},
		Labels:     map[string]string{"lang": "de", "tier": ""},
		Lifecycle:  seshat.Lifecycle{TTL: 3 * hour, Expiry: seshat.ExpiryAbsolute, IdleAfter: hour},
	}
}

func roundTrip(e *env) {
	t := e.tenant("t")
	n := fullSession()
	made := e.create(t, n)
	s := e.get(t, "s")
	e.same("what was created", made, s)
	if !reflect.DeepEqual(s.Agent, n.Agent) || s.Quotas != n.Quotas || !reflect.DeepEqual(s.Labels, n.Labels) {
		e.Fatalf("got %+v of %+v", s, n)
	}
	equal(e, "identity", [4]string{s.ID, s.UserID, s.NamespaceID, s.OrganizationID},
		[4]string{"s", "mia", t.ID(), seshat.DefaultOrganization})
	equal(e, "name", s.Name, "Flights")
	equal(e, "memory", s.UserMemory.Equal(seshat.NewDocument(n.UserMemory)), true)
	equal(e, "metadata", s.Metadata.Equal(seshat.NewDocument(n.Metadata)), true)
	equal(e, "lifecycle", s.Lifecycle, seshat.Lifecycle{
		TTL: 3 * hour, Expiry: seshat.ExpiryAbsolute, MaxLifetime: seshat.Never,
		IdleAfter: hour, ArchiveAfter: seshat.Never, Retention: 7 * day,
	})
	for _, at := range []time.Time{s.CreatedAt, s.UpdatedAt, s.LastActivityAt} {
		equal(e, "time of creation", at, seshattest.Start)
	}
	equal(e, "end", s.ExpiresAt, seshattest.Start.Add(3*hour))
}

func emptySession(e *env) {
	t := e.tenant("t")
	s := e.create(t, seshat.NewSession{})
	equal(e, "status", s.Status, seshat.StatusActive)
	equal(e, "version", s.Version, 1)
	equal(e, "numbers", [2]uint64{s.LastSeq, s.MessageCount}, [2]uint64{})
	equal(e, "stats", s.Stats, seshat.SessionStats{})
	equal(e, "user, name", s.UserID+s.Name, "")
	equal(e, "documents", s.UserMemory.IsZero() && s.Metadata.IsZero(), true)
	equal(e, "labels", s.Labels == nil, true)
	equal(e, "last move", s.LastTransition, seshat.Transition{})
	equal(e, "parent", s.Parent, seshat.Parent{})
	equal(e, "termination", s.TerminatedAt, time.Time{})
	equal(e, "end", s.ExpiresAt, seshattest.Start.Add(7*day))
	equal(e, "lifecycle", s.Lifecycle, seshat.Lifecycle{
		TTL: 7 * day, Expiry: seshat.ExpirySliding, MaxLifetime: seshat.Never,
		IdleAfter: seshat.Never, ArchiveAfter: seshat.Never, Retention: 7 * day,
	})
}

func absentAndZero(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "absent"})
	e.create(t, seshat.NewSession{ID: "zero", Agent: seshat.AgentConfig{Temperature: seshat.Ptr(0.0)}})
	if got := e.get(t, "absent").Agent.Temperature; got != nil {
		e.Fatalf("absent temperature came back as %v", *got)
	}
	if got := e.get(t, "zero").Agent.Temperature; got == nil || *got != 0 {
		e.Fatalf("zero temperature came back as %v", got)
	}
}

func generatedIDs(e *env) {
	t := e.tenant("t")
	seen := map[string]bool{}
	for range 20 {
		s := e.create(t, seshat.NewSession{})
		if !strings.HasPrefix(s.ID, "ses_") || len(s.ID) != len("ses_")+26 || seen[s.ID] {
			e.Fatalf("generated id %q is malformed or not fresh", s.ID)
		}
		seen[s.ID] = true
		e.get(t, s.ID)
	}
}

func createTwice(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", UserID: "first"})
	for _, status := range []seshat.Status{seshat.StatusIdle, seshat.StatusArchived, seshat.StatusTerminated} {
		_, err := t.Create(e.ctx, seshat.NewSession{ID: "s", UserID: "second"})
		e.isError(err, seshat.ErrExists)
		if status != seshat.StatusArchived || e.get(t, "s").Status == seshat.StatusIdle {
			e.move(t, "s", status)
		}
	}
	_, err := t.Create(e.ctx, seshat.NewSession{ID: "s"})
	e.isError(err, seshat.ErrExists)
	equal(e, "user", e.get(t, "s").UserID, "first")
	equal(e, "sessions", e.count(t, seshat.Query{}), 1)
}

func ensure(e *env) {
	t := e.tenant("t")
	s, created, err := t.Ensure(e.ctx, seshat.NewSession{ID: "s", UserID: "first"})
	e.must(err)
	equal(e, "created", created, true)
	e.clock.Advance(minute)
	again, created, err := t.Ensure(e.ctx, seshat.NewSession{ID: "s", UserID: "second", Name: "other"})
	e.must(err)
	equal(e, "created", created, false)
	e.same("what was ensured", again, s)
	e.same("what is read", e.get(t, "s"), s)
	s, created, err = t.Ensure(e.ctx, seshat.NewSession{})
	e.must(err)
	equal(e, "created without an id", created && s.ID != "", true)
}

func touch(e *env) {
	t := e.tenant("t")
	before := e.create(t, seshat.NewSession{ID: "s"})
	e.clock.Advance(hour)
	s, err := t.Touch(e.ctx, "s")
	e.must(err)
	equal(e, "version", s.Version, before.Version)
	equal(e, "activity", s.LastActivityAt, seshattest.Start.Add(hour))
	equal(e, "end", s.ExpiresAt, before.ExpiresAt.Add(hour))
	e.same("what touch returned", s, e.get(t, "s"))
	if _, err := t.Update(e.ctx, "s", rename("x"), seshat.UpdateOptions{IfVersion: before.Version}); err != nil {
		e.Fatalf("a touch made an update conflict: %v", err)
	}
}

func rename(name string) func(*seshat.Session) error {
	return func(s *seshat.Session) error {
		s.Name = name
		return nil
	}
}

func deleteCounts(e *env) {
	t := e.tenant("t")
	for _, status := range []seshat.Status{
		seshat.StatusActive, seshat.StatusIdle, seshat.StatusArchived,
		seshat.StatusTerminated,
	} {
		e.create(t, fullSession())
		e.move(t, "s", status)
		u, err := t.Usage(e.ctx)
		e.must(err)
		got, err := t.Delete(e.ctx, "s")
		e.must(err)
		equal(e, "erased", got, seshat.EraseReport{Sessions: 1, Bytes: u.Bytes})
		e.isGone(t, "s")
		u, err = t.Usage(e.ctx)
		e.must(err)
		equal(e, "usage", u, seshat.Usage{})
	}
}

func reusedID(e *env) {
	t := e.tenant("t")
	n := fullSession()
	n.Quotas = seshat.Quotas{}
	e.create(t, n)
	e.update(t, "s", func(s *seshat.Session) { s.Name = "edited" })
	_, err := t.Append(e.ctx, "s", seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "hello"})
	e.must(err)
	_, err = t.Delete(e.ctx, "s")
	e.must(err)
	s := e.create(t, seshat.NewSession{ID: "s"})
	equal(e, "version", s.Version, 1)
	equal(e, "name, user", s.Name+s.UserID, "")
	equal(e, "numbers", [2]uint64{s.LastSeq, s.MessageCount}, [2]uint64{})
	equal(e, "found by the old user", e.count(t, seshat.Query{UserID: "mia"}), 0)
	s, err = t.Append(e.ctx, "s", seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "other"})
	e.must(err)
	equal(e, "number of the first message", s.LastSeq, 1)
}

func documents(e *env) {
	t := e.tenant("t")
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("east", 3600))
	type note struct{ n int }
	e.create(t, seshat.NewSession{ID: "s", Metadata: map[string]any{
		"i": 7, "i8": int8(-7), "u": uint64(math.MaxUint64), "u8": uint8(7), "f": float32(0.5), "s": "x", "b": true,
		"nil": nil, "bytes": []byte{0, 255}, "at": at, "list": []string{"a", "b"}, "map": map[string]int{"k": 1},
	}})
	got := e.get(t, "s").Metadata.Map()
	want := map[string]any{
		"i": int64(7), "i8": int64(-7), "u": uint64(math.MaxUint64), "u8": int64(7), "f": 0.5, "s": "x", "b": true,
		"nil": nil, "bytes": []byte{0, 255}, "at": at.UTC(), "list": []any{"a", "b"},
		"map": map[string]any{"k": int64(1)},
	}
	if !reflect.DeepEqual(got, want) {
		e.Fatalf("got\n%#v\nwant\n%#v", got, want)
	}
	_, err := t.Create(e.ctx, seshat.NewSession{UserMemory: map[string]any{"a": []any{note{1}}}})
	e.isInvalid(err, "user_memory.a[0]")
	_, err = t.Create(e.ctx, seshat.NewSession{Metadata: map[string]any{"a": strings.Repeat("x",
		seshat.MaxDocumentBytes)}})
	if !errors.Is(err, seshat.ErrInvalid) {
		e.Fatalf("a document over the limit: got error %v", err)
	}
}

func noMemory(e *env) {
	t := e.tenant("t")
	_, err := t.Create(e.ctx, seshat.NewSession{DisableMemory: true, UserMemory: map[string]any{"k": 1}})
	e.isInvalid(err, "user_memory")
	e.create(t, seshat.NewSession{ID: "s", DisableMemory: true})
	_, err = t.Update(e.ctx, "s", func(s *seshat.Session) error {
		s.UserMemory = seshat.NewDocument(map[string]any{"k": 1})
		return nil
	}, seshat.UpdateOptions{})
	e.isInvalid(err, "user_memory")
	s := e.get(t, "s")
	equal(e, "memory", s.UserMemory.IsZero() && s.MemoryDisabled, true)
}

func illegalSessions(e *env) {
	t := e.tenant("t")
	agent := func(a seshat.AgentConfig) seshat.NewSession { return seshat.NewSession{Agent: a} }
	life := func(l seshat.Lifecycle) seshat.NewSession { return seshat.NewSession{Lifecycle: l} }
	labels := map[string]string{}
	for i := range seshat.MaxLabels + 1 {
		labels[strings.Repeat("k", i+1)] = ""
	}
	for field, all := range map[string][]seshat.NewSession{
		"agent_config.temperature": {
			agent(seshat.AgentConfig{Temperature: seshat.Ptr(-0.1)}),
			agent(seshat.AgentConfig{Temperature: seshat.Ptr(2.1)}),
			agent(seshat.AgentConfig{Temperature: seshat.Ptr(math.NaN())}),
		},
		"agent_config.max_tokens": {
			agent(seshat.AgentConfig{MaxTokens: seshat.Ptr(0)}),
			agent(seshat.AgentConfig{MaxTokens: seshat.Ptr(seshat.MaxTokens + 1)}),
		},
		"agent_config.system_prompt": {
			agent(seshat.AgentConfig{SystemPrompt: "\xff"}),
			agent(seshat.AgentConfig{SystemPrompt: strings.Repeat("x", seshat.MaxSystemPromptBytes+1)}),
		},
		"agent_config.available_tools": {agent(seshat.AgentConfig{AvailableTools: make([]string, seshat.MaxTools+1)})},
		"quotas.max_messages":          {{Quotas: seshat.Quotas{MaxMessages: math.MaxUint64}}},
		"session_name":                 {{Name: strings.Repeat("x", seshat.MaxSessionNameBytes+1)}, {Name: "a\nb"}},
		"labels":                       {{Labels: labels}},
		"lifecycle.ttl":                {life(seshat.Lifecycle{TTL: -2})},
		"lifecycle.max_lifetime":       {life(seshat.Lifecycle{MaxLifetime: -2})},
		"lifecycle.idle_after":         {life(seshat.Lifecycle{IdleAfter: -hour})},
		"lifecycle.archive_after":      {life(seshat.Lifecycle{ArchiveAfter: -2})},
		"lifecycle.retention":          {life(seshat.Lifecycle{Retention: math.MinInt64})},
		"lifecycle.expiry":             {life(seshat.Lifecycle{Expiry: 3})},
	} {
		for _, n := range all {
			n.ID = "s"
			_, err := t.Create(e.ctx, n)
			e.isInvalid(err, field)
			_, _, err = t.Ensure(e.ctx, n)
			e.isInvalid(err, field)
			e.isGone(t, "s")
		}
	}
}
