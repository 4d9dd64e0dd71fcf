package seshattest_test

import (
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// Promise: one line each sets up a tenant, a session and a log.
func TestSceneIsSet(t *testing.T) {
	s := seshattest.Open(t)
	acme := s.MustTenant(t, "acme")
	if again := s.MustTenant(t, "acme"); again.ID() != acme.ID() {
		t.Errorf("got tenant %s, want %s", again.ID(), acme.ID())
	}
	made := seshattest.MustCreate(t, acme, seshat.NewSession{ID: "s", UserID: "mia"})
	if made.UserID != "mia" {
		t.Errorf("created %v", made)
	}
	after := seshattest.MustAppend(t, acme, "s", seshattest.Conversation("Hi", "Hello", "Bye")...)
	if after.LastSeq != 3 || seshattest.MustGet(t, acme, "s").MessageCount != 3 {
		t.Errorf("after three messages: %v", after)
	}
	seshattest.AssertLog(t, acme, "s", `
		1 user "Hi"
		2 assistant "Hello"
		3 user "Bye"
	`)
}

// Promise: if a Must function fails, it ends the test with the error.
func TestMustFailsTheTest(t *testing.T) {
	for name, fn := range map[string]func(testing.TB, *seshattest.Store, *seshat.Tenant){
		"MustTenant": func(tb testing.TB, s *seshattest.Store, _ *seshat.Tenant) { s.MustTenant(tb, "\n") },
		"MustCreate": func(tb testing.TB, _ *seshattest.Store, tn *seshat.Tenant) {
			seshattest.MustCreate(tb, tn, seshat.NewSession{ID: "\n"})
		},
		"MustGet": func(tb testing.TB, _ *seshattest.Store, tn *seshat.Tenant) {
			seshattest.MustGet(tb, tn, "absent")
		},
		"MustAppend": func(tb testing.TB, _ *seshattest.Store, tn *seshat.Tenant) {
			seshattest.MustAppend(tb, tn, "absent", seshattest.Conversation("Hi")...)
		},
		"DumpLog": func(tb testing.TB, _ *seshattest.Store, tn *seshat.Tenant) {
			seshattest.DumpLog(tb, tn, "absent")
		},
		"AssertLog": func(tb testing.TB, _ *seshattest.Store, tn *seshat.Tenant) {
			seshattest.AssertLog(tb, tn, "absent", "")
		},
	} {
		s := seshattest.Open(t)
		tenant := s.MustTenant(t, "acme")
		ended := true
		failures := run(t, func(tb testing.TB) {
			fn(tb, s, tenant)
			ended = false
		})
		if len(failures) != 1 || !ended {
			t.Errorf("%s: got failures %q, ended %v; want one failure that ends the test", name, failures, ended)
		}
	}
}
