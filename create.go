package seshat

import (
	"context"
	"errors"
	"maps"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// NewSession is what Create and Ensure make a session of. Every field is
// optional.
type NewSession struct {
	ID         string            // the caller's own id; by default "ses_" and a ULID
	UserID     string            // opaque id of the user
	Name       string            // by default made from the first user message
	Agent      AgentConfig       // copied
	Quotas     Quotas            // zero fields are unlimited
	UserMemory map[string]any    // see Doc for what values are allowed; copied
	Metadata   map[string]any    // likewise
	Labels     map[string]string // copied
	State      map[string]any    // initial state of the session: see MergeState; copied
	Lifecycle  Lifecycle         // zero fields come from the namespace, then Options

	// UserState and NamespaceState are merged into the scopes of the session's
	// user and of the namespace, as MergeState does, in the same transaction,
	// if the session is made.
	UserState      map[string]any // ErrInvalid without UserID
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

var errMemoryDisabled = refuse("user_memory", "is not empty, and this session has no user memory; leave it empty")

// newStored makes the session that n describes, in a namespace, at now.
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

// startTimeline starts the session's course at now.
func (s *storedSession) startTimeline(life rules.Lifecycle, now int64) {
	s.updated = now
	s.timeline = rules.Timeline{
		Lifecycle: life, Status: rules.Active, StatusAt: now,
		Created: now, Active: now, MaxAge: maxAge(s.Quotas),
	}
	s.timeline.RecordWrite(now)
	s.publish()
}

// Create makes a session. ErrExists: n.ID is taken by a live session. ErrQuota:
// the namespace is full. ErrInvalid, ErrNotFound (the namespace was deleted).
func (t *Tenant) Create(ctx context.Context, n NewSession) (*Session, error) {
	return t.create(ctx, "Create", n, func(exists error) error { return exists })
}

// Ensure returns the live session n.ID, or makes it of n, and reports whether
// it did. One that exists is not changed, whatever else n says. Errors as of
// Create, but for ErrExists.
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

// create makes the session. If there is one, found gets ErrExists and decides
// how the call ends.
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

// checkIDAvailable refuses an id that is taken, before a log is staged for nothing.
// ErrExists.
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
