package seshat

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// Promise: the names of statuses and expiries can be parsed, and no other
// names.
func TestNamesOfValues(t *testing.T) {
	for s, name := range map[Status]string{
		StatusActive: "active", StatusIdle: "idle", StatusArchived: "archived", StatusTerminated: "terminated",
	} {
		text, err := s.MarshalText()
		if err != nil || string(text) != name || s.String() != name {
			t.Errorf("%d: got %s, %v, want %s", s, text, err, name)
		}
		var back Status
		if err := back.UnmarshalText(text); err != nil || back != s {
			t.Errorf("%s: got %v, %v", text, back, err)
		}
	}
	for e, name := range map[Expiry]string{ExpirySliding: "sliding", ExpiryAbsolute: "absolute", 0: ""} {
		text, err := e.MarshalText()
		if err != nil || string(text) != name {
			t.Errorf("%d: got %s, %v, want %s", e, text, err, name)
		}
		var back Expiry
		if err := back.UnmarshalText(text); err != nil || back != e {
			t.Errorf("%s: got %v, %v", text, back, err)
		}
	}
	if _, err := Status(0).MarshalText(); !errors.Is(err, ErrInvalid) {
		t.Errorf("no status: got error %v", err)
	}
	for _, text := range []string{"", "Active", "status(0)", "5"} {
		if err := new(Status).UnmarshalText([]byte(text)); !errors.Is(err, ErrInvalid) {
			t.Errorf("status %q: got error %v", text, err)
		}
	}
	if err := new(Expiry).UnmarshalText([]byte("never")); !errors.Is(err, ErrInvalid) {
		t.Errorf("expiry: got error %v", err)
	}
	if got := Status(9).String() + Expiry(9).String(); got != "status(9)expiry(9)" {
		t.Errorf("unknown values are called %s", got)
	}
}

// Promise: a session's String identifies it and shows no content.
func TestSessionString(t *testing.T) {
	s := &Session{
		ID: "a/b", Name: "secret", Status: StatusIdle, MessageCount: 3,
		UserMemory: NewDocument(map[string]any{"k": "secret"}),
	}
	got := s.String()
	if !strings.Contains(got, `"a/b"`) || strings.Contains(got, "secret") {
		t.Errorf("got %s", got)
	}
}

// Promise: ids that the store makes ascend with time and never repeat.
func TestNewSessionID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := NewSessionID()
		if seen[id] || checkName("id", id) != nil || !strings.HasPrefix(id, "ses_") {
			t.Fatalf("got %q", id)
		}
		seen[id] = true
	}
	early := newULID(time.Now().UnixMilli()).String()
	if late := newULID(time.Now().Add(time.Hour).UnixMilli()).String(); late <= early {
		t.Errorf("%s is made after %s", late, early)
	}
	if a, b := newULID(1<<62), newULID(1<<62); a == b {
		t.Error("two ids past the last time that fits are the same")
	}
}

// Promise: a session whose body has a later layout is refused.
func TestLaterLayoutIsRefused(t *testing.T) {
	p := plant(t)
	p.body(func(s *storedSession) { s.extra = "" })
	key := namespaceKey(p.n.id)
	later := append([]byte{0x91}, 2) // an array of one element: layout 2
	p.entry(key, later)
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Namespace":  func() error { _, err := p.n.Namespace(ctx); return err },
		"Usage":      func() error { _, err := p.n.Usage(ctx); return err },
		"Rename":     func() error { return p.n.Rename(ctx, "x") },
		"Touch":      func() error { _, err := p.n.Touch(ctx, "s"); return err },
		"DeleteUser": func() error { _, err := p.n.DeleteUser(ctx, "mia"); return err },
		"Tenant":     func() error { _, err := p.s.Tenant(ctx, Namespace{Name: "t"}); return err },
		"Namespaces": func() error {
			for _, err := range p.s.Namespaces(ctx, "") {
				return err
			}
			return nil
		},
	} {
		if err := call(); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got error %v, want %v", name, err, ErrFormat)
		}
	}
	p.record(func(r *driver.Record) { r.Due, r.Expires = 1, 1 })
	p.s.knownIDs = knownIDs{} // as in a process that has not opened the tenant
	if _, err := p.s.Sweep(ctx, SweepOptions{DryRun: true}); !errors.Is(err, ErrFormat) {
		t.Errorf("dry run: got error %v, want %v", err, ErrFormat)
	}
}

// TestReadSessionsShareNoMemory proves that callers own the sessions that Get
// and List return: no later read changes them, even if it fails.
func TestReadSessionsShareNoMemory(t *testing.T) {
	ctx := t.Context()
	s, err := Open(filepath.Join(t.TempDir(), "store.db"), Options{})
	adopt(t, s, err)
	n, err := s.EnsureTenant(ctx, Namespace{Name: "n"})
	if err != nil {
		t.Fatal(err)
	}
	sizes := []int{0, 1, 255, 256, 519, 520, 521, 4096}
	for i, size := range sizes {
		text := strings.Repeat(fmt.Sprint(i), size)
		id := fmt.Sprint("s", i)
		_, err := n.Create(ctx, NewSession{
			ID: id, UserID: "u" + id, Labels: map[string]string{"l" + id: "v" + id},
			Agent: AgentConfig{
				Model: "m" + id, SystemPrompt: text, Temperature: Ptr(float64(size) / 1e5),
				AvailableTools: []string{"t" + id},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var got []*Session
	for i, size := range sizes {
		got = append(got, readEach(ctx, t, n, fmt.Sprint("s", i))...)
		if _, err := n.Get(ctx, "none"); err == nil {
			t.Error("a session that nobody made")
		}
		for _, x := range got[3*i:] {
			id := fmt.Sprint("s", i)
			want := AgentConfig{
				Model: "m" + id, SystemPrompt: strings.Repeat(fmt.Sprint(i), size),
				Temperature: Ptr(float64(size) / 1e5), AvailableTools: []string{"t" + id},
			}
			if x.ID != id || x.UserID != "u"+id || x.Labels["l"+id] != "v"+id || !reflect.DeepEqual(x.Agent, want) {
				t.Errorf("session %s is %+v", id, x)
			}
		}
	}
	for i := range sizes {
		now := readEach(ctx, t, n, fmt.Sprint("s", i))
		if !reflect.DeepEqual(now, got[3*i:3*i+3]) {
			t.Errorf("session %d became %+v", i, got[3*i])
		}
	}
}

// readEach reads a session with each of three calls.
func readEach(ctx context.Context, t *testing.T, n *Tenant, id string) (got []*Session) {
	t.Helper()
	for range 2 {
		x, err := n.Get(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, x)
	}
	p, err := n.List(ctx, Query{UserID: "u" + id})
	if err != nil || len(p.Sessions) != 1 {
		t.Fatalf("%d sessions, %v", len(p.Sessions), err)
	}
	return append(got, p.Sessions...)
}

// Get of a session without labels allocates only the session and its texts.
func TestGetAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("with the race detector, pools drop what they hold at random")
	}
	s, err := Open(filepath.Join(t.TempDir(), "store.db"), Options{SweepEvery: Never})
	adopt(t, s, err)
	tenant := mustTenant(t, s)
	if _, err := tenant.Create(t.Context(), NewSession{ID: "a", UserID: "u"}); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := tenant.Get(ctx, "a"); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 2 {
		t.Errorf("Get allocates %v times; at most 2 are allowed", allocs)
	}
}
