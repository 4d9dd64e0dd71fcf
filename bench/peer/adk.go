package peer

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/seshatdb/seshat/bench/load"
	"google.golang.org/adk/v2/model"
	"google.golang.org/adk/v2/session"
	"google.golang.org/adk/v2/session/database"
	"google.golang.org/genai"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

var adkKind = Kind{
	Name: "ADK SQLite",
	What: "session.Service of ADK's session/database on the same SQLite settings; Get also reads the last " +
		"event, List all sessions of the user; ADK has no touch",
	Open: func(dir string) (Peer, error) { return openADK(filepath.Join(dir, "adk.db")) },
}

const adkApp = "bench"

// adk keeps the session handle that an append needs beside the id, like a
// runner.
type adk struct {
	service session.Service
	dialect *gormSQLite
	locks   locks
	live    sync.Map // of session.Session, by id
	users   sync.Map // of user, by session's id
}

func openADK(path string) (*adk, error) {
	d, err := openGormSQLite(path)
	if err != nil {
		return nil, err
	}
	s, err := database.NewSessionService(d, &gorm.Config{Logger: logger.Discard, SkipDefaultTransaction: true})
	if err != nil {
		return nil, err
	}
	return &adk{service: s, dialect: d}, database.AutoMigrate(s)
}

func (p *adk) Create(ctx context.Context, s *load.Session) error {
	r, err := p.service.Create(ctx, &session.CreateRequest{
		AppName: adkApp, UserID: s.User, SessionID: s.ID,
		State: map[string]any{
			"name": s.Name, "model": s.Model, "system_prompt": s.SystemPrompt, "tools": s.Tools,
			"memory": s.Memory, "labels": s.Labels,
		},
	})
	if err != nil {
		return err
	}
	p.live.Store(s.ID, r.Session)
	p.users.Store(s.ID, s.User)
	return nil
}

func (p *adk) Touch(context.Context, string) error { return ErrNone }

func (p *adk) Append(ctx context.Context, id string, m *load.Message) error {
	defer p.locks.lock(id)()
	s, ok := p.live.Load(id)
	if !ok {
		return errGone
	}
	role := genai.Role(genai.RoleUser)
	if m.Role != "user" {
		role = genai.RoleModel
	}
	return p.service.AppendEvent(ctx, s.(session.Session), &session.Event{
		ID: m.ID, InvocationID: "run", Author: m.Role, Timestamp: time.Now(),
		LLMResponse: model.LLMResponse{Content: genai.NewContentFromText(m.Content, role)},
	})
}

func (p *adk) Get(ctx context.Context, id string) error {
	user, ok := p.users.Load(id)
	if !ok {
		return errGone
	}
	_, err := p.service.Get(ctx, &session.GetRequest{
		AppName: adkApp, UserID: user.(string), SessionID: id, NumRecentEvents: 1,
	})
	return err
}

func (p *adk) ListUser(ctx context.Context, user string, _ int) (int, error) {
	r, err := p.service.List(ctx, &session.ListRequest{AppName: adkApp, UserID: user})
	if err != nil {
		return 0, err
	}
	return len(r.Sessions), nil
}

func (p *adk) ListActive(context.Context, int) (int, error) { return 0, ErrNone }

// fullLogs is the number of sessions with logs. The service needs a dozen
// statements for an event.
const fullLogs = 50

func (p *adk) Fill(ctx context.Context, all []Filling) error {
	if err := p.dialect.pragma("synchronous=OFF"); err != nil {
		return err
	}
	for i := range all {
		f := &all[i]
		f.number()
		if err := p.Create(ctx, f.Session); err != nil {
			return err
		}
		if i >= fullLogs {
			continue
		}
		for _, m := range f.Messages {
			if err := p.Append(ctx, f.Session.ID, m); err != nil {
				return err
			}
		}
	}
	return p.dialect.pragma("synchronous=FULL")
}

func (p *adk) Close() error { return p.dialect.db.Close() }
