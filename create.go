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
	User       string            // opaque id of the user
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
	UserState      map[string]any // ErrInvalid without User
	NamespaceState map[string]any

	// DisableMemory creates the session without user memory: UserMemory must
	// be empty, now and in every Update.
	DisableMemory bool
}

func (n *NewSession) check() error {
	if err := checkOptional("session_id", n.ID); err != nil {
		return err
	}
	if err := checkOptional("user_id", n.User); err != nil {
		return err
	}
	if err := checkTitle(n.Name); err != nil {
		return err
	}
	if err := n.Agent.check(); err != nil {
		return err
	}
	if err := n.Quotas.check(); err != nil {
		return err
	}
	if n.DisableMemory && len(n.UserMemory) > 0 {
		return errMemoryDisabled
	}
	if err := checkLabels(n.Labels); err != nil {
		return err
	}
	return n.Lifecycle.check("lifecycle")
}

var errMemoryDisabled = invalid("user_memory", "is disabled for this session")

// build makes the session that n describes, in a namespace, at now.
func (n *NewSession) build(ns *Namespace, base Lifecycle, now int64) (*stored, error) {
	s := &stored{Session: Session{
		ID: n.ID, NamespaceID: ns.ID, InternalID: ns.InternalID, UserID: n.User,
		Name: n.Name, Agent: n.Agent.clone(), Quotas: n.Quotas, Labels: maps.Clone(n.Labels),
		Version: 1, MemoryDisabled: n.DisableMemory,
	}}
	s.UserMemory, s.Metadata = Doc(n.UserMemory), Doc(n.Metadata)
	if err := s.checkDocuments(); err != nil {
		return nil, err
	}
	s.incarnation = driver.Incarnation(newULID(now))
	s.own, s.filed = n.Lifecycle, driver.Never
	s.begin(n.Lifecycle.or(ns.Lifecycle).or(base).life(), now)
	return s, nil
}

// begin starts the session's course at now.
func (s *stored) begin(life rules.Life, now int64) {
	s.updated = now
	s.course = rules.Course{
		Life: life, Status: rules.Active, StatusAt: now,
		Created: now, Active: now, MaxAge: maxAge(s.Quotas),
	}
	s.course.Write(now)
	s.publish()
}

func maxAge(q Quotas) int64 {
	if q.MaxSessionDurationMinutes == 0 {
		return rules.Never
	}
	return int64(q.MaxSessionDurationMinutes) * 60_000
}

// Create makes a session. ErrExists: n.ID is taken by a live session. ErrQuota:
// the namespace is full. ErrInvalid, ErrNotFound (the namespace was deleted).
func (t *Tenant) Create(ctx context.Context, n NewSession) (*Session, error) {
	return t.create(ctx, "Create", n, func(*change) error { return ErrExists })
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
			return nil, false, t.fail("Ensure", n.ID, cause(err))
		}
	}
	created = true
	s, err = t.create(ctx, "Ensure", n, func(*change) error {
		created = false
		return nil
	})
	return s, created && err == nil, err
}

// create makes the session unless there is one: then found decides.
func (t *Tenant) create(ctx context.Context, op string, n NewSession, found func(*change) error) (*Session, error) {
	if n.ID == "" {
		n.ID = NewSessionID()
	}
	if err := n.check(); err != nil {
		return nil, t.fail(op, n.ID, err)
	}
	state, err := newMerge(SessionState(n.ID), "state", n.State)
	if err != nil {
		return nil, t.fail(op, n.ID, err)
	}
	shared, err := n.shared()
	if err != nil {
		return nil, t.fail(op, n.ID, err)
	}
	return t.write(ctx, op, n.ID, driver.Target{Entries: shared.targets(t.ord)}, func(c *change) (err error) {
		if c.s != nil {
			return found(c)
		}
		if r := c.view.Record; r != nil {
			c.expired(r)
		}
		if c.s, err = n.build(c.ns, t.s.opts.Lifecycle, c.now); err != nil {
			return err
		}
		c.addSessions, c.kind, c.put = 1, eventCreated, true
		if err := state.begin(&c.out, t.ord); err != nil {
			return err
		}
		return shared.apply(&c.out, t.ord, 0, c.view.Entries[1:])
	})
}

// shared is the state that n brings for scopes which outlive the session.
func (n *NewSession) shared() (ms merges, err error) {
	if len(n.UserState) > 0 {
		if n.User == "" {
			return nil, invalid("user_state", "is given, but the session has no user")
		}
		m, err := newMerge(UserState(n.User), "user_state", n.UserState)
		if err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	if len(n.NamespaceState) > 0 {
		m, err := newMerge(NamespaceState(), "namespace_state", n.NamespaceState)
		if err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	return ms, nil
}
