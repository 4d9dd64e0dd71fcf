package adk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/adk/v2/model"
	"google.golang.org/adk/v2/session"
	"google.golang.org/genai"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/adk"
	"github.com/seshatdb/seshat/seshattest"
)

func spoken(id, role string, parts ...*genai.Part) *session.Event {
	return &session.Event{
		ID: id, Author: "agent", Timestamp: seshattest.Start,
		LLMResponse: model.LLMResponse{
			Content: &genai.Content{Role: role, Parts: parts},
			UsageMetadata: &genai.GenerateContentResponseUsageMetadata{
				CandidatesTokenCount: 5, ThoughtsTokenCount: 2,
				TotalTokenCount: 99,
			},
		},
	}
}

func TestLogIsReadableWithoutADK(t *testing.T) {
	s := newService(t, adk.Options{})
	h := s.create("mia", "s", nil)
	call := &genai.Part{FunctionCall: &genai.FunctionCall{ID: "c1", Name: "trains"}}
	for _, e := range []*session.Event{
		spoken("1", "user", genai.NewPartFromText("When do trains "), genai.NewPartFromText("leave?")),
		spoken("2", "model", &genai.Part{Text: "hm", Thought: true}, call),
		spoken("3", "user", &genai.Part{FunctionResponse: &genai.FunctionResponse{ID: "c1", Name: "trains"}}),
		spoken("4", "model", call, call),
		spoken("5", "model", genai.NewPartFromText(strings.Repeat("é", seshat.MaxContentBytes))),
		{ID: "6"},
	} {
		s.must(s.AppendEvent(t.Context(), h, e))
	}
	page, err := s.tenant().History(t.Context(), adk.SessionID("mia", "s"), seshat.HistoryQuery{})
	s.must(err)
	log := page.Messages
	type line struct {
		ID             string
		Role           seshat.Role
		Type           seshat.ContentType
		Content        string
		Tool, Call     string
		Calls, Tokens  uint64
		Author, Length any
	}
	var got []line
	for _, m := range log {
		text, n := m.Content, len(m.Content)
		if n > 100 {
			text = ""
		}
		got = append(got,
			line{m.ID, m.Role, m.ContentType, text, m.ToolName, m.ToolCallID, m.ToolCalls, m.Tokens, m.Author, n})
	}
	if diff := cmp.Diff([]line{
		{"1", seshat.RoleUser, seshat.ContentText, "When do trains leave?", "", "", 0, 7, "agent", 21},
		{"2", seshat.RoleAssistant, seshat.ContentToolCall, "", "trains", "c1", 1, 7, "agent", 0},
		{"3", seshat.RoleTool, seshat.ContentToolResult, "", "trains", "c1", 0, 7, "agent", 0},
		{"4", seshat.RoleAssistant, seshat.ContentToolCall, "", "", "", 2, 7, "agent", 0},
		{"5", seshat.RoleAssistant, seshat.ContentText, "", "", "", 0, 7, "agent", seshat.MaxContentBytes},
		{"6", seshat.RoleFramework, seshat.ContentEvent, "", "", "", 0, 0, "", 0},
	}, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	stored, err := s.tenant().Get(t.Context(), adk.SessionID("mia", "s"))
	s.must(err)
	want(s, "name", stored.Name, "When do trains leave?")
}

func TestMessagesOfTheStoreAreEvents(t *testing.T) {
	s := newService(t, adk.Options{})
	h := s.create("mia", "s", nil)
	for _, id := range []string{"a", "b", "c"} {
		s.must(s.AppendEvent(t.Context(), h, said(id)))
	}
	key := adk.SessionID("mia", "s")
	_, err := s.tenant().Append(t.Context(), key, seshat.Message{ID: "note", Role: seshat.RoleUser, Content: "hello"})
	s.must(err)
	got := s.get("mia", "s")
	want(s, "events", ids(got), "a b c note")
	e := got.Events().At(3)
	want(s, "text", e.Content.Parts[0].Text, "hello")
	want(s, "role and author", e.Content.Role+" "+e.Author, "user user")
	s.fails(s.AppendEvent(t.Context(), h, said("d")), seshat.ErrConflict)
	_, err = s.tenant().Truncate(t.Context(), key, 2)
	s.must(err)
	want(s, "events after a truncation", ids(s.get("mia", "s")), "a b")
}

func TestWhatJSONLeavesOutComesBack(t *testing.T) {
	s := newService(t, adk.Options{})
	e := spoken("e", "user", &genai.Part{
		VideoMetadata: &genai.VideoMetadata{StartOffset: 1500 * time.Millisecond, EndOffset: 2 * time.Second},
		InlineData:    &genai.Blob{Data: []byte{}, MIMEType: "video/mp4"},
	})
	e.NodeInfo = &session.NodeInfo{OutputFor: []string{}}
	e.Actions.StateDelta = map[string]any{}
	s.must(s.AppendEvent(t.Context(), s.create("mia", "s", nil), e))
	if diff := cmp.Diff(e, s.get("mia", "s").Events().At(0)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
}

func TestAnEventWithManyEmptyListsIsTaken(t *testing.T) {
	s := newService(t, adk.Options{})
	var parts []*genai.Part
	for range 2000 {
		parts = append(parts,
			&genai.Part{FunctionResponse: &genai.FunctionResponse{Name: "f", Response: map[string]any{}}})
	}
	s.must(s.AppendEvent(t.Context(), s.create("mia", "s", nil), spoken("e", "user", parts...)))
	got := s.get("mia", "s").Events().At(0).Content.Parts
	want(s, "parts", len(got), 2000)
	if got[0].FunctionResponse.Response == nil {
		t.Fatal("an empty response is nil")
	}
}

func TestImportCopiesFromAnyService(t *testing.T) {
	s := newService(t, adk.Options{})
	other := session.InMemoryService()
	r, err := other.Create(t.Context(),
		&session.CreateRequest{
			AppName: "app", UserID: "mia", SessionID: "s",
			State: map[string]any{"k": "v", "user:k": "u"},
		})
	s.must(err)
	var names []string
	for range 600 {
		names = append(names, strings.Repeat("x", len(names)%100)+string(rune('a'+len(names)/100)))
		s.must(other.AppendEvent(t.Context(), r.Session, said(names[len(names)-1])))
	}
	for step, added := range []adk.Imported{{Sessions: 1, Events: 600}, {}} {
		got, err := s.Import(t.Context(), r.Session)
		s.must(err)
		want(s, "imported", got, added)
		h := s.get("mia", "s")
		if !slices.Equal(strings.Split(ids(h), " "), names) || stateOf(h)["k"] != "v" || stateOf(h)["user:k"] != "u" {
			t.Fatalf("step %d: got %d events, state %v", step, h.Events().Len(), stateOf(h))
		}
	}
	// Events that were appended since are found by another import.
	for _, id := range []string{"new1", "new2"} {
		s.must(other.AppendEvent(t.Context(), r.Session, said(id)))
	}
	got, err := s.Import(t.Context(), r.Session)
	s.must(err)
	want(s, "imported", got, adk.Imported{Events: 2})
	_, err = s.Import(t.Context(), nil)
	s.fails(err, seshat.ErrInvalid)
}
