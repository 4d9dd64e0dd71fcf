package main

import (
	"context"
	"slices"

	"github.com/seshatdb/seshat"
)

// file is a store that this process has open, in a file or a database. It
// implements operator, and a server's operator socket serves it.
type file struct {
	store *seshat.Store
	at    location
}

// Close closes the store.
func (f *file) Close() error { return f.store.Close() }

// tenant returns the namespace at p. If p names none, it returns the
// organization's only namespace.
func (f *file) tenant(ctx context.Context, p place) (*seshat.Tenant, error) {
	if p.Namespace != "" {
		return f.store.Tenant(ctx, p.ref())
	}
	var all []seshat.Namespace
	for n, err := range f.store.Namespaces(ctx, p.Organization) {
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	if len(all) != 1 {
		return nil, usagef("no namespace: the organization has %d; choose one with --namespace", len(all))
	}
	return f.store.Tenant(ctx, all[0])
}

// fileSessions is one namespace of an open store.
type fileSessions struct {
	file *file
	t    *seshat.Tenant
}

// Close closes the store.
func (s *fileSessions) Close() error { return s.file.Close() }

// Create creates a session.
func (s *fileSessions) Create(ctx context.Context, n seshat.NewSession) (session, error) {
	return local(s.t.Create(ctx, n))
}

// Get returns a session.
func (s *fileSessions) Get(ctx context.Context, id string) (session, error) {
	return local(s.t.Get(ctx, id))
}

// List returns a page of sessions.
func (s *fileSessions) List(ctx context.Context, q seshat.Query) (page, error) {
	p, err := s.t.List(ctx, q)
	out := page{next: p.NextCursor}
	for _, s := range p.Sessions {
		out.sessions = append(out.sessions, session{v: *s})
	}
	return out, err
}

func local(s *seshat.Session, err error) (session, error) {
	if err != nil {
		return session{}, err
	}
	return session{v: *s}, nil
}

// History returns messages of a log, oldest first.
func (s *fileSessions) History(ctx context.Context, id string, r logRange) ([]message, error) {
	if r.Last > 0 || r.Tokens > 0 {
		return s.newest(ctx, id, r)
	}
	var all []message
	for m, err := range s.t.Messages(ctx, id, r.query()) {
		if err != nil {
			return nil, err
		}
		if r.Skip > 0 {
			r.Skip--
			continue
		}
		if all = append(all, message{v: m}); len(all) == r.Limit {
			break
		}
	}
	return all, nil
}

// newest returns messages counted from the end of a log.
func (s *fileSessions) newest(ctx context.Context, id string, r logRange) ([]message, error) {
	page, err := s.t.History(ctx, id, r.query())
	if err != nil {
		return nil, err
	}
	log := page.Messages[min(r.Skip, len(page.Messages)):]
	if r.Limit > 0 {
		log = log[:min(r.Limit, len(log))]
	}
	all := make([]message, len(log))
	for i, m := range log {
		all[i] = message{v: m}
	}
	return all, nil
}

// Append appends a turn. Only servers have idempotency keys; here, message ids
// make an append repeatable.
func (s *fileSessions) Append(ctx context.Context, id string, turn []seshat.Message, key string) (appended, error) {
	if key != "" {
		return appended{}, usagef("--idempotency-key: needs a server; in a store, use --message-id")
	}
	done, err := s.t.AppendTurn(ctx, id, seshat.Turn{Messages: turn})
	if err != nil {
		return appended{}, err
	}
	return appended{
		SessionID: id, FirstSeq: done.First, LastSeq: done.Last, Repeated: done.Repeated,
		MessageCount: done.Session.MessageCount,
	}, nil
}

// Transition changes the status of a session.
func (s *fileSessions) Transition(ctx context.Context, id string, m move) (moved, error) {
	o := seshat.TransitionOptions{IfVersion: m.Version, Reason: m.Reason, Actor: m.Actor}
	now, err := s.t.Transition(ctx, id, m.To, o)
	if err != nil {
		return moved{}, err
	}
	return moved{
		SessionID: now.ID, Status: now.Status, UpdatedAt: now.UpdatedAt, ExpiresAt: &now.ExpiresAt,
		TerminatedAt: &now.TerminatedAt,
	}.tidy(), nil
}

// Erase removes a session with its log and state.
func (s *fileSessions) Erase(ctx context.Context, id string) (seshat.EraseReport, error) {
	return s.t.Delete(ctx, id)
}

// EraseUser removes all sessions and state of a user.
func (s *fileSessions) EraseUser(ctx context.Context, user string) (seshat.EraseReport, error) {
	return s.t.DeleteUser(ctx, user)
}

// Namespaces returns the namespaces of an organization, or of all if p names
// none.
func (f *file) Namespaces(ctx context.Context, p place) ([]seshat.Namespace, error) {
	all := []seshat.Namespace{}
	seq := f.store.AllNamespaces(ctx)
	if p.Organization != "" {
		seq = f.store.Namespaces(ctx, p.Organization)
	}
	for n, err := range seq {
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

// organizations returns the organizations that own a namespace, and the default
// one.
func (f *file) organizations(ctx context.Context) ([]string, error) {
	orgs := []string{seshat.DefaultOrganization}
	for n, err := range f.store.AllNamespaces(ctx) {
		if err != nil {
			return nil, err
		}
		if !slices.Contains(orgs, n.OrganizationID) {
			orgs = append(orgs, n.OrganizationID)
		}
	}
	return orgs, nil
}
