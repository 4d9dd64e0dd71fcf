package adk

import (
	"context"

	"google.golang.org/adk/v2/platform"
	"google.golang.org/adk/v2/session"

	"github.com/seshatdb/seshat"
)

// Options configure a Service. The zero value is a good default.
type Options struct {
	// OrganizationID is the organization that owns the apps' namespaces. The
	// default is seshat.DefaultOrganization.
	OrganizationID string

	// Lifecycle applies to the sessions that the service creates. Zero fields
	// are inherited from the app's namespace, then from the store, whose
	// default TTL is [seshat.DefaultTTL].
	Lifecycle seshat.Lifecycle

	// Quotas apply to the sessions that the service creates. The default is
	// none.
	Quotas seshat.Quotas

	// AllowConcurrentAppend lets AppendEvent succeed on a handle that missed
	// events: the event is appended after them. It is for writers that do not
	// depend on earlier events, such as one that reports a human's decision.
	// Such a writer may use a service of its own on the same store, because
	// handles work with each service on the store. By default such an append is
	// a [StaleError].
	AllowConcurrentAppend bool

	// DeleteNil makes a nil in a state delta delete the key. By default the key
	// stays with the value nil, as in ADK's own services.
	DeleteNil bool
}

// Service is a session.Service on a store. It is safe for concurrent use.
type Service struct {
	store *seshat.Store
	o     Options
}

var _ session.Service = (*Service)(nil)

// New returns a service on the store. The caller closes the store. If an option
// is not allowed, the calls that use it return seshat.ErrInvalid.
func New(store *seshat.Store, o Options) *Service { return &Service{store: store, o: o} }

// Tenant returns the namespace of an app, in which [SessionID] is the id of a
// session. It returns seshat.ErrNotFound if the app has no session yet.
func (s *Service) Tenant(ctx context.Context, app string) (*seshat.Tenant, error) {
	return s.store.Tenant(ctx, s.namespace(app))
}

func (s *Service) namespace(app string) seshat.Namespace {
	return seshat.Namespace{Name: NamespaceName(app), OrganizationID: s.o.OrganizationID}
}

// Create creates a session. Its state is stored in the same transaction,
// including that of the app and the user.
func (s *Service) Create(ctx context.Context, req *session.CreateRequest) (*session.CreateResponse, error) {
	if req.AppName == "" || req.UserID == "" {
		return nil, invalid("app_name and user_id are required, got app_name: %q, user_id: %q", req.AppName, req.UserID)
	}
	id := req.SessionID
	if id == "" {
		id = platform.NewUUID(ctx)
	}
	n, err := s.newSession(req.UserID, id, req.State)
	if err != nil {
		return nil, err
	}
	t, err := s.store.EnsureTenant(ctx, s.namespace(req.AppName))
	if err != nil {
		return nil, err
	}
	stored, err := t.Create(ctx, n)
	if err != nil {
		return nil, explain(err, id)
	}
	h := s.handle(t, stored, req.AppName, req.UserID, id)
	if h.state, err = readShared(ctx, t, req.UserID); err != nil {
		return nil, explain(err, id)
	}
	s.apply(h.state, req.State)
	return &session.CreateResponse{Session: h}, nil
}

func (s *Service) newSession(userID, id string, state map[string]any) (seshat.NewSession, error) {
	delta, err := s.split(state)
	return seshat.NewSession{
		ID: SessionID(userID, id), UserID: UserName(userID), Metadata: keepNames(userID, id),
		Lifecycle: s.o.Lifecycle, Quotas: s.o.Quotas,
		State: delta.own, UserState: delta.user, NamespaceState: delta.app,
	}, err
}

func required(app, userID, id string) error {
	if app == "" || userID == "" || id == "" {
		return invalid("app_name, user_id, session_id are required, got app_name: %q, user_id: %q, session_id: %q",
			app, userID, id)
	}
	return nil
}

// Get returns the session with its events at or after req.After, or with the
// newest req.NumRecentEvents of them, in the order of their appends. Events and
// state are from one state of the session.
func (s *Service) Get(ctx context.Context, req *session.GetRequest) (*session.GetResponse, error) {
	if err := required(req.AppName, req.UserID, req.SessionID); err != nil {
		return nil, err
	}
	t, err := s.Tenant(ctx, req.AppName)
	if err != nil {
		return nil, explain(err, req.SessionID)
	}
	h, err := s.read(ctx, t, req)
	if err != nil {
		return nil, explain(err, req.SessionID)
	}
	return &session.GetResponse{Session: h}, nil
}

// List returns the sessions of a user, or of all users of the app if UserID is
// empty, newest first by creation. They have state but no events.
func (s *Service) List(ctx context.Context, req *session.ListRequest) (*session.ListResponse, error) {
	if req.AppName == "" {
		return nil, invalid("app_name is required, got app_name: %q", req.AppName)
	}
	list := &session.ListResponse{Sessions: []session.Session{}}
	t, err := s.Tenant(ctx, req.AppName)
	if absent(err) {
		return list, nil
	}
	if err != nil {
		return nil, err
	}
	q := seshat.Query{Limit: seshat.MaxPage}
	if req.UserID != "" {
		q.UserID = UserName(req.UserID)
	}
	l := lister{s: s, t: t, app: req.AppName, users: map[string]map[string]any{}}
	for {
		page, err := t.List(ctx, q)
		if err != nil {
			return nil, err
		}
		if list.Sessions, err = l.add(ctx, list.Sessions, page.Sessions); err != nil {
			return nil, err
		}
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			return list, nil
		}
	}
}

// Delete removes a session with its events and state. It is no error if the
// session does not exist.
func (s *Service) Delete(ctx context.Context, req *session.DeleteRequest) error {
	if err := required(req.AppName, req.UserID, req.SessionID); err != nil {
		return err
	}
	t, err := s.Tenant(ctx, req.AppName)
	if err == nil {
		_, err = t.Delete(ctx, SessionID(req.UserID, req.SessionID))
	}
	if absent(err) {
		return nil
	}
	return err
}

// DeleteUser removes all data of a user in an app: sessions with their events
// and state, and the state under "user:". The data is invisible at once and for
// good. It is no error if the user has no data.
func (s *Service) DeleteUser(ctx context.Context, app, userID string) (seshat.EraseReport, error) {
	if app == "" || userID == "" {
		return seshat.EraseReport{},
			invalid("app_name and user_id are required, got app_name: %q, user_id: %q", app, userID)
	}
	t, err := s.Tenant(ctx, app)
	var erased seshat.EraseReport
	if err == nil {
		erased, err = t.DeleteUser(ctx, UserName(userID))
	}
	if absent(err) {
		return erased, nil
	}
	return erased, err
}
