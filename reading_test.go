package seshat

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// Promise: sessions that were read, one by one or in pages, are the caller's
// alone, of whatever size: no later read changes them, be it one that fails.
func TestReadsShareNoMemory(t *testing.T) {
	ctx := t.Context()
	s, err := Open(filepath.Join(t.TempDir(), "store.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n, err := s.EnsureTenant(ctx, Namespace{Name: "n"})
	if err != nil {
		t.Fatal(err)
	}
	sizes := []int{0, 1, nearText / 2, nearText - 1, nearText, nearText + 1, 4 * nearText}
	for i, size := range sizes {
		text, id := strings.Repeat(fmt.Sprint(i), size), fmt.Sprint("s", i)
		_, err := n.Create(ctx, NewSession{
			ID: id, UserID: "u" + id, Labels: map[string]string{"l" + id: "v" + id},
			Agent: AgentConfig{Model: "m" + id, SystemPrompt: text, Temperature: Ptr(float64(size) / 1e5), AvailableTools: []string{"t" + id}},
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
			want := AgentConfig{Model: "m" + id, SystemPrompt: strings.Repeat(fmt.Sprint(i), size), Temperature: Ptr(float64(size) / 1e5), AvailableTools: []string{"t" + id}}
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

// readEach reads a session by each of three calls.
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

// Promise: what a read leaves for the next one holds nothing of a session.
func TestNothingIsLeftOfARead(t *testing.T) {
	r := &reading{}
	rec := r.begin()
	rec.Body, rec.ID, rec.User = append(rec.Body, "body"...), "id", "user"
	rec.Labels = append(rec.Labels, driver.Label{Name: "n", Value: "v"})
	taken := r.room()
	r.put()
	if r.near != nil || r.ID != "" || r.User != "" || r.Body != nil || len(r.Labels) != 0 {
		t.Errorf("left is %+v", r)
	}
	if l := r.Labels[:1][0]; l != (driver.Label{}) {
		t.Errorf("left is a label, %+v", l)
	}
	r.begin()
	if r.room() == taken {
		t.Error("two reads got the same memory")
	}
}
