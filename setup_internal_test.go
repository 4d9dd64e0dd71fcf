package seshat

import (
	"context"
	"errors"
	"testing"
)

// What tests of this package's insides share. They cannot use package
// seshattest, which imports this one.

// adopt takes over a store that a test opened, for which err is what opening it
// gave: it is checked and closed when the test is over.
func adopt(t testing.TB, s *Store, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { checkAndClose(t, s) })
}

// checkAndClose fails the test if the store's Check has findings, and closes
// it. A store that was closed is left alone.
func checkAndClose(t testing.TB, s *Store) {
	t.Helper()
	report, err := s.Check(context.Background())
	if errors.Is(err, ErrClosed) {
		return
	}
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	for _, f := range report.Findings {
		t.Errorf("check: %s: %s", f.Where, f.What)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// mustTenant returns the tenant "t" of the store.
func mustTenant(t testing.TB, s *Store) *Tenant {
	t.Helper()
	tenant, err := s.EnsureTenant(context.Background(), Namespace{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}
