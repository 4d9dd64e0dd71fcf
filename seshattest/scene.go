package seshattest

import (
	"context"
	"testing"

	"github.com/seshatdb/seshat"
)

// MustTenant returns the tenant of that name in the default organization. It
// creates the namespace if necessary. An error ends the test.
func (s *Store) MustTenant(t testing.TB, name string) *seshat.Tenant {
	t.Helper()
	tenant, err := s.EnsureTenant(context.Background(), seshat.Namespace{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}

// MustCreate creates a session. An error ends the test.
func MustCreate(t testing.TB, tenant *seshat.Tenant, n seshat.NewSession) *seshat.Session {
	t.Helper()
	s, err := tenant.Create(context.Background(), n)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// MustGet returns a session. An error ends the test.
func MustGet(t testing.TB, tenant *seshat.Tenant, id string) *seshat.Session {
	t.Helper()
	s, err := tenant.Get(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// MustAppend appends messages to a session's log as one turn and returns the
// updated session. An error ends the test.
func MustAppend(t testing.TB, tenant *seshat.Tenant, id string, messages ...seshat.Message) *seshat.Session {
	t.Helper()
	s, err := tenant.Append(context.Background(), id, messages...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Conversation returns one text message per argument, alternately by the user
// and the assistant. The user begins.
func Conversation(texts ...string) []seshat.Message {
	roles := [2]seshat.Role{seshat.RoleUser, seshat.RoleAssistant}
	messages := make([]seshat.Message, len(texts))
	for i, text := range texts {
		messages[i] = seshat.Message{Role: roles[i%2], Content: text}
	}
	return messages
}
