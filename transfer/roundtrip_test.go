package transfer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/transfer"
)

var documents = map[string]any{
	"text": "a<b>&\u2028", "bytes": []byte{0, 255}, "time": time.Unix(1, 5000).UTC(), "whole": 3.0,
	"minus": math.Copysign(0, -1),
	"int":   int64(-7), "big": uint64(1) << 63, "nil": nil, "list": []any{true, map[string]any{"deep": 1.5}},
}

// everything fills a tenant with one of each thing that an export can hold.
func everything(t testing.TB, s *seshattest.Store, name string) *seshat.Tenant {
	t.Helper()
	ctx := context.Background()
	tn, err := s.CreateTenant(ctx, seshat.Namespace{
		Name: name, Lifecycle: seshat.Lifecycle{TTL: seshat.Never}, Quotas: seshat.NamespaceQuotas{MaxSessions: 100},
	})
	must(t, err)
	must(t, tn.MergeState(ctx, seshat.NamespaceScope(), map[string]any{"currency": "EUR", "rate": 2.0}))
	must(t, tn.MergeState(ctx, seshat.UserScope("mia"), documents))
	must(t, tn.MergeState(ctx, seshat.UserScope("no session"), map[string]any{"a": int64(1)}))
	_, err = tn.Create(ctx, seshat.NewSession{
		ID: "rich", UserID: "mia", State: documents, UserMemory: documents, Metadata: map[string]any{"n": 1.0},
		Labels: map[string]string{"a": "b", "c": ""}, Quotas: seshat.Quotas{MaxMessages: 50},
		Agent: seshat.AgentConfig{Model: "m", Temperature: seshat.Ptr(0.0), AvailableTools: []string{"x"}},
	})
	must(t, err)
	_, err = tn.Append(ctx, "rich", messages()...)
	must(t, err)
	_, err = tn.DeleteMessage(ctx, "rich", 2)
	must(t, err)
	_, err = tn.Summarize(ctx, "rich", seshat.Range{From: 3, To: 4},
		seshat.Message{Role: seshat.RoleSystem, Content: "sum"})
	must(t, err)
	s.Clock.Advance(time.Minute)
	_, err = tn.Fork(ctx, "rich", seshat.ForkOptions{ID: "fork", Seq: 1})
	must(t, err)
	_, err = tn.Create(ctx, seshat.NewSession{ID: "anonymous, archived"})
	must(t, err)
	_, err = tn.Transition(ctx, "anonymous, archived", seshat.StatusArchived,
		seshat.TransitionOptions{Reason: "done", Actor: "mia"})
	must(t, err)
	_, err = tn.Transition(ctx, "fork", seshat.StatusTerminated, seshat.TransitionOptions{})
	must(t, err)
	return tn
}

func messages() []seshat.Message {
	return []seshat.Message{
		{
			ID: "q", Role: seshat.RoleUser, Content: "What <b>now</b>?", Metadata: seshat.NewDocument(documents),
			Author: "mia",
		},
		{Role: seshat.RoleAssistant, Content: "gone soon"},
		{
			Role: seshat.RoleAssistant, ContentType: seshat.ContentToolCall, ToolName: "x", ToolCallID: "1",
			ToolInputs: json.RawMessage(`{ "a" : "<" }`),
		},
		{
			Role: seshat.RoleTool, ContentType: seshat.ContentToolResult, ToolCallID: "1",
			ToolOutputs: json.RawMessage(`null`),
		},
		{
			Role: seshat.RoleFramework, ContentType: seshat.ContentEvent, Payload: []byte{0, 1, '\n'}, Tokens: 9,
			Latency:   time.Second,
			Timestamp: time.Date(2001, 2, 3, 4, 5, 6, 7e6, time.UTC), ToolStatus: "ok",
		},
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A store comes back as it was: the values that callers see, and the bytes of
// another export.
func TestExportOfAnImportIsTheSameBytes(t *testing.T) {
	ctx := context.Background()
	from, to := seshattest.OpenFile(t), seshattest.Open(t)
	everything(t, from, "acme")
	everything(t, from, "globex")
	var first, second bytes.Buffer
	n, err := transfer.ExportStore(ctx, from.Store, &first)
	must(t, err)
	if want := (transfer.Counts{Namespaces: 2, Sessions: 6, Messages: 8, States: 54}); n != want {
		t.Errorf("exported %+v; want %+v", n, want)
	}
	r, err := transfer.ImportStore(ctx, to.Store, bytes.NewReader(first.Bytes()), transfer.Options{})
	must(t, err)
	if r.Sessions != 6 || r.Messages != 8 {
		t.Errorf("imported %+v; want 6 sessions with 8 messages", r)
	}
	_, err = transfer.ExportStore(ctx, to.Store, &second)
	must(t, err)
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("exports differ:\n%s\n%s", first.Bytes(), second.Bytes())
	}
	compareTenants(t, tenant(t, from, "acme"), tenant(t, to, "acme"))
}

func compareTenants(t *testing.T, a, b *seshat.Tenant) {
	t.Helper()
	ctx := context.Background()
	for _, scope := range []seshat.Scope{
		seshat.NamespaceScope(), seshat.UserScope("mia"), seshat.SessionScope("rich"), seshat.SessionScope("fork"),
	} {
		va, err := a.State(ctx, scope)
		must(t, err)
		vb, err := b.State(ctx, scope)
		must(t, err)
		if len(va) == 0 || !reflect.DeepEqual(va, vb) {
			t.Errorf("state of %v: %v became %v", scope, va, vb)
		}
	}
	for s, err := range a.Sessions(ctx, seshat.Query{}) {
		must(t, err)
		o, err := b.Get(ctx, s.ID)
		must(t, err)
		if !s.UserMemory.Equal(o.UserMemory) || !s.Metadata.Equal(o.Metadata) || s.Status != o.Status ||
			s.Version != o.Version || s.Stats != o.Stats || s.LastTransition != o.LastTransition ||
			!s.ExpiresAt.Equal(o.ExpiresAt) {
			t.Errorf("session %v became %v", s, o)
		}
		ma, err := a.History(ctx, s.ID, seshat.HistoryQuery{})
		must(t, err)
		mb, err := b.History(ctx, s.ID, seshat.HistoryQuery{})
		must(t, err)
		if !reflect.DeepEqual(ma, mb) {
			t.Errorf("log of %s: %+v became %+v", s.ID, ma, mb)
		}
	}
}

// A turn that is sent again after a move to another store is still known.
func TestRepeatedAppendIsKnownAfterAnImport(t *testing.T) {
	ctx := context.Background()
	from, to := everything(t, seshattest.Open(t), "acme"), tenant(t, seshattest.Open(t), "acme")
	_, err := transfer.Import(ctx, to, bytes.NewReader(exportTenant(t, from)), transfer.Options{})
	must(t, err)
	a, err := to.AppendTurn(ctx, "rich", seshat.Turn{Messages: messages()[:1]})
	if err != nil || !a.Repeated || a.First != 1 {
		t.Errorf("a repeated append gave %+v, %v; want it known as 1", a, err)
	}
	changed := messages()[:1]
	changed[0].Content = "other"
	if _, err := to.AppendTurn(ctx, "rich", seshat.Turn{Messages: changed}); !errors.Is(err, seshat.ErrConflict) {
		t.Errorf("other content under a known id: %v; want ErrConflict", err)
	}
}

// An export holds what was asked for, and no more.
func TestScopeOfAnExport(t *testing.T) {
	ctx := context.Background()
	tn := everything(t, seshattest.Open(t), "acme")
	var user, one bytes.Buffer
	n, err := transfer.ExportUser(ctx, tn, "mia", &user)
	must(t, err)
	if n.Sessions != 2 || strings.Contains(user.String(), "currency") || strings.Contains(user.String(), "anonymous") {
		t.Errorf("the export of a user holds %+v:\n%s", n, user.String())
	}
	n, err = transfer.ExportSession(ctx, tn, "fork", &one)
	must(t, err)
	if n.Sessions != 1 || n.Messages != 1 || n.States != uint64(len(documents)-1) {
		t.Errorf("the export of a session holds %+v", n)
	}
	if _, err := transfer.ExportSession(ctx, tn, "nobody", &one); !errors.Is(err, seshat.ErrNotFound) {
		t.Errorf("export of no session: %v; want ErrNotFound", err)
	}
}

// With Skip an import can be repeated; with Fail it changes nothing that is
// there.
func TestExistingSessions(t *testing.T) {
	ctx := context.Background()
	tn := everything(t, seshattest.Open(t), "acme")
	data := exportTenant(t, tn)
	if _, err := transfer.Import(ctx, tn, bytes.NewReader(data), transfer.Options{}); !errors.Is(err,
		seshat.ErrExists) {
		t.Errorf("import of what is there: %v; want ErrExists", err)
	}
	if !bytes.Equal(exportTenant(t, tn), data) {
		t.Error("a refused import changed something")
	}
	_, err := tn.Delete(ctx, "fork")
	must(t, err)
	must(t, tn.MergeState(ctx, seshat.NamespaceScope(), map[string]any{"currency": "USD"}))
	if _, err := transfer.Import(ctx, tn, bytes.NewReader(data), transfer.Options{}); !errors.Is(err,
		seshat.ErrExists) {
		t.Errorf("import over another state: %v; want ErrExists", err)
	}
	r, err := transfer.Import(ctx, tn, bytes.NewReader(data), transfer.Options{Existing: transfer.Skip})
	if err != nil || r.Skipped != 2 || r.Sessions != 1 {
		t.Errorf("import with Skip: %+v, %v; want 2 skipped, 1 imported", r, err)
	}
	if v, err := tn.State(ctx, seshat.NamespaceScope()); err != nil || v["currency"] != "USD" {
		t.Errorf("state that was there became %v, %v", v, err)
	}
}

// What has expired since is left out, and counted.
func TestExpiredSinceTheExport(t *testing.T) {
	ctx := context.Background()
	s := seshattest.Open(t)
	tn := tenant(t, s, "acme")
	for _, n := range []seshat.NewSession{
		{ID: "short", Lifecycle: seshat.Lifecycle{TTL: time.Hour}},
		{ID: "long", Lifecycle: seshat.Lifecycle{TTL: seshat.Never}},
	} {
		_, err := tn.Create(ctx, n)
		must(t, err)
	}
	data := exportTenant(t, tn)
	s.Clock.Advance(time.Hour)
	r, err := transfer.Import(ctx, tenant(t, s, "other"), bytes.NewReader(data), transfer.Options{})
	if err != nil || r.Expired != 1 || r.Sessions != 1 {
		t.Errorf("import gave %+v, %v; want 1 expired and 1 imported", r, err)
	}
}
