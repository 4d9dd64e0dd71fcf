package adktest_test

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/adk/v2/session"

	"github.com/seshatdb/seshat/adk/adktest"
)

// check runs the named cases on a service, without a test.
func check(t *testing.T, open func(testing.TB) session.Service, names ...string) map[string]adktest.Result {
	t.Helper()
	results := map[string]adktest.Result{}
	for _, c := range adktest.Cases() {
		for _, name := range names {
			if c.Name == name {
				results[name] = c.Check(adktest.Harness{Open: open}, time.Minute)
			}
		}
	}
	if len(results) != len(names) {
		t.Fatalf("found %d of the cases %q", len(results), names)
	}
	return results
}

// TestSuiteTellsServicesApart proves that the suite notices the promises that
// ADK's own service in memory does not keep.
func TestSuiteTellsServicesApart(t *testing.T) {
	const (
		kept   = "scopes do not touch"
		twice  = "the same event twice is there once"
		stale  = "a stale handle is refused"
		reopen = "everything is there after reopening"
	)
	got := check(t, func(testing.TB) session.Service { return session.InMemoryService() }, kept, twice, stale, reopen)
	if r := got[kept]; !r.Passed || r.Why != "" {
		t.Errorf("%s: got %+v", kept, r)
	}
	for _, name := range []string{twice, stale} {
		if r := got[name]; r.Passed || r.NA || r.Why == "" {
			t.Errorf("%s: got %+v", name, r)
		}
	}
	if r := got[reopen]; r.Passed || !r.NA {
		t.Errorf("%s: got %+v", reopen, r)
	}
}

func TestCheckOutlivesWhatPanics(t *testing.T) {
	closed := false
	got := check(t, func(t testing.TB) session.Service {
		t.Cleanup(func() { closed = true })
		return nil
	}, "nil is refused")
	if r := got["nil is refused"]; r.Passed || r.Why == "" || !closed {
		t.Errorf("got %+v, closed: %v", r, closed)
	}
}

func TestCasesHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range adktest.Cases() {
		name := fmt.Sprint(c.Group, "/", c.Name)
		if c.Group == "" || c.Name == "" || seen[name] {
			t.Errorf("%q is empty or not unique", name)
		}
		seen[name] = true
	}
}
