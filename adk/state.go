package adk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/adk/v2/session"

	"github.com/seshatdb/seshat"
)

// scoped is state by scope, with the keys of the store.
type scoped struct{ app, user, own map[string]any }

// split splits a delta by scope and converts its values for the store. It
// leaves out keys of the invocation.
func (s *Service) split(delta map[string]any) (d scoped, err error) {
	d = scoped{map[string]any{}, map[string]any{}, map[string]any{}}
	for key, v := range delta {
		scope, name := d.of(key)
		if scope == nil {
			continue
		}
		if fits(name) && !strings.HasPrefix(name, marker) {
			// The key is used as it is.
		} else if name = escape(name); len(name) > seshat.MaxNameBytes {
			return d, invalid("state key %.40q… is longer than the store allows", key)
		}
		if scope[name], err = s.storable(v); err != nil {
			return d, invalid("state key %q: %v", key, err)
		}
	}
	return d, nil
}

// of returns the scope of a key and the key in it. The scope of the invocation
// is nil.
func (d *scoped) of(key string) (map[string]any, string) {
	if name, ok := strings.CutPrefix(key, session.KeyPrefixApp); ok {
		return d.app, name
	}
	if name, ok := strings.CutPrefix(key, session.KeyPrefixUser); ok {
		return d.user, name
	}
	if strings.HasPrefix(key, session.KeyPrefixTemp) {
		return nil, ""
	}
	return d.own, key
}

// null represents a nil value. The store deletes keys with a nil value, but ADK
// keeps them and distinguishes them from absent keys. JSON values are never
// stored as bytes.
var null = []byte{}

// storable converts a value for the store: to its JSON value, with whole
// numbers as integers.
func (s *Service) storable(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		if s.o.DeleteNil {
			return nil, nil
		}
		return null, nil
	case string:
		if utf8.ValidString(v) {
			return v, nil
		}
	case bool, int, int64:
		return v, nil
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v, nil
		}
	}
	enc, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(enc))
	dec.UseNumber()
	var out any
	if err := dec.Decode(&out); err != nil {
		return nil, err
	}
	if out == nil {
		return s.storable(nil)
	}
	return out, nil
}

// readable is the inverse of storable. It returns the types of encoding/json,
// except integers that float64 cannot represent.
func readable(v any) any {
	switch v := v.(type) {
	case []byte:
		return nil
	case int64:
		f := float64(v)
		if -1<<53 <= v && v <= 1<<53 || strconv.FormatFloat(f, 'f', -1, 64) == strconv.FormatInt(v, 10) {
			return f // a float64 became such a number in JSON, too
		}
	case []any:
		for i := range v {
			v[i] = readable(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = readable(v[k])
		}
	}
	return v
}

// readScope adds the state of a scope to m, with the prefix. A missing user or
// session has no state.
func readScope(ctx context.Context, t *seshat.Tenant, m map[string]any, scope seshat.Scope, prefix string) error {
	stored, err := t.State(ctx, scope)
	if err != nil {
		return err
	}
	return addScope(m, stored, prefix)
}

func addScope(m, stored map[string]any, prefix string) error {
	for name, v := range stored {
		key, ok := decodeName(name)
		if !ok {
			return fmt.Errorf("%w: state key %q", seshat.ErrCorrupt, name)
		}
		m[prefix+key] = readable(v)
	}
	return nil
}

// readShared returns the state of the app and the user.
func readShared(ctx context.Context, t *seshat.Tenant, userID string) (map[string]any, error) {
	m := map[string]any{}
	if err := readScope(ctx, t, m, seshat.NamespaceScope(), session.KeyPrefixApp); err != nil {
		return nil, err
	}
	return m, readScope(ctx, t, m, seshat.UserScope(UserName(userID)), session.KeyPrefixUser)
}

// apply applies a delta to the state of a handle. It copies values, so that the
// handle shares no map with the event.
func (s *Service) apply(state, delta map[string]any) {
	for k, v := range delta {
		if v == nil && s.o.DeleteNil {
			delete(state, k)
		} else {
			state[k] = clone(v)
		}
	}
}

// clone copies the maps and lists of a JSON value. It keeps other types.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v == nil {
			return v
		}
		m := make(map[string]any, len(v))
		for k := range v {
			m[k] = clone(v[k])
		}
		return m
	case []any:
		if v == nil {
			return v
		}
		l := make([]any, len(v))
		for i := range v {
			l[i] = clone(v[i])
		}
		return l
	}
	return v
}

// withoutTemp returns a copy of e for the handle, without the state of the
// invocation and with maps of its own.
func withoutTemp(e *session.Event) *session.Event {
	c := *e
	if delta := e.Actions.StateDelta; delta != nil {
		c.Actions.StateDelta = make(map[string]any, len(delta))
		for k, v := range delta {
			if !strings.HasPrefix(k, session.KeyPrefixTemp) {
				c.Actions.StateDelta[k] = clone(v)
			}
		}
	}
	c.Actions.ArtifactDelta = maps.Clone(e.Actions.ArtifactDelta)
	c.Actions.RequestedToolConfirmations = maps.Clone(e.Actions.RequestedToolConfirmations)
	return &c
}

// absent reports whether err is seshat.ErrNotFound.
func absent(err error) bool { return errors.Is(err, seshat.ErrNotFound) }
