package seshat

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"

	"github.com/seshatdb/seshat/driver"
)

// Tenant is a handle on one namespace, and the only way to reach its sessions.
// Code that has the handle of one tenant cannot name data of another. It is
// safe for concurrent use, and stays valid when the namespace is renamed. After
// the namespace is deleted, reads find nothing and writes return ErrNotFound.
type Tenant struct {
	store        *Store
	id           string
	organization string
	ordinal      uint64
	cache        atomic.Pointer[namespaceCache]
}

// namespaceCache is a decoded namespace with its stored form, so that a write
// decodes the namespace only if it changed.
type namespaceCache struct {
	enc string
	ns  *Namespace
}

// CreateTenant creates the namespace n.Name in n.OrganizationID, with n's
// lifecycle and quotas. n.ID must be empty.
//
// Errors: ErrExists if the organization has a namespace of that name;
// ErrInvalid.
func (s *Store) CreateTenant(ctx context.Context, n Namespace) (*Tenant, error) {
	t, created, err := s.ensureTenant(ctx, n)
	if !created && (err == nil || errors.Is(err, ErrNotFound)) { // it may have been deleted since
		err = ErrExists
	}
	if err != nil {
		return nil, &Error{Op: "CreateTenant", Tenant: n.Name, Err: err}
	}
	return t, nil
}

// EnsureTenant returns the namespace n.Name in n.OrganizationID, and creates it
// from n if there is none. It never changes an existing namespace. n.ID must be
// empty.
//
// Errors: ErrInvalid.
func (s *Store) EnsureTenant(ctx context.Context, n Namespace) (*Tenant, error) {
	n.OrganizationID = orgOrDefault(n.OrganizationID)
	if err := n.check().err(); err != nil {
		return nil, &Error{Op: "EnsureTenant", Tenant: n.Name, Err: err}
	}
	t, err := s.findTenant(ctx, n.OrganizationID, n.Name)
	if errors.Is(err, ErrNotFound) {
		err = retry(ctx, func() (err error) {
			t, _, err = s.ensureTenant(ctx, n)
			if errors.Is(err, ErrNotFound) { // it existed, and was deleted since
				return &lostRaceError{err}
			}
			return err
		})
	}
	if err != nil {
		return nil, &Error{Op: "EnsureTenant", Tenant: n.Name, Err: err}
	}
	return t, nil
}

// Tenant returns the namespace of ref.OrganizationID with the id ref.ID or, if
// that is empty, with the name ref.Name. It ignores other fields of ref. If the
// Name has the form of an id, it is looked up as an id.
//
// Errors: ErrNotFound if the organization has no such namespace; ErrInvalid.
func (s *Store) Tenant(ctx context.Context, ref Namespace) (*Tenant, error) {
	name := ref.ID
	if name == "" {
		name = ref.Name
	}
	t, err := s.findTenant(ctx, ref.OrganizationID, name)
	if err != nil {
		return nil, &Error{Op: "Tenant", Tenant: name, Err: err}
	}
	return t, nil
}

func (s *Store) findTenant(ctx context.Context, org, name string) (*Tenant, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	org = orgOrDefault(org)
	if err := checkName("internal_id", org).err(); err != nil {
		return nil, err
	}
	if err := checkName("name", name).err(); err != nil {
		return nil, err
	}
	if isNamespaceID(name) {
		return s.tenantByID(ctx, org, name)
	}
	id, err := s.readEntry(ctx, namespaceNameKey(org, name))
	if err != nil {
		return nil, err
	}
	b, err := s.readEntry(ctx, namespaceKey(string(id)))
	if err != nil {
		return nil, err
	}
	n, err := decodeNamespaceOf(b, org)
	if err != nil {
		return nil, err
	}
	return s.newTenant(n, b), nil
}

// decodeNamespaceOf decodes a namespace of an organization. If another
// organization owns it, it returns ErrNotFound.
func decodeNamespaceOf(enc []byte, org string) (*Namespace, error) {
	n, err := decodeNamespace(enc)
	if err == nil && n.OrganizationID != org {
		err = ErrNotFound
	}
	return n, err
}

// tenantByID returns the organization's namespace with that id. Errors:
// ErrNotFound.
//
// If there is no such namespace, it reads and drops the next one, so its cost
// does not tell whether another organization has a namespace with that id. It
// reads nothing only if the id sorts after every namespace of the store.
func (s *Store) tenantByID(ctx context.Context, org, id string) (*Tenant, error) {
	last := len(id) - 1
	found, err := s.d.Entries(ctx, driver.EntryQuery{
		Kind: kindNamespace, After: id[:last] + string(id[last]-1), Limit: 1, // ids are ASCII and have one length
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	n, err := decodeNamespaceOf(found[0].Value, org)
	if found[0].Name != id {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return s.newTenant(n, found[0].Value), nil
}

func (s *Store) newTenant(n *Namespace, enc []byte) *Tenant {
	s.knownIDs.add(n)
	t := &Tenant{store: s, id: n.ID, organization: n.OrganizationID, ordinal: n.ordinal}
	t.cache.Store(&namespaceCache{enc: string(enc), ns: n})
	return t
}

// ensureTenant creates the namespace, or finds the existing one of that name.
func (s *Store) ensureTenant(ctx context.Context, n Namespace) (*Tenant, bool, error) {
	if err := checkContext(ctx); err != nil {
		return nil, false, err
	}
	n.OrganizationID = orgOrDefault(n.OrganizationID)
	if err := n.check().err(); err != nil {
		return nil, false, err
	}
	var enc []byte
	var taken string
	nameKey := namespaceNameKey(n.OrganizationID, n.Name)
	err := s.mutate(ctx, driver.Target{Entries: []driver.EntryKey{nameKey, ordinalKey()}},
		func(v driver.View) (driver.Change, error) {
			if taken = string(v.Entries[0]); taken != "" {
				return driver.Change{}, nil
			}
			last := uint64(0)
			if b := v.Entries[1]; len(b) == 8 {
				last = binary.BigEndian.Uint64(b)
			}
			n.ordinal = last + 1
			n.ID = namespacePrefix + newULID(v.Now).String()
			n.CreatedAt = timeFromMillis(v.Now)
			n.UpdatedAt = n.CreatedAt
			enc = encodeNamespace(&n)
			return driver.Change{Entries: []driver.Entry{
				{EntryKey: namespaceKey(n.ID), Value: enc},
				{EntryKey: nameKey, Value: []byte(n.ID)},
				{EntryKey: ordinalKey(), Value: binary.BigEndian.AppendUint64(nil, n.ordinal)},
			}}, nil
		})
	switch {
	case err != nil:
		return nil, false, err
	case taken != "":
		t, err := s.findTenant(ctx, n.OrganizationID, n.Name)
		return t, false, err
	}
	return s.newTenant(&n, enc), true, nil
}

// ID returns the namespace's id.
func (t *Tenant) ID() string { return t.id }

// OrganizationID returns the organization that owns the namespace.
func (t *Tenant) OrganizationID() string { return t.organization }

// name returns the namespace's last known name, for errors.
func (t *Tenant) name() string { return t.cache.Load().ns.Name }

// cachedNamespace returns the namespace stored as enc. If enc is nil, it
// returns ErrNotFound.
func (t *Tenant) cachedNamespace(enc []byte) (*Namespace, error) {
	if enc == nil {
		return nil, ErrNotFound
	}
	if last := t.cache.Load(); last.enc == string(enc) {
		return last.ns, nil
	}
	n, err := decodeNamespace(enc)
	if err != nil {
		return nil, err
	}
	t.cache.Store(&namespaceCache{enc: string(enc), ns: n})
	return n, nil
}

// checkCall checks the arguments that all calls on a session share.
func (t *Tenant) checkCall(ctx context.Context, id string) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	return checkName("session_id", id).err()
}

func (t *Tenant) wrapError(op, id string, err error) error {
	return &Error{Op: op, Tenant: t.name(), ID: id, Err: err}
}

// wrapOnReturn wraps the error that a method returns, unless writeSession did:
//
//	defer t.wrapOnReturn(op, id, &err)
func (t *Tenant) wrapOnReturn(op, id string, err *error) {
	if *err == nil {
		return
	}
	if e, ok := (*err).(*Error); ok && e.Op == op && e.ID == id { //nolint:errorlint // only the outermost
		return
	}
	*err = t.wrapError(op, id, *err)
}
