package transfer

import (
	"bytes"
	"encoding/json"

	"github.com/seshatdb/seshat"
)

const (
	formatName    = "seshat"
	formatVersion = 1
)

// header is the first line of an export.
type header struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
}

// Types of lines.
const (
	typeNamespace = "namespace"
	typeState     = "state"
	typeSession   = "session"
	typeMessage   = "message"
	typeVoid      = "void" // voids the session before it
	typeEnd       = "end"
)

// Scopes of state.
const (
	scopeNamespace = "namespace"
	scopeUser      = "user"
	scopeSession   = "session"
)

// line is any line except the first.
type line struct {
	Type      string           `json:"type"`
	Namespace *namespace       `json:"namespace,omitempty"`
	Scope     string           `json:"scope,omitempty"`
	UserID    string           `json:"user_id,omitempty"`
	State     *seshat.Document `json:"state,omitempty"`
	Session   *seshat.Session  `json:"session,omitempty"`
	Message   *seshat.Message  `json:"message,omitempty"`
	Exact     *exact           `json:"exact,omitempty"`
	Counts    *Counts          `json:"counts,omitempty"`
	SHA256    string           `json:"sha256,omitempty"`
}

// namespace holds the fields of a namespace that an import takes over.
type namespace struct {
	Name           string                 `json:"name"`
	OrganizationID string                 `json:"internal_id"`
	Lifecycle      seshat.Lifecycle       `json:"lifecycle"`
	Quotas         seshat.NamespaceQuotas `json:"quotas"`
}

// Counts counts the contents of an export.
type Counts struct {
	// Number of lines of each type.
	Namespaces uint64 `json:"namespaces"`
	Sessions   uint64 `json:"sessions"`
	Messages   uint64 `json:"messages"`
	States     uint64 `json:"states"` // keys of state in all scopes
}

// exact repeats the values that JSON cannot represent exactly: documents as
// msgpack, JSON as its text.
type exact struct {
	UserMemory  []byte `json:"user_memory,omitempty"`
	Metadata    []byte `json:"metadata,omitempty"`
	State       []byte `json:"state,omitempty"`
	ToolInputs  string `json:"tool_inputs,omitempty"`
	ToolOutputs string `json:"tool_outputs,omitempty"`
}

// orNil returns nil if x is empty.
func (x exact) orNil() *exact {
	if x.UserMemory == nil && x.Metadata == nil && x.State == nil && x.ToolInputs == "" && x.ToolOutputs == "" {
		return nil
	}
	return &x
}

// exactDocument returns the document's bytes if JSON does not represent it
// exactly.
func exactDocument(d seshat.Document) ([]byte, error) {
	if d.IsZero() {
		return nil, nil
	}
	text, err := d.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var back seshat.Document
	if err := back.UnmarshalJSON(text); err == nil && back.Equal(d) {
		return nil, nil
	}
	return d.MarshalBinary()
}

// exactJSON returns the text of raw if encoding/json writes it differently.
func exactJSON(raw json.RawMessage) (string, error) {
	if len(raw) == 0 {
		return "", nil
	}
	written, err := json.Marshal(raw)
	if err != nil {
		return "", err
	}
	if bytes.Equal(written, raw) && string(raw) != "null" {
		return "", nil
	}
	return string(raw), nil
}

func sessionLine(s seshat.Session) (l line, err error) {
	// The importing store has ids of its own.
	s.NamespaceID = ""
	s.OrganizationID = ""
	var x exact
	if x.UserMemory, err = exactDocument(s.UserMemory); err != nil {
		return l, err
	}
	if x.Metadata, err = exactDocument(s.Metadata); err != nil {
		return l, err
	}
	return line{Type: typeSession, Session: &s, Exact: x.orNil()}, nil
}

func messageLine(m *seshat.Message) (l line, err error) {
	var x exact
	if x.Metadata, err = exactDocument(m.Metadata); err != nil {
		return l, err
	}
	if x.ToolInputs, err = exactJSON(m.ToolInputs); err != nil {
		return l, err
	}
	if x.ToolOutputs, err = exactJSON(m.ToolOutputs); err != nil {
		return l, err
	}
	return line{Type: typeMessage, Message: m, Exact: x.orNil()}, nil
}

func stateLine(scope, user string, value map[string]any) (l line, err error) {
	d := seshat.NewDocument(value)
	var x exact
	if x.State, err = exactDocument(d); err != nil {
		return l, err
	}
	return line{Type: typeState, Scope: scope, UserID: user, State: &d, Exact: x.orNil()}, nil
}

// restore replaces the values decoded from JSON with those in Exact.
func (l *line) restore() error {
	x := l.Exact
	if x == nil {
		return nil
	}
	type document struct {
		of  *seshat.Document
		enc []byte
	}
	docs := []document{{l.State, x.State}}
	switch {
	case l.Session != nil:
		docs = append(docs, document{&l.Session.UserMemory, x.UserMemory}, document{&l.Session.Metadata, x.Metadata})
	case l.Message != nil:
		docs = append(docs, document{&l.Message.Metadata, x.Metadata})
		if x.ToolInputs != "" {
			l.Message.ToolInputs = json.RawMessage(x.ToolInputs)
		}
		if x.ToolOutputs != "" {
			l.Message.ToolOutputs = json.RawMessage(x.ToolOutputs)
		}
	}
	for _, d := range docs {
		if d.of == nil || d.enc == nil {
			continue
		}
		if err := d.of.UnmarshalBinary(d.enc); err != nil {
			return err
		}
	}
	return nil
}
