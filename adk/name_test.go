package adk_test

import (
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/adk"
	"github.com/seshatdb/seshat/seshattest"
)

func TestSessionIDIsReadableWhereItCan(t *testing.T) {
	for _, c := range []struct{ user, id, want string }{
		{"mia", "s1", "3:mia:s1"},
		{"mia", "", "3:mia:"},
		{"a:b", "c/d", "3:a:b:c/d"},
		{"mia", "a\nb", "~e3:mia:a%0Ab"},
		{"mia", strings.Repeat("x", 123), "3:mia:" + strings.Repeat("x", 122) + "x"},
	} {
		got := adk.SessionID(c.user, c.id)
		if len(c.want) > seshat.MaxNameBytes {
			if !strings.HasPrefix(got, "~h") || len(got) != 66 {
				t.Errorf("%q of %q: got %q, want a hash", c.id, c.user, got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%q of %q: got %q, want %q", c.id, c.user, got, c.want)
		}
	}
	for _, id := range []string{
		"", "x", "3", "3:mi", "3:mia", "03:mia:s", "+3:mia:s", "-1:a:b", "~e", "~x", "~e%0",
		"~e%zz", "~e3:mia:s", "99:a:b",
	} {
		if user, s, ok := adk.ParseSessionID(id); ok {
			t.Errorf("%q: parsed as %q of %q", id, s, user)
		}
	}
}

// FuzzSessionID checks that different names never share an id, that the store
// accepts every id, and that every id that is not a hash parses to its names.
func FuzzSessionID(f *testing.F) {
	f.Add("a", "bc", "ab", "c")
	f.Add("a", "\x00", "a\x00", "")
	f.Add("~e", "%00", "~h", "\xff")
	f.Add(strings.Repeat("é", 100), "1", strings.Repeat("é", 100), "2")
	store, err := seshat.OpenMemory(seshat.Options{SweepEvery: seshat.Never})
	seshattest.Adopt(f, store, err)
	tenant, err := store.EnsureTenant(f.Context(), seshat.Namespace{Name: "t"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, user1, id1, user2, id2 string) {
		one, two := adk.SessionID(user1, id1), adk.SessionID(user2, id2)
		if (one == two) != (user1 == user2 && id1 == id2) {
			t.Fatalf("%q of %q is %q, %q of %q is %q", id1, user1, one, id2, user2, two)
		}
		user, id, ok := adk.ParseSessionID(one)
		if ok != !strings.HasPrefix(one, "~h") || ok && (user != user1 || id != id1) {
			t.Fatalf("%q of %q is %q, parsed as %q of %q, %v", id1, user1, one, id, user, ok)
		}
		s, _, err := tenant.Ensure(t.Context(), seshat.NewSession{ID: one, UserID: adk.UserName(user1)})
		if err != nil || s.ID != one {
			t.Fatalf("the store does not take %q: %v", one, err)
		}
	})
}

func TestNamesAreKeptWhereTheyAreHashed(t *testing.T) {
	s := newService(t, adk.Options{})
	long := strings.Repeat("é\xff", 80)
	s.create(long, long, nil)
	stored, err := s.tenant().Get(t.Context(), adk.SessionID(long, long))
	s.must(err)
	user, id, ok := adk.Names(stored)
	if !ok || user != long || id != long {
		t.Fatalf("got %q of %q, %v", id, user, ok)
	}
	native, err := s.tenant().Create(t.Context(), seshat.NewSession{})
	s.must(err)
	if _, _, ok := adk.Names(native); ok {
		t.Fatal("a session that ADK did not make has names")
	}
}
