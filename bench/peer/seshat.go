package peer

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/bench/load"
)

var seshatKind = Kind{
	Name: "Seshat", What: "its defaults, without the background sweeper",
	Open: func(dir string) (Peer, error) {
		return OpenSeshat(filepath.Join(dir, "seshat.db"), seshat.Options{SweepEvery: seshat.Never})
	},
}

// Seshat is the product: an open Store and its Tenant.
type Seshat struct {
	Store  *seshat.Store
	Tenant *seshat.Tenant // the one namespace that holds all sessions
}

// OpenSeshat opens a store with one tenant.
func OpenSeshat(path string, o seshat.Options) (*Seshat, error) {
	s, err := seshat.Open(path, o)
	if err != nil {
		return nil, err
	}
	t, err := s.EnsureTenant(context.Background(), seshat.Namespace{Name: "bench"})
	return &Seshat{s, t}, err
}

func newSession(s *load.Session) seshat.NewSession {
	return seshat.NewSession{
		ID: s.ID, UserID: s.User, Name: s.Name, Labels: s.Labels, UserMemory: s.Memory,
		Agent: seshat.AgentConfig{
			Model: s.Model, Temperature: &s.Temperature, SystemPrompt: s.SystemPrompt, AvailableTools: s.Tools,
		},
	}
}

func newMessage(m *load.Message) seshat.Message {
	role := seshat.RoleUser
	switch m.Role {
	case "assistant":
		role = seshat.RoleAssistant
	case "tool":
		role = seshat.RoleTool
	case "system":
		role = seshat.RoleSystem
	}
	return seshat.Message{ID: m.ID, Role: role, Content: m.Content, Tokens: m.Tokens}
}

// Create stores a session.
func (p *Seshat) Create(ctx context.Context, s *load.Session) error {
	_, err := p.Tenant.Create(ctx, newSession(s))
	return err
}

// Touch extends a session's life.
func (p *Seshat) Touch(ctx context.Context, id string) error {
	_, err := p.Tenant.Touch(ctx, id)
	return err
}

// Append adds a message.
func (p *Seshat) Append(ctx context.Context, id string, m *load.Message) error {
	_, err := p.Tenant.Append(ctx, id, newMessage(m))
	return err
}

// Get reads a session.
func (p *Seshat) Get(ctx context.Context, id string) error {
	_, err := p.Tenant.Get(ctx, id)
	return err
}

// ListUser reads a page of a user's sessions.
func (p *Seshat) ListUser(ctx context.Context, user string, limit int) (int, error) {
	page, err := p.Tenant.List(ctx, seshat.Query{UserID: user, Limit: limit})
	return len(page.Sessions), err
}

// ListActive reads a page in the order of activity.
func (p *Seshat) ListActive(ctx context.Context, limit int) (int, error) {
	page, err := p.Tenant.List(ctx, seshat.Query{Order: seshat.OrderByActivity, Limit: limit})
	return len(page.Sessions), err
}

// Fill creates sessions from many goroutines, so that they share commits.
func (p *Seshat) Fill(ctx context.Context, all []Filling) error {
	next := make(chan *Filling)
	errs := make(chan error, 1)
	var wg sync.WaitGroup
	for range min(512, len(all)) {
		wg.Go(func() {
			for f := range next {
				if err := p.fill(ctx, f); err != nil {
					select {
					case errs <- err:
					default:
					}
				}
			}
		})
	}
	for i := range all {
		next <- &all[i]
	}
	close(next)
	wg.Wait()
	close(errs)
	return <-errs
}

func (p *Seshat) fill(ctx context.Context, f *Filling) error {
	if err := p.Create(ctx, f.Session); err != nil || len(f.Messages) == 0 {
		return err
	}
	turn := make([]seshat.Message, len(f.Messages))
	for i, m := range f.Messages {
		turn[i] = newMessage(m)
	}
	_, err := p.Tenant.Append(ctx, f.Session.ID, turn...)
	return err
}

// Close closes the store.
func (p *Seshat) Close() error { return p.Store.Close() }

// CreateShort creates a session that lives for ttl.
func (p *Seshat) CreateShort(ctx context.Context, i int, ttl time.Duration) error {
	n := newSession(load.NewSession(i, i+1))
	n.Lifecycle = seshat.Lifecycle{TTL: ttl}
	_, err := p.Tenant.Create(ctx, n)
	return err
}
