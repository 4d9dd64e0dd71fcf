package seshat

import (
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"sync/atomic"

	"github.com/seshatdb/seshat/driver"
)

// Tenant is a handle on one namespace, and the only way to reach its sessions:
// code that holds one tenant's handle cannot name another's data. It is safe
// for concurrent use, and stays valid when the namespace is renamed. Once the
// namespace is deleted its calls find nothing, and writes return ErrNotFound.
type Tenant struct {
	store        *Store
	id           string
	organization string
	ordinal      uint64
	cache        atomic.Pointer[namespaceCache]
}

// namespaceCache is a namespace beside the bytes it was decoded from, so that
// an unchanged one need not be decoded for every write.
type namespaceCache struct {
	enc string
	ns  *Namespace
}

// CreateTenant creates a namespace of n.Name in n.InternalID. n.ID must be
// empty. ErrExists: the organization has one of that name. ErrInvalid.
func (s *Store) CreateTenant(ctx context.Context, n Namespace) (*Tenant, error) {
	t, created, err := s.ensureTenant(ctx, n)
	if !created && (err == nil || errors.Is(err, ErrNotFound)) { // it may be gone again
		err = ErrExists
	}
	if err != nil {
		return nil, &Error{Op: "CreateTenant", Tenant: n.Name, Err: err}
	}
	return t, nil
}

// EnsureTenant returns the namespace of n.Name in n.InternalID, which is
// created if there is none; n.ID must be empty. One that exists is not changed,
// whatever else n says. ErrInvalid.
func (s *Store) EnsureTenant(ctx context.Context, n Namespace) (*Tenant, error) {
	if n.InternalID == "" {
		n.InternalID = DefaultOrganization
	}
	if err := n.check(); err != nil {
		return nil, &Error{Op: "EnsureTenant", Tenant: n.Name, Err: err}
	}
	t, err := s.findTenant(ctx, n.InternalID, n.Name)
	for try := 0; errors.Is(err, ErrNotFound) && try < maxRetries; try++ {
		t, _, err = s.ensureTenant(ctx, n) // one that is there may be gone again
	}
	if err != nil {
		return nil, &Error{Op: "EnsureTenant", Tenant: n.Name, Err: err}
	}
	return t, nil
}

// Tenant returns the namespace that ref names by ID, or by Name if ID is
// empty, within ref.InternalID; what else ref says is ignored. A Name that has
// the form of an id is taken for one. ErrNotFound: that organization has none
// such. ErrInvalid.
func (s *Store) Tenant(ctx context.Context, ref Namespace) (*Tenant, error) {
	name := ref.ID
	if name == "" {
		name = ref.Name
	}
	t, err := s.findTenant(ctx, ref.InternalID, name)
	if err != nil {
		return nil, &Error{Op: "Tenant", Tenant: name, Err: err}
	}
	return t, nil
}

func (s *Store) findTenant(ctx context.Context, org, name string) (*Tenant, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	if org == "" {
		org = DefaultOrganization
	}
	if err := checkName("internal_id", org); err != nil {
		return nil, err
	}
	if err := checkName("name", name); err != nil {
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

// decodeNamespaceOf is decodeNamespace of an organization's namespace. ErrNotFound:
// it is another's.
func decodeNamespaceOf(enc []byte, org string) (*Namespace, error) {
	n, err := decodeNamespace(enc)
	if err == nil && n.InternalID != org {
		err = ErrNotFound
	}
	return n, err
}

// tenantByID returns the organization's namespace of that id. ErrNotFound.
//
// Where there is none of that id it reads the next one, in vain, so that what
// it costs does not tell whether another organization has it. Only behind the
// store's newest namespace there is nothing to read.
func (s *Store) tenantByID(ctx context.Context, org, id string) (*Tenant, error) {
	last := len(id) - 1
	found, err := s.d.Entries(ctx, driver.EntryQuery{
		Kind: kindNamespace, After: id[:last] + string(id[last]-1), Limit: 1, // ids are ASCII, and of one length
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
	t := &Tenant{store: s, id: n.ID, organization: n.InternalID, ordinal: n.ordinal}
	t.cache.Store(&namespaceCache{enc: string(enc), ns: n})
	return t
}

// readEntry reads one small value. ErrNotFound.
func (s *Store) readEntry(ctx context.Context, k driver.EntryKey) ([]byte, error) {
	found, err := s.d.Entries(ctx, driver.EntryQuery{
		Namespace: k.Namespace, Kind: k.Kind, Owner: k.Owner, Name: k.Name, Limit: 1,
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	return found[0].Value, nil
}

func (n *Namespace) check() error {
	if n.ID != "" {
		return invalid("namespace_id", "is given; the store makes it")
	}
	if err := checkName("internal_id", n.InternalID); err != nil {
		return err
	}
	if err := checkNamespaceName(n.Name); err != nil {
		return err
	}
	return n.Lifecycle.check("lifecycle")
}

func checkNamespaceName(name string) error {
	if err := checkName("name", name); err != nil {
		return err
	}
	if isNamespaceID(name) {
		return invalid("name", "has the form of a namespace's id")
	}
	return nil
}

// ensureTenant creates the namespace unless there is one of its name.
func (s *Store) ensureTenant(ctx context.Context, n Namespace) (*Tenant, bool, error) {
	if err := checkContext(ctx); err != nil {
		return nil, false, err
	}
	if n.InternalID == "" {
		n.InternalID = DefaultOrganization
	}
	if err := n.check(); err != nil {
		return nil, false, err
	}
	var enc []byte
	var taken string
	nameKey := namespaceNameKey(n.InternalID, n.Name)
	err := s.mutate(ctx, driver.Target{Entries: []driver.EntryKey{nameKey, ordinalKey()}},
		func(v driver.View) (driver.Change, error) {
			if taken = string(v.Entries[0]); taken != "" {
				return driver.Change{}, nil
			}
			last := uint64(0)
			if b := v.Entries[1]; len(b) == 8 {
				last = binary.BigEndian.Uint64(b)
			}
			n.ordinal, n.ID = last+1, namespacePrefix+newULID(v.Now).String()
			n.CreatedAt, n.UpdatedAt = timeFromMillis(v.Now), timeFromMillis(v.Now)
			enc = encodeNamespace(nil, &n)
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
		t, err := s.findTenant(ctx, n.InternalID, n.Name)
		return t, false, err
	}
	return s.newTenant(&n, enc), true, nil
}

// mutate runs one op, and wakes those who watch what it did.
func (s *Store) mutate(ctx context.Context, t driver.Target, plan func(driver.View) (driver.Change, error)) error {
	news := false
	op := &driver.Op{Target: t, Clock: s.clock.Read, Plan: func(v driver.View) (driver.Change, error) {
		if s.opts.ReadOnly {
			return driver.Change{}, ErrReadOnly
		}
		c, err := plan(v)
		news = len(c.Events) > 0 || c.Erase != nil
		return c, err
	}}
	err := s.d.Mutate(ctx, op)
	if err == nil && news || errors.Is(err, ErrUnknown) {
		s.hub.Announce(t.Key.Namespace)
	}
	return err
}

// ID returns the namespace's id.
func (t *Tenant) ID() string { return t.id }

// InternalID returns the organization that owns the namespace.
func (t *Tenant) InternalID() string { return t.organization }

// name is the namespace's name as last seen, for errors.
func (t *Tenant) name() string { return t.cache.Load().ns.Name }

func (t *Tenant) wrapError(op, id string, err error) error {
	return &Error{Op: op, Tenant: t.name(), ID: id, Err: err}
}

// cachedNamespace returns the namespace stored as enc. ErrNotFound: enc is nil.
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

// readNamespace returns the namespace as it is stored.
func (t *Tenant) readNamespace(ctx context.Context) (*Namespace, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	enc, err := t.store.readEntry(ctx, namespaceKey(t.id))
	if err != nil {
		return nil, err
	}
	return t.cachedNamespace(enc)
}

// Namespace returns the namespace as it is stored now. ErrNotFound: it was
// deleted.
func (t *Tenant) Namespace(ctx context.Context) (Namespace, error) {
	n, err := t.readNamespace(ctx)
	if err != nil {
		return Namespace{}, t.wrapError("Namespace", "", err)
	}
	return *n, nil
}

// Rename gives the namespace another name. ErrExists: the organization has one
// of that name. ErrNotFound, ErrInvalid.
func (t *Tenant) Rename(ctx context.Context, name string) error {
	if err := checkNamespaceName(name); err != nil {
		return t.wrapError("Rename", "", err)
	}
	key := namespaceNameKey(t.organization, name)
	return t.updateNamespace(ctx, "Rename", []driver.EntryKey{key}, func(v driver.View, n *Namespace, out *driver.Change) error {
		if n.Name == name {
			return nil
		}
		if v.Entries[1] != nil {
			return ErrExists
		}
		out.Entries = append(out.Entries,
			driver.Entry{EntryKey: namespaceNameKey(t.organization, n.Name)},
			driver.Entry{EntryKey: key, Value: []byte(t.id)})
		n.Name = name
		return nil
	})
}

// SetLifecycle replaces the lifecycle that the namespace gives to its new
// sessions; see [Tenant.ApplyPolicy] for the others. ErrNotFound, ErrInvalid.
func (t *Tenant) SetLifecycle(ctx context.Context, l Lifecycle) error {
	if err := l.check("lifecycle"); err != nil {
		return t.wrapError("SetLifecycle", "", err)
	}
	return t.updateNamespace(ctx, "SetLifecycle", nil, func(_ driver.View, n *Namespace, _ *driver.Change) error {
		n.Lifecycle = l
		return nil
	})
}

// SetQuotas replaces the namespace's quotas. What is there already stays, even
// if it is more than they allow. ErrNotFound.
func (t *Tenant) SetQuotas(ctx context.Context, q NamespaceQuotas) error {
	return t.updateNamespace(ctx, "SetQuotas", nil, func(_ driver.View, n *Namespace, _ *driver.Change) error {
		n.Quotas = q
		return nil
	})
}

// updateNamespace changes the stored namespace.
func (t *Tenant) updateNamespace(ctx context.Context, op string, also []driver.EntryKey,
	fn func(driver.View, *Namespace, *driver.Change) error,
) error {
	if err := checkContext(ctx); err != nil {
		return t.wrapError(op, "", err)
	}
	var enc []byte
	var n Namespace
	target := driver.Target{Entries: append([]driver.EntryKey{namespaceKey(t.id)}, also...)}
	err := t.store.mutate(ctx, target, func(v driver.View) (driver.Change, error) {
		stored, err := t.cachedNamespace(v.Entries[0])
		if err != nil {
			return driver.Change{}, err
		}
		n = *stored
		var out driver.Change
		if err := fn(v, &n, &out); err != nil {
			return driver.Change{}, err
		}
		n.UpdatedAt = timeFromMillis(v.Now)
		enc = encodeNamespace(nil, &n)
		out.Entries = append(out.Entries, driver.Entry{EntryKey: namespaceKey(t.id), Value: enc})
		return out, nil
	})
	if err != nil {
		return t.wrapError(op, "", err)
	}
	t.cache.Store(&namespaceCache{enc: string(enc), ns: &n})
	return nil
}

// Usage is what a namespace holds: live sessions by status, and their messages
// and bytes as stored.
type Usage struct {
	Active, Idle, Archived, Terminated uint64
	Messages, Bytes                    uint64
}

// Sessions is the number of all sessions.
func (u Usage) Sessions() uint64 { return u.Active + u.Idle + u.Archived + u.Terminated }

func newUsage(u driver.Usage) Usage {
	return Usage{
		Active: u.Sessions[Active], Idle: u.Sessions[Idle],
		Archived: u.Sessions[Archived], Terminated: u.Sessions[Terminated],
		Messages: u.Messages, Bytes: u.Bytes,
	}
}

// Usage returns what the namespace holds, exactly: sessions that have expired
// do not count, swept or not. ErrNotFound: it was deleted.
func (t *Tenant) Usage(ctx context.Context) (Usage, error) {
	if _, err := t.readNamespace(ctx); err != nil {
		return Usage{}, t.wrapError("Usage", "", err)
	}
	u, err := t.store.d.Count(ctx, driver.Query{Namespace: t.ordinal, Now: t.store.clock.Read()})
	if err != nil {
		return Usage{}, t.wrapError("Usage", "", err)
	}
	return newUsage(u), nil
}

// Namespaces returns the namespaces of an organization, by name; "" means
// DefaultOrganization. The loop body may call the store. It ends after the
// first error. ErrInvalid.
func (s *Store) Namespaces(ctx context.Context, internalID string) iter.Seq2[Namespace, error] {
	if internalID == "" {
		internalID = DefaultOrganization
	}
	return s.namespaces(ctx, internalID, driver.EntryQuery{Kind: kindNamespaceName, Owner: internalID})
}

// AllNamespaces returns the namespaces of every organization. It is for the
// operator of the store, never for a tenant.
func (s *Store) AllNamespaces(ctx context.Context) iter.Seq2[Namespace, error] {
	return s.namespaces(ctx, DefaultOrganization, driver.EntryQuery{Kind: kindNamespaceName, AllOwners: true})
}

// namespacePage is how many names are read at once.
const namespacePage = 256

func (s *Store) namespaces(ctx context.Context, org string, q driver.EntryQuery) iter.Seq2[Namespace, error] {
	return func(yield func(Namespace, error) bool) {
		fail := func(err error) { yield(Namespace{}, &Error{Op: "Namespaces", Err: err}) }
		if err := checkName("internal_id", org); err != nil {
			fail(err)
			return
		}
		q.Limit = namespacePage
		for {
			if err := checkContext(ctx); err != nil {
				fail(err)
				return
			}
			page, err := s.d.Entries(ctx, q)
			if err != nil {
				fail(err)
				return
			}
			for _, e := range page {
				n, err := s.namespaceByID(ctx, string(e.Value))
				if err == ErrNotFound { // deleted since the page was read
					continue
				}
				if err != nil {
					fail(err)
					return
				}
				if !yield(*n, nil) {
					return
				}
				q.Owner, q.After = e.Owner, e.Name
			}
			if len(page) < q.Limit {
				return
			}
			q.Owner, q.After = page[len(page)-1].Owner, page[len(page)-1].Name
		}
	}
}

func (s *Store) namespaceByID(ctx context.Context, id string) (*Namespace, error) {
	b, err := s.readEntry(ctx, namespaceKey(id))
	if err != nil {
		return nil, err
	}
	return decodeNamespace(b)
}
