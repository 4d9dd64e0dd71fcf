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

// header is the first line.
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
	typeVoid      = "void" // the session before it does not count
	typeEnd       = "end"
)

// Scopes of state.
const (
	scopeNamespace = "namespace"
	scopeUser      = "user"
	scopeSession   = "session"
)

// line is any line but the first.
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

// namespace is what of a namespace another store takes over.
type namespace struct {
	Name       string                 `json:"name"`
	InternalID string                 `json:"internal_id"`
	Lifecycle  seshat.Lifecycle       `json:"lifecycle"`
	Quotas     seshat.NamespaceQuotas `json:"quotas"`
}

// Counts says what an export holds.
type Counts struct {
	// Lines of each kind.
	Namespaces uint64 `json:"namespaces"`
	Sessions   uint64 `json:"sessions"`
	Messages   uint64 `json:"messages"`
	States     uint64 `json:"states"` // keys of state, in all scopes
}

// exact has what the readable members of a line say differently: documents as
// msgpack, JSON as its text.
type exact struct {
	UserMemory  []byte `json:"user_memory,omitempty"`
	Metadata    []byte `json:"metadata,omitempty"`
	State       []byte `json:"state,omitempty"`
	ToolInputs  string `json:"tool_inputs,omitempty"`
	ToolOutputs string `json:"tool_outputs,omitempty"`
}

// orNil is nil if there is nothing to say.
func (x exact) orNil() *exact {
	if x.UserMemory == nil && x.Metadata == nil && x.State == nil && x.ToolInputs == "" && x.ToolOutputs == "" {
		return nil
	}
	return &x
}

// exactDocument returns the document's own bytes if JSON does not keep it.
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
	// The namespace's line says whose it is, and the importing store has its
	// own ids.
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

// restore puts what Exact says in place of what JSON made of it.
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
