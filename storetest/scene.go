package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/seshatdb/seshat"
)

// Scene is a small store on which each exported method of Store and Tenant can
// succeed once.
type Scene struct {
	store  *seshat.Store
	tenant *seshat.Tenant
	secret string // the secret of an API key
	keyID  string
}

// NewScene fills an empty store. It creates the tenant "t" with the active
// session "s" and the terminated session "ended", and the tenant "other" with
// the session "foreign". An error ends the test.
func NewScene(t testing.TB, s *seshat.Store) *Scene {
	t.Helper()
	sc := &Scene{store: s}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	hello := seshat.Message{ID: "m", Role: seshat.RoleUser, Content: "hello"}
	for name, ids := range map[string][]string{"t": {"s", "ended"}, "other": {"foreign"}} {
		tenant, err := s.EnsureTenant(ctx, seshat.Namespace{Name: name})
		must(err)
		if name == "t" {
			sc.tenant = tenant
		}
		for _, id := range ids {
			must(second(tenant.Create(ctx, seshat.NewSession{ID: id, UserID: "mia"})))
			must(second(tenant.Append(ctx, id, hello)))
		}
	}
	must(second(sc.tenant.Transition(ctx, "ended", seshat.StatusTerminated, seshat.TransitionOptions{})))
	k, secret, err := s.CreateAPIKey(ctx, seshat.APIKey{})
	must(err)
	sc.keyID = k.ID
	sc.secret = secret
	return sc
}

// Calls returns a call of each exported method that can fail, keyed by type and
// name, such as "Tenant.Get". On a new scene, each call succeeds or returns
// errors.ErrUnsupported.
func (sc *Scene) Calls() map[string]func(context.Context) error {
	calls := map[string]func(context.Context) error{}
	for name, m := range methods {
		if m.call != nil {
			calls[name] = func(ctx context.Context) error { return m.call(sc, ctx, "s") }
		}
	}
	return calls
}

// Digest checks the store and returns as text everything in it that a call of
// Calls could change. An error or a finding ends the test.
func (sc *Scene) Digest(t testing.TB) string {
	t.Helper()
	ctx := context.Background()
	report, err := sc.store.Check(ctx)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Fatal(err)
	}
	if len(report.Findings) > 0 {
		t.Fatalf("check: %v", report.Findings)
	}
	usage, err := sc.tenant.Usage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sc.tenant.Get(ctx, "s")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%+v %+v %v %d", report, usage, s.UpdatedAt, s.Version)
}
