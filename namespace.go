package seshat

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// Namespace is the unit of isolation. It owns sessions and has defaults and
// quotas for them.
type Namespace struct {
	ID             string          `json:"namespace_id"` // "ns_" and a ULID; set by the store
	Name           string          `json:"name"`         // unique in its organization; required
	OrganizationID string          `json:"internal_id"`  // the organization; the default is DefaultOrganization
	Lifecycle      Lifecycle       `json:"lifecycle"`    // lifecycle of its new sessions
	Quotas         NamespaceQuotas `json:"quotas"`       // limits of the namespace
	CreatedAt      time.Time       `json:"created_at"`   // UTC with millisecond precision; set by the store
	UpdatedAt      time.Time       `json:"updated_at"`   // UTC with millisecond precision; set by the store

	ordinal uint64
	extra   string // trailing elements of the stored form that this version does not know
}

// DefaultOrganization is the organization of programs that need only one.
const DefaultOrganization = "int_default"

// orgOrDefault returns org, or DefaultOrganization if it is empty.
func orgOrDefault(org string) string { return cmp.Or(org, DefaultOrganization) }

func (n *Namespace) check() *fieldError {
	if n.ID != "" {
		return refuse("namespace_id", "is set by the store; leave it empty")
	}
	if e := checkName("internal_id", n.OrganizationID); e != nil {
		return e
	}
	if e := checkNamespaceName(n.Name); e != nil {
		return e
	}
	return n.Lifecycle.check().at("lifecycle")
}

func checkNamespaceName(name string) *fieldError {
	if e := checkName("name", name); e != nil {
		return e
	}
	if isNamespaceID(name) {
		return refuse("name", "has the form of a namespace's id; any other name is allowed")
	}
	return nil
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

// Namespace returns the namespace as it is stored now.
//
// Errors: ErrNotFound if it was deleted.
func (t *Tenant) Namespace(ctx context.Context) (Namespace, error) {
	n, err := t.readNamespace(ctx)
	if err != nil {
		return Namespace{}, t.wrapError("Namespace", "", err)
	}
	return *n, nil
}

// Rename changes the name of the namespace.
//
// Errors: ErrExists if the organization has a namespace of that name;
// ErrNotFound; ErrInvalid.
func (t *Tenant) Rename(ctx context.Context, name string) error {
	if err := checkNamespaceName(name).err(); err != nil {
		return t.wrapError("Rename", "", err)
	}
	key := namespaceNameKey(t.organization, name)
	return t.updateNamespace(ctx, "Rename", []driver.EntryKey{key},
		func(v driver.View, n *Namespace, out *driver.Change) error {
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

// SetLifecycle replaces the lifecycle of the namespace's new sessions. To
// change its other sessions, call [Tenant.ApplyPolicy].
//
// Errors: ErrNotFound; ErrInvalid.
func (t *Tenant) SetLifecycle(ctx context.Context, l Lifecycle) error {
	if err := l.check().at("lifecycle").err(); err != nil {
		return t.wrapError("SetLifecycle", "", err)
	}
	return t.updateNamespace(ctx, "SetLifecycle", nil, func(_ driver.View, n *Namespace, _ *driver.Change) error {
		n.Lifecycle = l
		return nil
	})
}

// SetQuotas replaces the namespace's quotas. Stored data stays, even if it
// exceeds them.
//
// Errors: ErrNotFound.
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
		enc = encodeNamespace(&n)
		out.Entries = append(out.Entries, driver.Entry{EntryKey: namespaceKey(t.id), Value: enc})
		return out, nil
	})
	if err != nil {
		return t.wrapError(op, "", err)
	}
	t.cache.Store(&namespaceCache{enc: string(enc), ns: &n})
	return nil
}

// PolicyReport is the result of [Tenant.ApplyPolicy].
type PolicyReport struct {
	Sessions int // sessions read
	Changed  int // sessions whose lifecycle changed
}

// ApplyPolicy gives each live session, also terminated ones, the lifecycle that
// it would get if it were created now: its own, then the namespace's, then that
// of Options. The new deadlines apply at once, even if they have passed. Each
// session is a write of its own, and sessions that already agree are not
// written. If the call ends early, call it again to continue.
//
// Errors: ErrNotFound if the namespace was deleted; ErrReadOnly if the store is
// read-only; the context's error.
func (t *Tenant) ApplyPolicy(ctx context.Context) (PolicyReport, error) {
	var r PolicyReport
	if _, err := t.readNamespace(ctx); err != nil {
		return r, t.wrapError("ApplyPolicy", "", err)
	}
	for s, err := range t.Sessions(ctx, Query{OldestFirst: true, Limit: policyPage}) {
		if err != nil {
			return r, t.wrapError("ApplyPolicy", "", unwrapError(err))
		}
		r.Sessions++
		changed := false
		_, err := t.writeSession(ctx, "ApplyPolicy", s.ID, driver.Target{}, func(c *tenantWrite) (err error) {
			changed, err = c.applyPolicy()
			return err
		})
		if err != nil && !errors.Is(err, ErrNotFound) { // it ended meanwhile
			return r, err
		}
		if err == nil && changed {
			r.Changed++
		}
	}
	return r, nil
}

// policyPage is the number of sessions that ApplyPolicy lists at once.
const policyPage = 256

// applyPolicy resolves the session's lifecycle anew. It does not extend a
// sliding TTL.
func (w *tenantWrite) applyPolicy() (bool, error) {
	s, err := w.requireLive()
	if err != nil {
		return false, err
	}
	life := w.resolve(s.chosenLifecycle)
	if life == s.timeline.Lifecycle {
		return false, nil
	}
	s.timeline.Lifecycle = life
	s.timeline.Refresh()
	s.Version++
	w.markChanged(eventUpdated)
	return true, nil
}

// Usage counts the live sessions of a namespace, their messages, and the stored
// bytes of both.
type Usage struct {
	PerStatus [driver.Statuses]uint64 // live sessions, by the number of their status
	Messages  uint64                  // messages in their logs
	Bytes     uint64                  // stored bytes of sessions and messages
}

// ByStatus returns the number of live sessions in a status, or 0 if there is no
// such status.
func (u Usage) ByStatus(s Status) uint64 {
	if int(s) >= len(u.PerStatus) {
		return 0
	}
	return u.PerStatus[s]
}

// Sessions returns the number of live sessions.
func (u Usage) Sessions() uint64 { return driver.Usage{Sessions: u.PerStatus}.Total() }

// Usage returns the exact contents of the namespace. Expired sessions do not
// count, swept or not.
//
// Errors: ErrNotFound if the namespace was deleted.
func (t *Tenant) Usage(ctx context.Context) (Usage, error) {
	if _, err := t.readNamespace(ctx); err != nil {
		return Usage{}, t.wrapError("Usage", "", err)
	}
	u, err := t.store.d.Count(ctx, driver.Query{Namespace: t.ordinal, Now: t.store.clock.Read()})
	if err != nil {
		return Usage{}, t.wrapError("Usage", "", err)
	}
	return Usage{PerStatus: u.Sessions, Messages: u.Messages, Bytes: u.Bytes}, nil
}

// Namespaces returns an iterator over the namespaces of an organization, by
// name; "" means DefaultOrganization. The loop body runs with nothing locked,
// and may call the store. The loop ends after the first error.
//
// Errors: ErrInvalid.
func (s *Store) Namespaces(ctx context.Context, internalID string) iter.Seq2[Namespace, error] {
	internalID = orgOrDefault(internalID)
	return s.namespaces(ctx, "Namespaces", internalID, driver.EntryQuery{Kind: kindNamespaceName, Owner: internalID})
}

// AllNamespaces returns an iterator over the namespaces of every organization.
// It is for the operator of the store, never for a tenant.
func (s *Store) AllNamespaces(ctx context.Context) iter.Seq2[Namespace, error] {
	q := driver.EntryQuery{Kind: kindNamespaceName, AllOwners: true}
	return s.namespaces(ctx, "AllNamespaces", DefaultOrganization, q)
}

// namespacePage is the number of names that are read at once.
const namespacePage = 256

func (s *Store) namespaces(ctx context.Context, op, org string, q driver.EntryQuery) iter.Seq2[Namespace, error] {
	return func(yield func(Namespace, error) bool) {
		fail := func(err error) { yield(Namespace{}, &Error{Op: op, Err: err}) }
		if err := checkName("internal_id", org).err(); err != nil {
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
				if errors.Is(err, ErrNotFound) { // deleted since the page was read
					continue
				}
				if err != nil {
					fail(err)
					return
				}
				if !yield(*n, nil) {
					return
				}
				q.Owner = e.Owner
				q.After = e.Name
			}
			if len(page) < q.Limit {
				return
			}
			q.Owner = page[len(page)-1].Owner
			q.After = page[len(page)-1].Name
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

// knownIDs are the ids of namespaces by their ordinals, which never change. An
// engine cannot look one up by the other.
type knownIDs struct {
	mu  sync.Mutex // guards the fields below
	ids map[uint64]string
}

// maxKnownIDs bounds the memory of a process that opens many tenants.
const maxKnownIDs = 4096

func (k *knownIDs) add(n *Namespace) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.ids[n.ordinal]; ok {
		return
	}
	if k.ids == nil || len(k.ids) == maxKnownIDs {
		k.ids = map[uint64]string{}
	}
	k.ids[n.ordinal] = strings.Clone(n.ID) // else it keeps all of n's texts
}

// find moves those of the missing ordinals that are known to found.
func (k *knownIDs) find(missing map[uint64]bool, found map[uint64]string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for ordinal := range missing {
		if id, ok := k.ids[ordinal]; ok {
			found[ordinal] = id
			delete(missing, ordinal)
		}
	}
}

// namespaceIDs returns the ids of namespaces by their ordinals, without those
// that were deleted. It reads namespaces, a page at a time, only until it has
// found those that the store did not know.
func (s *Store) namespaceIDs(ctx context.Context, ordinals []uint64) (map[uint64]string, error) {
	found := map[uint64]string{}
	missing := map[uint64]bool{}
	for _, ordinal := range ordinals {
		missing[ordinal] = true
	}
	s.knownIDs.find(missing, found)
	q := driver.EntryQuery{Kind: kindNamespace, Limit: namespacePage}
	for len(missing) > 0 {
		page, err := s.d.Entries(ctx, q)
		if err != nil {
			return found, err
		}
		for _, e := range page {
			n, err := decodeNamespace(e.Value)
			if err != nil {
				return found, err
			}
			if missing[n.ordinal] {
				s.knownIDs.add(n)
				found[n.ordinal] = n.ID
				delete(missing, n.ordinal)
			}
		}
		if len(page) < q.Limit {
			break
		}
		q.After = page[len(page)-1].Name
	}
	return found, nil
}
