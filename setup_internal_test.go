package seshat

import (
	"context"
	"errors"
	"testing"
)

// The internal tests of this package share these helpers. They cannot use
// package seshattest, which imports this package.

// adopt takes over a store that a test opened with the error err. It checks and
// closes the store when the test ends.
func adopt(t testing.TB, s *Store, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { checkAndClose(t, s) })
}

// checkAndClose fails the test if the store's Check has findings, and closes
// the store. It ignores a store that is closed.
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
