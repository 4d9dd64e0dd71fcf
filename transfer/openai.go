package transfer

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/seshatdb/seshat"
)

// conversation is one line of a file in the chat format. Members without a
// field here are kept in order, byte for byte.
type conversation struct {
	session  string // "" = the store makes one
	user     string // "" = null
	messages []json.RawMessage
	others   []byte // JSON object, nil = none
}

// The members of a conversation's line that have a meaning.
const (
	memberSession  = "session"
	memberUser     = "user_id"
	memberMessages = "messages"
)

// metadataOthers is the key of a session's metadata under which the other
// members are kept.
const metadataOthers = "openai"

// readConversation parses a line. It keeps the bytes of each message, so that
// no message is decoded twice.
func readConversation(data []byte) (c conversation, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return c, malformed("not a JSON object")
	}
	found := false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return c, malformed("not valid JSON: %v", err)
		}
		switch name {
		case memberSession:
			err = d.Decode(&c.session)
		case memberUser:
			err = d.Decode(&c.user)
		case memberMessages:
			found = true
			err = d.Decode(&c.messages)
		default:
			err = c.readOther(name.(string), d)
		}
		if err != nil {
			return c, malformed("a member of the object is not valid JSON, or of a wrong type")
		}
	}
	if _, err := d.Token(); err != nil {
		return c, malformed("not valid JSON: %v", err)
	}
	if d.More() || !found {
		return c, malformed("not a JSON object with %q", memberMessages)
	}
	if c.others != nil {
		c.others = append(c.others, '}')
	}
	return c, nil
}

func (c *conversation) readOther(name string, d *json.Decoder) error {
	var value json.RawMessage
	if err := d.Decode(&value); err != nil {
		return err
	}
	key, err := json.Marshal(name)
	if err != nil {
		return err
	}
	sep := byte(',')
	if c.others == nil {
		sep = '{'
	}
	c.others = append(append(append(append(c.others, sep), key...), ':'), value...)
	return nil
}

// appendLine appends the conversation as one line.
func (c *conversation) appendLine(b []byte) ([]byte, error) {
	id, err := json.Marshal(c.session)
	if err != nil {
		return nil, err
	}
	b = append(append(b, `{"session":`...), id...)
	b = append(b, `,"user_id":`...)
	if c.user == "" {
		b = append(b, "null"...)
	} else {
		user, err := json.Marshal(c.user)
		if err != nil {
			return nil, err
		}
		b = append(b, user...)
	}
	if len(c.others) > 2 {
		b = append(append(b, ','), c.others[1:len(c.others)-1]...)
	}
	b = append(b, `,"messages":[`...)
	b = append(b, bytes.Join(rawBytes(c.messages), []byte{','})...)
	return append(b, "]}\n"...), nil
}

func rawBytes(raw []json.RawMessage) [][]byte {
	out := make([][]byte, len(raw))
	for i := range raw {
		out[i] = raw[i]
	}
	return out
}

// chatMessage holds the members of a chat message that have fields of their
// own.
type chatMessage struct {
	Role       string          `json:"role"`
	Name       string          `json:"name,omitempty"`
	Content    json.RawMessage `json:"content"`
	ToolCalls  []chatCall      `json:"tool_calls,omitempty"`
	ToolCallID string          `json:"tool_call_id,omitempty"`
}

// chatCall is one call of a tool.
type chatCall struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Function chatFunction `json:"function"`
}

type chatFunction struct {
	Name string `json:"name"`
	// Arguments is JSON as the model wrote it, so it may be invalid.
	Arguments string `json:"arguments"`
}

var chatRoles = map[string]seshat.Role{
	"system": seshat.RoleSystem, "developer": seshat.RoleSystem,
	"user": seshat.RoleUser, "assistant": seshat.RoleAssistant,
	"tool": seshat.RoleTool, "function": seshat.RoleTool,
}

// readChat converts a message in the chat format and keeps its bytes as the
// payload.
func readChat(raw json.RawMessage) (m seshat.Message, err error) {
	var c chatMessage
	if err := json.Unmarshal(raw, &c); err != nil {
		return m, malformed("the message is not an object of the chat format")
	}
	role, ok := chatRoles[c.Role]
	if !ok {
		return m, malformed("the role is not one of the chat format")
	}
	m = seshat.Message{Role: role, ContentType: seshat.ContentText, Payload: raw}
	if m.Content, err = chatText(c.Content); err != nil {
		return m, err
	}
	switch {
	case len(c.ToolCalls) > 0:
		c.calls(&m)
	case role == seshat.RoleTool:
		m.ContentType = seshat.ContentToolResult
		m.ToolCallID = c.ToolCallID
		m.ToolName = c.Name
	default:
		m.Author = c.Name
	}
	return m, nil
}

// calls counts the tool calls of the message. It sets the details of a call
// only if there is a single one, because a message has fields for one call.
func (c *chatMessage) calls(m *seshat.Message) {
	m.ContentType = seshat.ContentToolCall
	m.ToolCalls = uint64(len(c.ToolCalls))
	m.Author = c.Name
	if len(c.ToolCalls) > 1 {
		return
	}
	call := c.ToolCalls[0]
	m.ToolName = call.Function.Name
	m.ToolCallID = call.ID
	if json.Valid([]byte(call.Function.Arguments)) {
		m.ToolInputs = json.RawMessage(call.Function.Arguments)
	}
}

// chatText returns the text of content: a string, or the text parts of a list.
// The text of null is empty.
func chatText(content json.RawMessage) (string, error) {
	if len(content) == 0 || string(content) == "null" {
		return "", nil
	}
	var text string
	if json.Unmarshal(content, &text) == nil {
		return text, nil
	}
	var parts []struct{ Type, Text string }
	if err := json.Unmarshal(content, &parts); err != nil {
		return "", malformed("the content must be text, parts or null")
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String(), nil
}

// writeChat is the inverse of readChat. It returns the payload if that is a
// chat message, and otherwise converts the fields. It returns nil if the chat
// format has no such message.
func writeChat(m *seshat.Message) (json.RawMessage, error) {
	switch {
	case isChat(m.Payload):
		return oneLine(m.Payload)
	case m.Role == seshat.RoleFramework:
		return nil, nil
	}
	content, err := json.Marshal(m.Content)
	if err != nil {
		return nil, err
	}
	c := chatMessage{Role: m.Role.String(), Name: m.Author, Content: content}
	switch m.ContentType {
	case seshat.ContentToolCall:
		if m.Content == "" {
			c.Content = nil // null
		}
		c.ToolCalls = []chatCall{{ID: m.ToolCallID, Type: "function", Function: chatFunction{
			Name: m.ToolName, Arguments: string(m.ToolInputs),
		}}}
	case seshat.ContentToolResult:
		c.ToolCallID = m.ToolCallID
		c.Name = m.ToolName
		if m.Content == "" && len(m.ToolOutputs) > 0 {
			if c.Content, err = json.Marshal(string(m.ToolOutputs)); err != nil {
				return nil, err
			}
		}
	case seshat.ContentText, seshat.ContentEvent: // only content
	}
	return json.Marshal(c)
}

// oneLine returns JSON without line ends, unchanged if it has none.
func oneLine(data []byte) (json.RawMessage, error) {
	if !bytes.ContainsAny(data, "\r\n") {
		return data, nil
	}
	var b bytes.Buffer
	err := json.Compact(&b, data)
	return b.Bytes(), err
}

// isChat reports whether data is a message of the chat format.
func isChat(data []byte) bool {
	var c struct{ Role string }
	return json.Unmarshal(data, &c) == nil && chatRoles[c.Role] != 0
}

// isObject reports whether text is a JSON object.
func isObject(text string) bool {
	return strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") && json.Valid([]byte(text))
}
