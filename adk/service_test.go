package adk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/adk/v2/model"
	"google.golang.org/adk/v2/platform"
	"google.golang.org/adk/v2/session"
	"google.golang.org/genai"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/adk"
	"github.com/seshatdb/seshat/seshattest"
)

// service is one under a test, with its store.
type service struct {
	*testing.T
	*adk.Service
	store *seshattest.Store
}

func newService(t *testing.T, o adk.Options) *service {
	store := seshattest.Open(t)
	return &service{t, adk.New(store.Store, o), store}
}

func (s *service) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *service) fails(err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Fatalf("got error %v, want %v", err, want)
	}
}

func (s *service) create(user, id string, state map[string]any) session.Session {
	s.Helper()
	r, err := s.Create(s.Context(), &session.CreateRequest{AppName: "app", UserID: user, SessionID: id, State: state})
	s.must(err)
	return r.Session
}

func (s *service) find(user, id string) (session.Session, error) {
	r, err := s.Get(s.Context(), &session.GetRequest{AppName: "app", UserID: user, SessionID: id})
	if err != nil {
		return nil, err
	}
	return r.Session, nil
}

func (s *service) get(user, id string) session.Session {
	s.Helper()
	h, err := s.find(user, id)
	s.must(err)
	return h
}

func (s *service) tenant() *seshat.Tenant {
	s.Helper()
	t, err := s.Tenant(s.Context(), "app")
	s.must(err)
	return t
}

func said(id string) *session.Event {
	return &session.Event{
		ID: id, Author: "user", Timestamp: seshattest.Start,
		LLMResponse: model.LLMResponse{Content: genai.NewContentFromText(id, genai.RoleUser)},
	}
}

func sets(id string, delta map[string]any) *session.Event {
	e := said(id)
	e.Actions.StateDelta = delta
	return e
}

func stateOf(s session.Session) map[string]any {
	m := map[string]any{}
	for k, v := range s.State().All() {
		m[k] = v
	}
	return m
}

func ids(s session.Session) string {
	var all []string
	for e := range s.Events().All() {
		all = append(all, e.ID)
	}
	return strings.Join(all, " ")
}

func want[T comparable](s *service, what string, got, want T) {
	s.Helper()
	if got != want {
		s.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func TestStaleHandleGetsATypedError(t *testing.T) {
	s := newService(t, adk.Options{})
	first := s.create("mia", "s", nil)
	second := s.get("mia", "s")
	s.must(s.AppendEvent(t.Context(), first, said("a")))
	err := s.AppendEvent(t.Context(), second, said("b"))
	s.fails(err, seshat.ErrConflict)
	var stale *adk.StaleError
	if !errors.As(err, &stale) {
		t.Fatalf("got %T", err)
	}
	want(s, "error", *stale, adk.StaleError{AppName: "app", UserID: "mia", SessionID: "s", Have: 0, Stored: 1})
	want(s, "events", ids(s.get("mia", "s")), "a")
}

func TestConcurrentAppendIsAllowedWhereAskedFor(t *testing.T) {
	s := newService(t, adk.Options{})
	second := adk.New(s.store.Store, adk.Options{AllowConcurrentAppend: true})
	runner := s.create("mia", "s", nil)
	human := s.get("mia", "s")
	s.must(s.AppendEvent(t.Context(), runner, said("a")))
	s.must(second.AppendEvent(t.Context(), human, sets("b", map[string]any{"approved": true})))
	s.must(second.AppendEvent(t.Context(), human, said("c")))
	want(s, "events", ids(s.get("mia", "s")), "a b c")
	want(s, "events of the handle", ids(human), "b c")
	want(s, "state", stateOf(s.get("mia", "s"))["approved"], any(true))
	// The handle still misses a, and the runner's what came since.
	s.fails(s.AppendEvent(t.Context(), human, said("d")), seshat.ErrConflict)
	s.fails(s.AppendEvent(t.Context(), runner, said("d")), seshat.ErrConflict)
	// Not into another life of the session, though.
	s.must(s.Delete(t.Context(), &session.DeleteRequest{AppName: "app", UserID: "mia", SessionID: "s"}))
	s.create("mia", "s", nil)
	s.fails(second.AppendEvent(t.Context(), human, said("d")), seshat.ErrNotFound)
	want(s, "events of the new session", ids(s.get("mia", "s")), "")
}

func TestRepeatedEventIsKnownAlsoOnAStaleHandle(t *testing.T) {
	s := newService(t, adk.Options{})
	first := s.create("mia", "s", nil)
	second := s.get("mia", "s")
	s.must(s.AppendEvent(t.Context(), first, sets("a", map[string]any{"k": "v"})))
	// As after a call whose outcome is unknown: the handle catches up.
	s.must(s.AppendEvent(t.Context(), second, sets("a", map[string]any{"k": "v"})))
	want(s, "events of the handle", ids(second), "a")
	want(s, "state of the handle", stateOf(second)["k"], any("v"))
	s.must(s.AppendEvent(t.Context(), second, said("b")))
	s.must(s.AppendEvent(t.Context(), second, sets("a", map[string]any{"k": "v"})))
	want(s, "events of the handle", ids(second), "a b")
	want(s, "events", ids(s.get("mia", "s")), "a b")
	s.fails(s.AppendEvent(t.Context(), second, said("a")), seshat.ErrConflict)
}

func TestLifecycleOptionsRuleADKsSessions(t *testing.T) {
	s := newService(t, adk.Options{Lifecycle: seshat.Lifecycle{TTL: time.Hour, IdleAfter: time.Minute}})
	h := s.create("mia", "s", map[string]any{"k": "v"})
	key := adk.SessionID("mia", "s")
	s.store.Clock.Advance(30 * time.Minute)
	s.must(s.AppendEvent(t.Context(), h, said("a")))
	stored, err := s.tenant().Get(t.Context(), key)
	s.must(err)
	want(s, "end", stored.ExpiresAt, seshattest.Start.Add(90*time.Minute))
	want(s, "idle after", stored.Lifecycle.IdleAfter, time.Minute)
	s.store.Clock.Advance(time.Hour)
	_, err = s.find("mia", "s")
	s.fails(err, seshat.ErrNotFound)
	s.fails(s.AppendEvent(t.Context(), h, said("b")), seshat.ErrNotFound)
	r, err := s.List(t.Context(), &session.ListRequest{AppName: "app"})
	s.must(err)
	want(s, "listed", len(r.Sessions), 0)
	again := s.create("mia", "s", nil)
	want(s, "state of the next session", len(stateOf(again)), 0)
	s.fails(s.AppendEvent(t.Context(), h, said("b")), seshat.ErrNotFound)
}

func TestStatusIsReachedThroughTheStore(t *testing.T) {
	s := newService(t, adk.Options{Quotas: seshat.Quotas{MaxMessages: 1}})
	h := s.create("mia", "s", nil)
	s.must(s.AppendEvent(t.Context(), h, said("a")))
	s.fails(s.AppendEvent(t.Context(), h, said("b")), seshat.ErrQuota)
	_, err := s.tenant().Transition(t.Context(), adk.SessionID("mia", "s"), seshat.StatusArchived,
		seshat.TransitionOptions{})
	s.must(err)
	s.fails(s.AppendEvent(t.Context(), h, said("b")), seshat.ErrReadOnly)
	want(s, "events of the handle", ids(h), "a")
	want(s, "events", ids(s.get("mia", "s")), "a")
}

func TestErasedUserLeavesNothing(t *testing.T) {
	s := newService(t, adk.Options{})
	long := strings.Repeat("long", 50)
	for _, user := range []string{"mia", long} {
		h := s.create(user, "s", map[string]any{"user:name": "Mia", "app:k": "kept", "own": "x"})
		s.must(s.AppendEvent(t.Context(), h, said("a")))
		s.create(user, "s2", nil)
	}
	s.create("ben", "s", map[string]any{"user:name": "Ben"})
	erased, err := s.DeleteUser(t.Context(), "app", "mia")
	s.must(err)
	want(s, "erased sessions", erased.Sessions, 2)
	if erased.Messages != 1 || erased.Entries == 0 {
		t.Fatalf("got %+v", erased)
	}
	_, err = s.DeleteUser(t.Context(), "app", long)
	s.must(err)
	for _, user := range []string{"mia", long} {
		_, err := s.find(user, "s")
		s.fails(err, seshat.ErrNotFound)
		h := s.create(user, "s", nil)
		want(s, "state", fmt.Sprint(stateOf(h)), "map[app:k:kept]")
		want(s, "events", ids(s.get(user, "s")), "")
	}
	want(s, "state of another", stateOf(s.get("ben", "s"))["user:name"], any("Ben"))
	_, err = s.DeleteUser(t.Context(), "app", "nobody")
	s.must(err)
	_, err = s.DeleteUser(t.Context(), "another", "mia")
	s.must(err)
	_, err = s.DeleteUser(t.Context(), "app", "")
	s.fails(err, seshat.ErrInvalid)
}

func TestReadsMakeNoNamespace(t *testing.T) {
	s := newService(t, adk.Options{OrganizationID: "int_acme"})
	_, err := s.find("mia", "s")
	s.fails(err, seshat.ErrNotFound)
	_, err = s.List(t.Context(), &session.ListRequest{AppName: "app"})
	s.must(err)
	s.must(s.Delete(t.Context(), &session.DeleteRequest{AppName: "app", UserID: "mia", SessionID: "s"}))
	for n, err := range s.store.AllNamespaces(t.Context()) {
		t.Fatalf("there is namespace %q, error %v", n.Name, err)
	}
	s.create("mia", "s", nil)
	want(s, "organization", s.tenant().OrganizationID(), "int_acme")
}

func TestArgumentsAreRefusedInADKsWords(t *testing.T) {
	s := newService(t, adk.Options{})
	_, err := s.Create(t.Context(), &session.CreateRequest{AppName: "", UserID: "u"})
	s.fails(err, seshat.ErrInvalid)
	want(s, "error", err.Error(), `app_name and user_id are required, got app_name: "", user_id: "u"`)
	s.create("mia", "s", nil)
	_, err = s.Create(t.Context(), &session.CreateRequest{AppName: "app", UserID: "mia", SessionID: "s"})
	s.fails(err, seshat.ErrExists)
	s.fails(s.AppendEvent(t.Context(), nil, said("a")), seshat.ErrInvalid)
	h := s.create("mia", "s2", nil)
	s.fails(s.AppendEvent(t.Context(), h, nil), seshat.ErrInvalid)
	s.fails(newService(t, adk.Options{}).AppendEvent(t.Context(), h, said("a")), seshat.ErrInvalid)
	s.fails(s.AppendEvent(t.Context(), h, sets("a", map[string]any{strings.Repeat("k", 200): 1})), seshat.ErrInvalid)
	s.fails(s.AppendEvent(t.Context(), h, sets("a", map[string]any{"k": func() {}})), seshat.ErrInvalid)
	want(s, "events", ids(s.get("mia", "s2")), "")
	want(s, "state", len(stateOf(h)), 0)
}

func TestIDsComeFromThePlatform(t *testing.T) {
	s := newService(t, adk.Options{})
	ctx := platform.WithUUIDProvider(t.Context(), func() string { return "given" })
	r, err := s.Create(ctx, &session.CreateRequest{AppName: "app", UserID: "mia"})
	s.must(err)
	want(s, "id", r.Session.ID(), "given")
}

func TestNilDeletesWhereAskedFor(t *testing.T) {
	s := newService(t, adk.Options{DeleteNil: true})
	h := s.create("mia", "s", map[string]any{"a": "1", "user:b": "1", "none": nil})
	s.must(s.AppendEvent(t.Context(), h,
		sets("a", map[string]any{"a": nil, "user:b": nil, "c": map[string]any{"d": nil}})))
	for _, h := range []session.Session{h, s.get("mia", "s")} {
		want(s, "state", fmt.Sprint(stateOf(h)), "map[c:map[d:<nil>]]")
	}
}

func TestWholeNumbersAreNotRounded(t *testing.T) {
	s := newService(t, adk.Options{})
	const large = int64(1<<53 + 1)
	s.create("mia", "s", map[string]any{"large": large, "list": []int64{large, 3}, "small": 3, "text": time.Second})
	got := stateOf(s.get("mia", "s"))
	want(s, "state", fmt.Sprintf("%T %v %T %T", got["large"], got["list"], got["small"], got["text"]),
		"int64 [9007199254740993 3] float64 float64")
}

func TestCanceledAppendChangesNothing(t *testing.T) {
	s := newService(t, adk.Options{})
	h := s.create("mia", "s", nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.fails(s.AppendEvent(ctx, h, said("a")), context.Canceled)
	want(s, "events of the handle", ids(h), "")
	want(s, "events", ids(s.get("mia", "s")), "")
}
