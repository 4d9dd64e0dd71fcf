package migrate_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/glebarez/sqlite"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/adk/v2/model"
	"google.golang.org/adk/v2/session"
	"google.golang.org/adk/v2/session/database"
	"google.golang.org/genai"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/adk"
	"github.com/seshatdb/seshat/adk/migrate"
	"github.com/seshatdb/seshat/seshattest"
)

// old is a store of ADK's database service.
type old struct {
	*testing.T
	session.Service
	d gorm.Dialector
}

func newOld(t *testing.T) *old {
	db, err := sql.Open(sqlite.DriverName, filepath.Join(t.TempDir(), "old.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	o := &old{T: t, d: &sqlite.Dialector{Conn: db}}
	if o.Service, err = database.NewSessionService(o.d, &gorm.Config{Logger: logger.Discard}); err == nil {
		err = database.AutoMigrate(o.Service)
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// talk makes a session with n events, of which pairs share a timestamp.
func (o *old) talk(app, user, id string, n int) session.Session {
	o.Helper()
	r, err := o.Create(o.Context(), &session.CreateRequest{
		AppName: app, UserID: user, SessionID: id, State: map[string]any{"k": id, "user:k": user, "app:k": app},
	})
	if err != nil {
		o.Fatal(err)
	}
	o.say(r.Session, 0, n)
	return r.Session
}

func (o *old) say(s session.Session, from, to int) {
	o.Helper()
	for i := from; i < to; i++ {
		err := o.AppendEvent(o.Context(), s, &session.Event{
			ID: fmt.Sprint(i), Author: "user", Timestamp: time.Now().Add(time.Duration(10+i/2) * time.Second),
			Actions:     session.EventActions{StateDelta: map[string]any{"n": float64(i), "app:n": float64(i)}},
			LLMResponse: model.LLMResponse{Content: genai.NewContentFromText(fmt.Sprint("text ", i), genai.RoleUser)},
		})
		if err != nil {
			o.Fatal(err)
		}
	}
}

func ids(s session.Session) (all []string) {
	for e := range s.Events().All() {
		all = append(all, e.ID)
	}
	return all
}

func upTo(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

func get(t *testing.T, s session.Service, app, user, id string) session.Session {
	t.Helper()
	r, err := s.Get(t.Context(), &session.GetRequest{AppName: app, UserID: user, SessionID: id})
	if err != nil {
		t.Fatal(err)
	}
	return r.Session
}

func state(s session.Session) map[string]any {
	m := map[string]any{}
	for k, v := range s.State().All() {
		m[k] = v
	}
	return m
}

func TestDatabaseIsCopiedWhole(t *testing.T) {
	o := newOld(t)
	o.talk("app1", "mia", "s1", 300)
	o.talk("app1", "ben", "s1", 2)
	o.talk("app2", "mia", "s1", 0)
	gone := o.talk("app1", "zoe", "gone", 1)
	err := o.Delete(t.Context(), &session.DeleteRequest{AppName: "app1", UserID: "zoe", SessionID: gone.ID()})
	if err != nil {
		t.Fatal(err)
	}
	to := adk.New(seshattest.Open(t).Store, adk.Options{})
	r, err := migrate.Database(t.Context(), o.d, to)
	if want := (migrate.Report{Apps: 2, Read: 3, Sessions: 3, Events: 302, Users: 4}); err != nil || r != want {
		t.Fatalf("got %+v, error %v; want %+v", r, err, want)
	}
	for _, key := range [][3]string{{"app1", "mia", "s1"}, {"app1", "ben", "s1"}, {"app2", "mia", "s1"}} {
		was, is := get(t, o, key[0], key[1], key[2]), get(t, to, key[0], key[1], key[2])
		if diff := cmp.Diff(state(was), state(is)); diff != "" {
			t.Errorf("%v: state (-want +got):\n%s", key, diff)
		}
		if !slices.Equal(ids(is), upTo(was.Events().Len())) {
			t.Errorf("%v: events are in the order %v", key, ids(is))
		}
		byID := map[string]*session.Event{}
		for e := range was.Events().All() {
			byID[e.ID] = e
		}
		for e := range is.Events().All() {
			if diff := cmp.Diff(byID[e.ID], e); diff != "" {
				t.Fatalf("%v: event %s (-want +got):\n%s", key, e.ID, diff)
			}
		}
	}
	// State of a user whose sessions are gone.
	created, err := to.Create(t.Context(), &session.CreateRequest{AppName: "app1", UserID: "zoe"})
	if err != nil || state(created.Session)["user:k"] != "zoe" {
		t.Fatalf("state of a user without sessions: %v, error %v", state(created.Session), err)
	}
}

func TestDatabaseAgainAddsWhatCameSince(t *testing.T) {
	o := newOld(t)
	s := o.talk("app", "mia", "s", 7)
	to := adk.New(seshattest.Open(t).Store, adk.Options{Lifecycle: seshat.Lifecycle{TTL: seshat.Never}})
	for _, step := range []struct{ events, added int }{{7, 7}, {7, 0}, {12, 5}} {
		o.say(s, s.Events().Len(), step.events)
		r, err := migrate.Database(t.Context(), o.d, to)
		if err != nil || r.Events != step.added {
			t.Fatalf("got %+v, error %v; want %d events added", r, err, step.added)
		}
		got := get(t, to, "app", "mia", "s")
		if !slices.Equal(ids(got), upTo(step.events)) || state(got)["n"] != float64(step.events-1) {
			t.Fatalf("got events %v, state %v", ids(got), state(got))
		}
	}
}
