// Package migrate reads the session stores of ADK's database service.
package migrate

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"google.golang.org/adk/v2/session"
	"google.golang.org/adk/v2/session/database"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/seshatdb/seshat/adk"
)

// Report counts what a migration read and added.
type Report struct {
	Apps     int // apps read
	Read     int // sessions read
	Sessions int // sessions added
	Events   int // events added
	Users    int // users whose state was merged
}

// Database copies all apps of a database of ADK's database service to the
// service: sessions with events and state, the state of apps, and the state of
// users, also of users without sessions. It only reads the database. If
// repeated, it adds what is new.
//
// Events keep the order of the database's timestamps. ADK reads events with
// equal timestamps in the wrong order. Database writes them in the order in
// which they were written, if the database knows it, as SQLite does.
func Database(ctx context.Context, d gorm.Dialector, to *adk.Service) (Report, error) {
	var r Report
	from, err := open(d)
	if err != nil {
		return r, err
	}
	if err := from.states(ctx, to, &r); err != nil {
		return r, err
	}
	apps, err := from.apps(ctx)
	if err != nil {
		return r, err
	}
	r.Apps = len(apps)
	for _, app := range apps {
		if err := from.app(ctx, app, to, &r); err != nil {
			return r, err
		}
	}
	return r, nil
}

// source is the database that is read.
type source struct {
	db       *gorm.DB
	sessions session.Service
}

func open(d gorm.Dialector) (*source, error) {
	o := &gorm.Config{Logger: logger.Discard}
	db, err := gorm.Open(d, o)
	if err != nil {
		return nil, fmt.Errorf("migrate: open: %w", err)
	}
	s, err := database.NewSessionService(d, o)
	if err != nil {
		return nil, fmt.Errorf("migrate: open: %w", err)
	}
	return &source{db, s}, nil
}

func (f *source) apps(ctx context.Context) (apps []string, err error) {
	err = f.db.WithContext(ctx).Table("sessions").Distinct("app_name").Order("app_name").Pluck("app_name", &apps).Error
	if err != nil {
		err = fmt.Errorf("migrate: apps: %w", err)
	}
	return apps, err
}

// app copies the sessions of one app.
func (f *source) app(ctx context.Context, app string, to *adk.Service, r *Report) error {
	list, err := f.sessions.List(ctx, &session.ListRequest{AppName: app})
	if err != nil {
		return fmt.Errorf("migrate: app %q: %w", app, err)
	}
	for _, s := range list.Sessions {
		got, err := f.sessions.Get(ctx, &session.GetRequest{AppName: app, UserID: s.UserID(), SessionID: s.ID()})
		if err != nil {
			return fmt.Errorf("migrate: app %q: %w", app, err)
		}
		in, err := f.inOrder(ctx, got.Session)
		if err != nil {
			return fmt.Errorf("migrate: app %q: %w", app, err)
		}
		n, err := to.Import(ctx, in)
		r.Read++
		r.Sessions += n.Sessions
		r.Events += n.Events
		if err != nil {
			return fmt.Errorf("migrate: app %q: %w", app, err)
		}
	}
	return nil
}

// inOrder sorts events with equal timestamps by the order of their writes.
func (f *source) inOrder(ctx context.Context, s session.Session) (session.Session, error) {
	all := slices.Collect(s.Events().All())
	if f.db.Name() != "sqlite" {
		return ordered{s, all}, nil
	}
	var ids []string
	err := f.db.WithContext(ctx).Table("events").
		Where("app_name = ? AND user_id = ? AND session_id = ?", s.AppName(), s.UserID(), s.ID()).
		Order("rowid").Pluck("id", &ids).Error
	rank := make(map[string]int, len(ids))
	for i, id := range ids {
		rank[id] = i
	}
	slices.SortStableFunc(all, func(a, b *session.Event) int {
		if c := a.Timestamp.Compare(b.Timestamp); c != 0 {
			return c
		}
		return rank[a.ID] - rank[b.ID]
	})
	return ordered{s, all}, err
}

// ordered is a session with its events in another order.
type ordered struct {
	session.Session
	events list
}

func (o ordered) Events() session.Events { return o.events }

type list []*session.Event

func (l list) All() iter.Seq[*session.Event] { return slices.Values(l) }
func (l list) Len() int                      { return len(l) }
func (l list) At(i int) *session.Event       { return l[i] }

// row is the state of an app or a user.
type row struct{ AppName, UserID, State string }

// states copies the state of apps and users.
func (f *source) states(ctx context.Context, to *adk.Service, r *Report) error {
	var apps, users []row
	db := f.db.WithContext(ctx)
	if err := db.Table("app_states").Select("app_name", "state").Scan(&apps).Error; err != nil {
		return fmt.Errorf("migrate: state of apps: %w", err)
	}
	if err := db.Table("user_states").Select("app_name", "user_id", "state").Scan(&users).Error; err != nil {
		return fmt.Errorf("migrate: state of users: %w", err)
	}
	r.Users = len(users)
	for _, row := range append(apps, users...) {
		var state map[string]any
		err := json.Unmarshal([]byte(row.State), &state)
		if err == nil {
			err = to.ImportState(ctx, row.AppName, row.UserID, state)
		}
		if err != nil {
			return fmt.Errorf("migrate: state of app %q: %w", row.AppName, err)
		}
	}
	return nil
}
