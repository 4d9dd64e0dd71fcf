package storetest

import (
	"errors"
	"fmt"
	"maps"

	"github.com/seshatdb/seshat"
)

const namespaceScope = "namespace"

func userScope(user string) string { return "user " + user }

// state returns the state of a scope of the namespace.
func (m *model) state(space, scope string) map[string]int64 {
	states := m.states[space]
	if states[scope] == nil {
		states[scope] = map[string]int64{}
	}
	return states[scope]
}

// scope returns a random scope of state. Unless it is the scope of the call's
// session, scope also returns the model's state of it.
func (c *call) scope() (seshat.Scope, map[string]int64) {
	switch c.p.r.IntN(3) {
	case 0:
		return seshat.SessionScope(c.id), nil
	case 1:
		user := pick(c.p, modelUsers[1:])
		return seshat.UserScope(user), c.p.m.state(c.space, userScope(user))
	}
	return seshat.NamespaceScope(), c.p.m.state(c.space, namespaceScope)
}

func (c *call) merge() {
	scope, state := c.scope()
	delta := map[string]any{}
	n := 1 + c.p.r.IntN(3)
	for range n {
		var v any
		if c.p.r.IntN(3) > 0 {
			v = int64(c.p.step)
		}
		delta[fmt.Sprint("k", c.p.r.IntN(4))] = v
	}
	err := c.t.MergeState(c.p.ctx, scope, delta)
	if state == nil {
		s, moved := c.beginWrite(err)
		if s == nil {
			return
		}
		state = s.log.state
		c.countVersion(s, moved, c.p.get(c.t, c.id))
	}
	c.want(err, nil)
	for k, v := range delta {
		if n, ok := v.(int64); ok {
			state[k] = n
		} else {
			delete(state, k)
		}
	}
}

// state compares all values of a random scope.
func (c *call) state() {
	scope, want := c.scope()
	got, err := c.t.State(c.p.ctx, scope)
	if want == nil {
		s := c.findSession(err)
		if s == nil {
			return
		}
		want = s.log.state
	}
	c.want(err, nil)
	have := map[string]int64{}
	for k, v := range got {
		have[k], _ = v.(int64)
	}
	if !maps.Equal(have, want) {
		c.p.Fatalf("step %d: state: got %v, want %v", c.p.step, have, want)
	}
}

// staleUpdate updates with the version before the stored one.
func (c *call) staleUpdate() {
	s := c.p.m.live(c.space, c.id, c.now)
	if s == nil || s.version == 1 {
		return
	}
	_, err := c.t.Update(c.p.ctx, c.id, rename("stale"), seshat.UpdateOptions{IfVersion: s.version - 1})
	before := *s
	s.settle(c.now)
	// Either error may be found first.
	if s.writable() || !errors.Is(err, seshat.ErrReadOnly) {
		c.want(err, seshat.ErrConflict)
	}
	*s = before
}
