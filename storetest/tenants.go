package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var tenants = []promise{
	{name: "create, and what is stored", test: createTenant},
	{name: "create refuses a name that is taken", test: createTenantTwice},
	{name: "ensure is idempotent, and changes nothing", test: ensureTenant},
	{name: "resolve by id or name", test: resolveTenant},
	{name: "a name is not an id", test: nameLikeID},
	{name: "list by name, beyond a page", test: listTenants},
	{name: "list all organizations", test: listAllTenants},
	{name: "rename moves the name", test: renameTenant},
	{name: "policy is replaced as a whole", test: setPolicy},
	{name: "an illegal policy is refused", test: illegalPolicy},
}

func createTenant(e *env) {
	n := seshat.Namespace{
		Name: "acme", OrganizationID: "int_1", Lifecycle: seshat.Lifecycle{TTL: hour, Expiry: seshat.ExpiryAbsolute},
		Quotas: seshat.NamespaceQuotas{MaxSessions: 1, MaxMessages: 2, MaxBytes: 3},
	}
	t, err := e.CreateTenant(e.ctx, n)
	e.must(err)
	got, err := t.Namespace(e.ctx)
	e.must(err)
	if !strings.HasPrefix(got.ID, "ns_") || len(got.ID) != len("ns_")+26 || got.ID != t.ID() {
		e.Fatalf("id %q, of the handle %q", got.ID, t.ID())
	}
	equal(e, "organization", t.OrganizationID(), "int_1")
	equal(e, "times", [2]time.Time{got.CreatedAt, got.UpdatedAt}, [2]time.Time{seshattest.Start, seshattest.Start})
	equal(e, "name", got.Name, n.Name)
	equal(e, "lifecycle", got.Lifecycle, n.Lifecycle)
	equal(e, "quotas", got.Quotas, n.Quotas)
	_, err = e.CreateTenant(e.ctx, seshat.Namespace{Name: "other", ID: got.ID})
	e.isInvalid(err, "namespace_id")
}

func createTenantTwice(e *env) {
	e.tenant("acme")
	_, err := e.CreateTenant(e.ctx, seshat.Namespace{Name: "acme"})
	e.isError(err, seshat.ErrExists)
	_, err = e.CreateTenant(e.ctx, seshat.Namespace{Name: "acme", OrganizationID: seshat.DefaultOrganization})
	e.isError(err, seshat.ErrExists)
	equal(e, "namespaces", len(e.namespaces()), 1)
}

func ensureTenant(e *env) {
	first, err := e.EnsureTenant(e.ctx, seshat.Namespace{Name: "acme", Lifecycle: seshat.Lifecycle{TTL: hour}})
	e.must(err)
	e.clock.Advance(minute)
	again, err := e.EnsureTenant(e.ctx, seshat.Namespace{Name: "acme", Lifecycle: seshat.Lifecycle{TTL: day}})
	e.must(err)
	equal(e, "id", again.ID(), first.ID())
	n, err := again.Namespace(e.ctx)
	e.must(err)
	equal(e, "TTL", n.Lifecycle.TTL, hour)
	equal(e, "updated", n.UpdatedAt, seshattest.Start)
	e.create(first, seshat.NewSession{ID: "s"})
	e.get(again, "s")
	// EnsureTenant refuses invalid values whether the namespace exists or not.
	for field, n := range map[string]seshat.Namespace{
		"namespace_id":  {Name: "acme", ID: first.ID()},
		"lifecycle.ttl": {Name: "acme", Lifecycle: seshat.Lifecycle{TTL: -2}},
		"name":          {Name: first.ID()},
	} {
		_, err := e.EnsureTenant(e.ctx, n)
		e.isInvalid(err, field)
	}
}

func resolveTenant(e *env) {
	t := e.tenant("acme")
	for _, ref := range []seshat.Namespace{
		{Name: "acme"},
		{ID: t.ID()},
		{Name: t.ID()},
		{ID: t.ID(), Name: "ignored"},
		{Name: "acme", OrganizationID: seshat.DefaultOrganization},
	} {
		got, err := e.Tenant(e.ctx, ref)
		e.must(err)
		equal(e, "id", got.ID(), t.ID())
	}
	for _, ref := range []seshat.Namespace{
		{Name: "acm"}, {Name: "acmee"}, {Name: "ns_00000000000000000000000000"}, {Name: strings.ToLower(t.ID())},
	} {
		_, err := e.Tenant(e.ctx, ref)
		e.isError(err, seshat.ErrNotFound)
	}
}

func nameLikeID(e *env) {
	const id = "ns_01ARZ3NDEKTSV4RRFFQ69G5FAV"
	_, err := e.CreateTenant(e.ctx, seshat.Namespace{Name: id})
	e.isInvalid(err, "name")
	t := e.tenant("acme")
	e.isInvalid(t.Rename(e.ctx, id), "name")
	e.tenant("ns_01ARZ3NDEKTSV4RRFFQ69G5FA") // one character short, so it is an ordinary name
}

func listTenants(e *env) {
	race(func(n int) {
		for i := range 40 {
			if _, err := e.EnsureTenant(e.ctx, seshat.Namespace{Name: fmt.Sprintf("%02d-%d", i, n)}); err != nil {
				e.Error(err)
			}
		}
	})
	_, err := e.CreateTenant(e.ctx, seshat.Namespace{Name: "foreign", OrganizationID: "int_2"})
	e.must(err)
	all := e.namespaces()
	equal(e, "namespaces", len(all), 40*racers)
	if !slices.IsSortedFunc(all, func(a, b seshat.Namespace) int { return strings.Compare(a.Name, b.Name) }) {
		e.Fatal("not in the order of names")
	}
	seen := 0
	for n, err := range e.Namespaces(e.ctx, seshat.DefaultOrganization) {
		e.must(err)
		equal(e, "organization", n.OrganizationID, seshat.DefaultOrganization)
		if seen++; seen == 3 {
			break
		}
	}
	equal(e, "seen before the break", seen, 3)
}

func listAllTenants(e *env) {
	want := map[string]bool{}
	for i := range 300 {
		n := seshat.Namespace{Name: fmt.Sprint(i), OrganizationID: "int_" + strings.Repeat("x", i%5)}
		t, err := e.CreateTenant(e.ctx, n)
		e.must(err)
		want[t.ID()] = true
	}
	for n, err := range e.AllNamespaces(e.ctx) {
		e.must(err)
		if !want[n.ID] {
			e.Fatalf("%q appears twice, or was not created", n.ID)
		}
		delete(want, n.ID)
	}
	equal(e, "namespaces that were missed", len(want), 0)
}

func renameTenant(e *env) {
	t := e.tenant("old")
	e.tenant("taken")
	e.create(t, seshat.NewSession{ID: "s"})
	at := e.clock.Advance(minute)
	e.must(t.Rename(e.ctx, "new"))
	_, err := e.Tenant(e.ctx, seshat.Namespace{Name: "old"})
	e.isError(err, seshat.ErrNotFound)
	got, err := e.Tenant(e.ctx, seshat.Namespace{Name: "new"})
	e.must(err)
	equal(e, "id", got.ID(), t.ID())
	e.get(got, "s")
	e.get(t, "s")
	n, err := t.Namespace(e.ctx)
	e.must(err)
	equal(e, "updated", n.UpdatedAt, at)
	e.isError(t.Rename(e.ctx, "taken"), seshat.ErrExists)
	e.must(t.Rename(e.ctx, "new")) // its current name
	e.must(second(e.CreateTenant(e.ctx, seshat.Namespace{Name: "old"})))
	equal(e, "namespaces", len(e.namespaces()), 3)
}

func setPolicy(e *env) {
	t, err := e.CreateTenant(e.ctx, seshat.Namespace{
		Name:      "t",
		Lifecycle: seshat.Lifecycle{TTL: hour, IdleAfter: minute},
	})
	e.must(err)
	e.must(t.SetLifecycle(e.ctx, seshat.Lifecycle{TTL: day}))
	e.must(t.SetQuotas(e.ctx, seshat.NamespaceQuotas{MaxBytes: 1 << 40}))
	n, err := e.tenant("t").Namespace(e.ctx)
	e.must(err)
	equal(e, "lifecycle", n.Lifecycle, seshat.Lifecycle{TTL: day})
	equal(e, "quotas", n.Quotas, seshat.NamespaceQuotas{MaxBytes: 1 << 40})
	s := e.create(t, seshat.NewSession{})
	equal(e, "new session", s.Lifecycle.TTL, day)
}

func illegalPolicy(e *env) {
	t := e.tenant("t")
	for field, l := range map[string]seshat.Lifecycle{
		"lifecycle.ttl":    {TTL: -2},
		"lifecycle.expiry": {Expiry: 9},
	} {
		e.isInvalid(t.SetLifecycle(e.ctx, l), field)
		_, err := e.CreateTenant(e.ctx, seshat.Namespace{Name: "x", Lifecycle: l})
		e.isInvalid(err, field)
	}
	n, err := t.Namespace(e.ctx)
	e.must(err)
	equal(e, "lifecycle", n.Lifecycle, seshat.Lifecycle{})
}
