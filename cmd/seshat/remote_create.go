package main

import (
	"context"
	"net/http"

	"github.com/seshatdb/seshat"
)

// createBody is the body of a create request.
type createBody struct {
	SessionID    string             `json:"session_id,omitempty"`
	UserID       string             `json:"user_id,omitempty"`
	Agent        seshat.AgentConfig `json:"agent_config"`
	Quotas       seshat.Quotas      `json:"quotas"`
	UserMemory   map[string]any     `json:"user_memory,omitempty"`
	Metadata     map[string]any     `json:"metadata,omitempty"`
	EnableMemory bool               `json:"enable_memory"`
	Labels       map[string]string  `json:"labels,omitempty"`
	Expiry       *expiryBody        `json:"expiry,omitempty"`
}

// expiryBody is a lifecycle. A nil field takes the value of the namespace.
type expiryBody struct {
	TTL          *duration     `json:"ttl,omitempty"`
	Mode         seshat.Expiry `json:"mode,omitempty"`
	MaxLifetime  *duration     `json:"max_lifetime,omitempty"`
	IdleAfter    *duration     `json:"idle_after,omitempty"`
	ArchiveAfter *duration     `json:"archive_after,omitempty"`
	Retention    *duration     `json:"retention,omitempty"`
}

// MarshalText returns the duration in the form that a server parses.
func (d *duration) MarshalText() ([]byte, error) { //nolint:unparam // an encoding.TextMarshaler
	return []byte(d.String()), nil
}

func newExpiryBody(l seshat.Lifecycle) *expiryBody {
	if l == (seshat.Lifecycle{}) {
		return nil
	}
	some := func(d duration) *duration {
		if d == 0 {
			return nil
		}
		return &d
	}
	return &expiryBody{
		TTL: some(duration(l.TTL)), Mode: l.Expiry, MaxLifetime: some(duration(l.MaxLifetime)),
		IdleAfter: some(duration(l.IdleAfter)), ArchiveAfter: some(duration(l.ArchiveAfter)),
		Retention: some(duration(l.Retention)),
	}
}

// Create creates a session.
func (r *remote) Create(ctx context.Context, n seshat.NewSession) (s session, err error) {
	if n.Name != "" {
		return s, usagef("--name: not allowed on a server, which names a session after its first user message")
	}
	_, err = r.fetch(ctx, request{method: http.MethodPost, path: sessionsPath, body: createBody{
		SessionID: n.ID, UserID: n.UserID, Agent: n.Agent, Quotas: n.Quotas, UserMemory: n.UserMemory,
		Metadata: n.Metadata, EnableMemory: !n.DisableMemory, Labels: n.Labels, Expiry: newExpiryBody(n.Lifecycle),
	}}, &s)
	return s, err
}
