package adk

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/adk/v2/model"
	"google.golang.org/adk/v2/session"
	"google.golang.org/genai"

	"github.com/seshatdb/seshat"
)

// messageOf converts an event to a message. Payload is the event in ADK's JSON,
// Metadata has what that JSON omits, and the other fields make the log readable
// without ADK.
func messageOf(e *session.Event) (seshat.Message, error) {
	payload, err := json.Marshal(e)
	if err != nil {
		return seshat.Message{}, invalid("event: %v", err)
	}
	m := seshat.Message{
		Role: seshat.RoleFramework, ContentType: seshat.ContentEvent,
		Metadata: omissionsOf(e).document(), Timestamp: e.Timestamp, Payload: payload,
	}
	if e.ID != "" {
		m.ID = encodeName(e.ID)
	}
	if e.Author != "" {
		m.Author = encodeName(e.Author)
	}
	if y := e.Timestamp.UTC().Year(); y < 1 || y > 9999 {
		return m, invalid("event: timestamp is outside the years 1 to 9999")
	}
	describe(&m, e.Content)
	if u := e.UsageMetadata; u != nil {
		m.Tokens = uint64(max(0, u.CandidatesTokenCount)) + uint64(max(0, u.ThoughtsTokenCount))
	}
	return m, nil
}

// describe sets the fields that make the message readable without ADK.
func describe(m *seshat.Message, c *genai.Content) {
	if c == nil || len(c.Parts) == 0 {
		return
	}
	var text strings.Builder
	var calls, results int
	for _, p := range c.Parts {
		switch {
		case p == nil || p.Thought:
		case p.FunctionCall != nil:
			calls++
			m.ToolName, m.ToolCallID = optionalName(p.FunctionCall.Name), optionalName(p.FunctionCall.ID)
		case p.FunctionResponse != nil:
			results++
			m.ToolName, m.ToolCallID = optionalName(p.FunctionResponse.Name), optionalName(p.FunctionResponse.ID)
		default:
			text.WriteString(p.Text)
		}
	}
	if calls+results > 1 {
		m.ToolName = ""
		m.ToolCallID = ""
	}
	m.Content = shorten(strings.ToValidUTF8(text.String(), "\uFFFD"), seshat.MaxContentBytes)
	switch {
	case calls > 0:
		m.Role = seshat.RoleAssistant
		m.ContentType = seshat.ContentToolCall
		m.ToolCalls = uint64(calls)
	case results > 0:
		m.Role = seshat.RoleTool
		m.ContentType = seshat.ContentToolResult
	case c.Role == genai.RoleUser:
		m.Role = seshat.RoleUser
		m.ContentType = seshat.ContentText
	default:
		m.Role = seshat.RoleAssistant
		m.ContentType = seshat.ContentText
	}
}

func optionalName(name string) string {
	if name == "" {
		return ""
	}
	return encodeName(name)
}

// shorten truncates text to at most so many bytes, on a rune boundary.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// eventOf returns the event of a message. It converts a message that ADK did
// not append, such as a summary.
func eventOf(m *seshat.Message) (*session.Event, error) {
	if len(m.Payload) == 0 {
		return eventFrom(m), nil
	}
	var e session.Event
	// Call the method: json.Unmarshal would scan the payload twice.
	if err := e.UnmarshalJSON(m.Payload); err != nil {
		return nil, fmt.Errorf("event %d: %w: %w", m.Seq, seshat.ErrCorrupt, err)
	}
	omissionsIn(m.Metadata).restore(&e)
	return &e, nil
}

func eventFrom(m *seshat.Message) *session.Event {
	role := genai.RoleModel
	author := m.Author
	if m.Role == seshat.RoleUser {
		role = genai.RoleUser
	}
	if author == "" {
		author = m.Role.String()
	}
	return &session.Event{
		ID: m.ID, Timestamp: m.Timestamp, Author: author,
		LLMResponse: model.LLMResponse{Content: genai.NewContentFromText(m.Content, genai.Role(role))},
	}
}
