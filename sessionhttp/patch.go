package sessionhttp

import (
	"errors"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonin"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonout"
)

// errNothing ends an update that changes nothing.
var errNothing = errors.New("nothing to change")

// memory is the change that a PATCH makes to a session's user memory.
type memory struct {
	merge bool
	clear bool // user_memory is null
	doc   seshat.Document
}

// patch answers PATCH /v1/agents/sessions/{session_id}.
func (x *exchange) patch() error {
	if _, err := x.queryOf(); err != nil {
		return err
	}
	cond, err := x.ifMatch()
	if err != nil {
		return err
	}
	m, err := x.memory()
	if err != nil {
		return err
	}
	var seen *seshat.Session
	s, err := x.t.Update(x.r.Context(), x.session, func(s *seshat.Session) error {
		seen = s
		switch {
		case !cond.holds(s):
			return errStale
		case s.MemoryDisabled:
			return errNothing
		}
		s.UserMemory = m.apply(s.UserMemory)
		return nil
	}, seshat.UpdateOptions{})
	if errors.Is(err, errNothing) {
		s = seen
		err = nil
	}
	if err != nil {
		return err
	}
	x.tag(s)
	b := jsonout.Text(append(x.out, `{"session_id":`...), s.ID)
	x.out = append(jsonout.Time(append(b, `,"updated_at":`...), s.UpdatedAt), '}')
	return x.reply(200)
}

// memory parses the body of a PATCH.
func (x *exchange) memory() (m memory, err error) {
	kind, err := x.contentType(jsonBody, mergeBody)
	if err != nil {
		return m, err
	}
	f, err := x.parse()
	if err != nil {
		return m, err
	}
	m.merge = kind == mergeBody
	switch v := f.take("user_memory"); {
	case v == nil:
		f.add("user_memory", "is required")
	case v.Kind() == jsonin.Null:
		m.clear = true
	default:
		m.doc = f.document("user_memory")
	}
	f.immutable()
	return m, f.err()
}

// immutable reports the fields that were not read.
func (f *form) immutable() {
	for i, taken := range f.taken {
		if !taken {
			f.add(shortened(f.members[i].Name), "cannot be changed; user_memory can")
		}
	}
}

func (m *memory) apply(old seshat.Document) seshat.Document {
	switch {
	case m.clear:
		return seshat.Document{}
	case m.merge:
		return seshat.NewDocument(merged(old.Map(), m.doc.Map()))
	}
	return m.doc
}

// merged applies a merge patch (RFC 7396) to target, which it may change.
func merged(target, patch map[string]any) map[string]any {
	if target == nil {
		target = map[string]any{}
	}
	for key, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(target, key)
		case map[string]any:
			inner, _ := target[key].(map[string]any)
			target[key] = merged(inner, v)
		default:
			target[key] = v
		}
	}
	return target
}
