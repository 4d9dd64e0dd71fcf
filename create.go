package seshat

import (
	"context"
	"errors"
	"maps"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// NewSession describes the session that [Tenant.Create] and [Tenant.Ensure]
// create. Every field is optional. The store copies all fields.
type NewSession struct {
	ID         string            // the caller's own id; the default is "ses_" and a ULID
	UserID     string            // opaque id of the user; "" = none
	Name       string            // the default is a title from the first user message; see Options.Title
	Agent      AgentConfig       // configuration of the agent
	Quotas     Quotas            // limits of the session
	UserMemory map[string]any    // facts about the user; see NewDocument for the allowed values
	Metadata   map[string]any    // see NewDocument for the allowed values
	Labels     map[string]string // at most MaxLabels
	State      map[string]any    // initial state of the session; see MergeState for the allowed values
	Lifecycle  Lifecycle         // deadlines of the session

	// UserState and NamespaceState are merged into the scopes of the session's
	// user and of the namespace, as MergeState does, in the same transaction.
	// If the session exists already, they are not merged.
	UserState      map[string]any // not allowed without UserID
	NamespaceState map[string]any

	// DisableMemory creates the session without user memory: UserMemory must
	// be empty, now and in every Update.
	DisableMemory bool
}

func (n *NewSession) check() *fieldError {
	if e := checkOptional("session_id", n.ID); e != nil {
		return e
	}
	if e := checkOptional("user_id", n.UserID); e != nil {
		return e
	}
	if e := checkSessionName(n.Name); e != nil {
		return e
	}
	if e := n.Agent.check(); e != nil {
		return e.at("agent_config")
	}
	if e := n.Quotas.check(); e != nil {
		return e.at("quotas")
	}
	if n.DisableMemory && len(n.UserMemory) > 0 {
		return errMemoryDisabled
	}
	if e := checkLabels(n.Labels); e != nil {
		return e
	}
	return n.Lifecycle.check().at("lifecycle")
}

// newStored returns the session that n describes, created in ns at now.
func (n *NewSession) newStored(ns *Namespace, life rules.Lifecycle, now int64) (*storedSession, error) {
	s := &storedSession{Session: Session{
		ID: n.ID, NamespaceID: ns.ID, OrganizationID: ns.OrganizationID, UserID: n.UserID,
		Name: n.Name, Agent: n.Agent.clone(), Quotas: n.Quotas, Labels: maps.Clone(n.Labels),
		Version: 1, MemoryDisabled: n.DisableMemory,
	}}
	s.UserMemory = NewDocument(n.UserMemory)
	s.Metadata = NewDocument(n.Metadata)
	if err := s.checkDocuments().err(); err != nil {
		return nil, err
	}
	s.incarnation = driver.Incarnation(newULID(now))
	s.chosenLifecycle = n.Lifecycle
	s.filedDue = driver.Never
	s.startTimeline(life, now)
	return s, nil
}

// startTimeline starts the session's timeline at now.
func (s *storedSession) startTimeline(life rules.Lifecycle, now int64) {
	s.updated = now
	s.timeline = rules.Timeline{
		Lifecycle: life, Status: rules.Active, StatusAt: now,
		Created: now, Active: now, MaxAge: maxAge(s.Quotas),
	}
	s.timeline.RecordWrite(now)
	s.publish()
}

// Create creates a session.
//
// Errors: ErrExists if a live session has the id; ErrQuota if the namespace is
// full, see [QuotaError]; ErrNotFound if the namespace was deleted; ErrInvalid.
func (t *Tenant) Create(ctx context.Context, n NewSession) (*Session, error) {
	return t.create(ctx, "Create", n, func(exists error) error { return exists })
}

// Ensure returns the live session n.ID, or creates it from n, and reports
// whether it created it. It never changes an existing session.
//
// Errors: those of [Tenant.Create], except ErrExists.
func (t *Tenant) Ensure(ctx context.Context, n NewSession) (s *Session, created bool, err error) {
	if n.ID != "" {
		s, err := t.Get(ctx, n.ID)
		if err == nil {
			return s, false, nil
		}
		if !errors.Is(err, ErrNotFound) {
			return nil, false, t.wrapError("Ensure", n.ID, unwrapError(err))
		}
	}
	created = true
	s, err = t.create(ctx, "Ensure", n, func(error) error {
		created = false
		return nil
	})
	return s, created && err == nil, err
}

// create creates the session. If the id is taken, create calls found with
// ErrExists and returns its result.
func (t *Tenant) create(ctx context.Context, op string, n NewSession, found func(error) error) (s *Session, err error) {
	if n.ID == "" {
		n.ID = NewSessionID()
	}
	defer t.wrapOnReturn(op, n.ID, &err)
	if err := n.check().err(); err != nil {
		return nil, err
	}
	state, err := newStateMerge(SessionScope(n.ID), "state", n.State)
	if err != nil {
		return nil, err
	}
	shared, err := n.sharedState()
	if err != nil {
		return nil, err
	}
	return t.writeSession(ctx, op, n.ID, driver.Target{Entries: shared.targets(t.ordinal)}, func(c *tenantWrite) error {
		if err := c.takeID(); err != nil {
			return found(err)
		}
		s, err := n.newStored(c.namespace, c.resolve(n.Lifecycle), c.view.Now)
		if err != nil {
			return err
		}
		c.create(s, 0)
		if err := state.applyFresh(&c.out, t.ordinal); err != nil {
			return err
		}
		return shared.apply(&c.out, t.ordinal, 0, c.view.Entries[1:])
	})
}

// checkIDAvailable returns ErrExists if the id is taken, so that no log is
// staged in vain.
func (t *Tenant) checkIDAvailable(ctx context.Context, id string) error {
	_, err := t.Get(ctx, id)
	switch {
	case err == nil:
		return ErrExists
	case errors.Is(err, ErrNotFound):
		return nil
	}
	return unwrapError(err)
}

// sharedState returns the state merges into the scopes of the user and the
// namespace, which outlive the session.
func (n *NewSession) sharedState() (ms stateMerges, err error) {
	if len(n.UserState) > 0 {
		if n.UserID == "" {
			return nil, invalid("user_state", "is not empty, but the session has no user; leave it empty")
		}
		m, err := newStateMerge(UserScope(n.UserID), "user_state", n.UserState)
		if err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	if len(n.NamespaceState) > 0 {
		m, err := newStateMerge(NamespaceScope(), "namespace_state", n.NamespaceState)
		if err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	return ms, nil
}
