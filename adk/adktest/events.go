package adktest

import (
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/adk/v2/model"
	"google.golang.org/adk/v2/session"
	"google.golang.org/genai"
)

var events = []Case{
	{Group: "events", Name: "every field of an event comes back", test: eventsFull},
	{Group: "events", Name: "every field of an LLMResponse comes back", test: eventsResponse},
	{Group: "events", Name: "empty and nil maps and lists stay what they are", test: eventsEmpty},
	{Group: "events", Name: "a tool's empty response stays empty", test: eventsToolResponse},
	{Group: "events", Name: "a zero timestamp stays zero", test: eventsZeroTime},
	{Group: "events", Name: "a timestamp keeps its nanoseconds", test: eventsNanoseconds},
	{Group: "events", Name: "an event of a megabyte comes back", test: eventsLarge},
	{Group: "events", Name: "a partial event changes nothing", test: eventsPartial},
	{Group: "events", Name: "the event given is not changed", test: eventsGiven},
	{Group: "events", Name: "the same event twice is there once", test: eventsTwice},
	{Group: "events", Name: "another event under a known id is refused", test: eventsTaken},
	{Group: "events", Name: "events without an id are all kept", test: eventsNameless},
}

// back appends the event and returns it as the service reads it.
func (e *env) back(event *session.Event) *session.Event {
	e.Helper()
	e.append(e.create("u", "s", nil), event)
	s := e.get("u", "s")
	if s.Events().Len() != 1 {
		e.Fatalf("got %d events, want 1", s.Events().Len())
	}
	return s.Events().At(0)
}

func (e *env) same(what string, want, got any) {
	e.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		e.Fatalf("%s: %s\n(-want +got):\n%s", what, firstOf(diff), diff)
	}
}

// firstOf returns the first differing lines of a diff.
func firstOf(diff string) string {
	var out []string
	for line := range strings.Lines(diff) {
		if line[0] != '-' && line[0] != '+' {
			continue
		}
		if out = append(out, strings.Join(strings.Fields(line), " ")); len(out) == 2 {
			break
		}
	}
	return strings.Join(out, "  ")
}

func eventsFull(e *env) { e.same("event", full(), e.back(full())) }

func eventsResponse(e *env) {
	all := full().LLMResponse
	all.Content = genai.NewContentFromText("hi", genai.RoleModel)
	got := e.back(&session.Event{ID: "e", Author: "a", LLMResponse: all})
	e.same("response", all, got.LLMResponse)
}

func eventsEmpty(e *env) {
	empty := session.Event{
		ID: "e", Author: "a", LongRunningToolIDs: []string{}, Routes: []string{},
		Actions: session.EventActions{StateDelta: map[string]any{}, ArtifactDelta: map[string]int64{}},
		LLMResponse: model.LLMResponse{
			CustomMetadata: map[string]any{},
			Content: &genai.Content{Parts: []*genai.Part{
				{FunctionCall: &genai.FunctionCall{Name: "f", Args: map[string]any{}}},
				{FunctionCall: &genai.FunctionCall{Name: "f"}},
			}},
			GroundingMetadata: &genai.GroundingMetadata{WebSearchQueries: []string{}},
		},
	}
	bare := session.Event{
		ID: "e2", Author: "a",
		LLMResponse: model.LLMResponse{Content: &genai.Content{Parts: []*genai.Part{}}},
	}
	s := e.create("u", "s", nil)
	first := empty
	second := bare
	e.append(s, &first, &second)
	got := e.get("u", "s").Events()
	e.same("empty", &empty, got.At(0))
	e.same("nil", &bare, got.At(1))
}

func eventsToolResponse(e *env) {
	response := func(m map[string]any) *genai.Part {
		return &genai.Part{FunctionResponse: &genai.FunctionResponse{ID: "1", Name: "f", Response: m}}
	}
	parts := []*genai.Part{response(map[string]any{}), response(nil), response(map[string]any{"n": nil})}
	got := e.back(&session.Event{
		ID:          "e",
		LLMResponse: model.LLMResponse{Content: genai.NewContentFromParts(parts, "user")},
	})
	e.same("parts", parts, got.Content.Parts)
}

func eventsZeroTime(e *env) {
	event := said("e", 0)
	event.Timestamp = time.Time{}
	if got := e.back(event).Timestamp; !got.IsZero() {
		e.Fatalf("got %v", got)
	}
}

func eventsNanoseconds(e *env) {
	event := said("e", 0)
	want := begin.Add(123456789)
	event.Timestamp = want
	if got := e.back(event).Timestamp; !got.Equal(want) {
		e.Fatalf("got %v, want %v", got, want)
	}
}

func eventsLarge(e *env) {
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i * 7)
	}
	event := &session.Event{
		ID:          "e",
		LLMResponse: model.LLMResponse{Content: genai.NewContentFromBytes(data, "image/png", "user")},
	}
	if got := e.back(event); !slices.Equal(got.Content.Parts[0].InlineData.Data, data) {
		e.Fatal("the bytes differ")
	}
}

func eventsPartial(e *env) {
	s := e.create("u", "s", nil)
	event := said("p", 0)
	event.Partial, event.Actions.StateDelta = true, map[string]any{"k": "v"}
	e.append(s, event)
	for what, s := range map[string]session.Session{"the handle": s, "the session": e.get("u", "s")} {
		if s.Events().Len() != 0 || len(stateOf(s)) != 0 {
			e.Fatalf("%s has %d events and state %v", what, s.Events().Len(), stateOf(s))
		}
	}
}

func eventsGiven(e *env) {
	newEvent := func() *session.Event {
		event := said("e", 0)
		event.Timestamp = begin.Add(123456789)
		event.Actions.StateDelta = map[string]any{"temp:t": 1.0, "k": "v", "user:k": nil}
		return event
	}
	event := newEvent()
	e.append(e.create("u", "s", nil), event)
	e.same("event given", newEvent(), event)
}

func eventsTwice(e *env) {
	s := e.create("u", "s", nil)
	e.append(s, said("a", 0), said("b", 1))
	e.append(s, said("b", 1))
	want := []string{"a", "b"}
	e.same("events of the handle", want, ids(s))
	e.append(e.get("u", "s"), said("a", 0))
	e.same("events", want, ids(e.get("u", "s")))
}

func eventsTaken(e *env) {
	s := e.create("u", "s", nil)
	e.append(s, said("a", 0))
	other := said("a", 0)
	other.Content = genai.NewContentFromText("something else", genai.RoleUser)
	if err := e.s.AppendEvent(e.ctx, s, other); err == nil {
		e.Fatal("no error")
	}
	got := e.get("u", "s").Events()
	if got.Len() != 1 || s.Events().Len() != 1 || got.At(0).Content.Parts[0].Text != "a" {
		e.Fatalf("got %d events, %d on the handle", got.Len(), s.Events().Len())
	}
}

func eventsNameless(e *env) {
	s := e.create("u", "s", nil)
	for i := range 3 {
		event := said("", i)
		e.append(s, event)
	}
	e.same("events", []string{"", "", ""}, ids(e.get("u", "s")))
}
