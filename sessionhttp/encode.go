package sessionhttp

import (
	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonout"
)

// appendSession appends a session in the form of GET.
func appendSession(b []byte, s *seshat.Session) ([]byte, error) {
	b = appendIdentity(append(b, '{'), s)
	b = jsonout.OptText(append(b, `,"user_id":`...), s.UserID)
	b = jsonout.OptText(append(b, `,"session_name":`...), s.Name)
	b = appendAgent(append(b, `,"agent_config":`...), &s.Agent)
	b, err := appendDocument(append(b, `,"user_memory":`...), s.UserMemory)
	if err != nil {
		return nil, err
	}
	b = jsonout.Text(append(b, `,"status":`...), s.Status.String())
	b = jsonout.Uint(append(b, `,"message_count":`...), s.MessageCount)
	b = appendStats(append(b, `,"stats":`...), &s.Stats)
	b = jsonout.Time(append(b, `,"created_at":`...), s.CreatedAt)
	b = jsonout.Time(append(b, `,"updated_at":`...), s.UpdatedAt)
	b = jsonout.Time(append(b, `,"last_activity_at":`...), s.LastActivityAt)
	b = jsonout.Time(append(b, `,"expires_at":`...), s.ExpiresAt)
	return append(b, '}'), nil
}

// appendNew appends a session in the form of a create answer, without the
// closing bracket.
func appendNew(b []byte, s *seshat.Session) []byte {
	b = appendIdentity(append(b, '{'), s)
	b = jsonout.OptText(append(b, `,"session_name":`...), s.Name)
	b = jsonout.Text(append(b, `,"status":`...), s.Status.String())
	b = jsonout.Time(append(b, `,"created_at":`...), s.CreatedAt)
	return jsonout.Time(append(b, `,"expires_at":`...), s.ExpiresAt)
}

func appendIdentity(b []byte, s *seshat.Session) []byte {
	b = jsonout.Text(append(b, `"session_id":`...), s.ID)
	b = jsonout.Text(append(b, `,"namespace_id":`...), s.NamespaceID)
	return jsonout.Text(append(b, `,"internal_id":`...), s.OrganizationID)
}

func appendAgent(b []byte, a *seshat.AgentConfig) []byte {
	b = jsonout.OptText(append(b, `{"model":`...), a.Model)
	b = append(b, `,"temperature":`...)
	if a.Temperature == nil {
		b = jsonout.Null(b)
	} else {
		b = jsonout.Float(b, *a.Temperature)
	}
	b = append(b, `,"max_tokens":`...)
	if a.MaxTokens == nil {
		b = jsonout.Null(b)
	} else {
		b = jsonout.Uint(b, uint64(*a.MaxTokens))
	}
	b = jsonout.OptText(append(b, `,"system_prompt":`...), a.SystemPrompt)
	b = append(b, `,"available_tools":`...)
	if len(a.AvailableTools) == 0 {
		return append(jsonout.Null(b), '}')
	}
	for i, tool := range a.AvailableTools {
		sep := byte(',')
		if i == 0 {
			sep = '['
		}
		b = jsonout.Text(append(b, sep), tool)
	}
	return append(b, ']', '}')
}

func appendStats(b []byte, s *seshat.SessionStats) []byte {
	b = jsonout.Uint(append(b, `{"total_messages":`...), s.TotalMessages)
	b = jsonout.Uint(append(b, `,"total_tokens":`...), s.TotalTokens)
	b = jsonout.Uint(append(b, `,"total_tool_calls":`...), s.TotalToolCalls)
	b = append(b, `,"avg_latency_ms":`...)
	if s.LatencyCount == 0 {
		return append(jsonout.Null(b), '}')
	}
	return append(jsonout.Float(b, s.AvgLatencyMS), '}')
}

// appendMessage appends a message in the form of the history.
func appendMessage(b []byte, m *seshat.Message) []byte {
	b = jsonout.Text(append(b, `{"message_id":`...), m.ID)
	b = jsonout.Text(append(b, `,"role":`...), m.Role.String())
	b = jsonout.Text(append(b, `,"content":`...), m.Content)
	b = jsonout.Text(append(b, `,"content_type":`...), m.ContentType.String())
	b = jsonout.OptText(append(b, `,"tool_name":`...), m.ToolName)
	b = appendRaw(append(b, `,"tool_inputs":`...), m.ToolInputs)
	b = appendRaw(append(b, `,"tool_outputs":`...), m.ToolOutputs)
	b = jsonout.OptText(append(b, `,"tool_status":`...), m.ToolStatus)
	b = jsonout.Time(append(b, `,"timestamp":`...), m.Timestamp)
	return append(b, '}')
}

func appendRaw(b, raw []byte) []byte {
	if len(raw) == 0 {
		return jsonout.Null(b)
	}
	return append(b, raw...)
}
