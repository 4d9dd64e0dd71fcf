package seshat

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/seshatdb/seshat/driver"
)

// merge is a delta of one scope, checked and encoded.
type merge struct {
	scope Scope
	keys  []string
	pairs [][]byte // for each key a document of it alone
	set   []bool   // false: the key is to be deleted
}

// newMerge checks and copies a delta, which errors call field.
func newMerge(scope Scope, field string, delta map[string]any) (*merge, error) {
	if err := scope.check(); err != nil {
		return nil, err
	}
	if len(delta) > MaxStateKeys {
		return nil, invalid(field, "has %d keys; at most %d are allowed", len(delta), MaxStateKeys)
	}
	m := &merge{scope: scope, keys: slices.Sorted(maps.Keys(delta))}
	for _, key := range m.keys {
		if err := checkName(field, key); err != nil {
			return nil, err
		}
		pair := Doc(map[string]any{key: delta[key]})
		if err := pair.check(field); err != nil {
			return nil, err
		}
		m.pairs = append(m.pairs, []byte(pair.enc))
		m.set = append(m.set, !pair.Equal(Doc(map[string]any{key: nil})))
	}
	return m, nil
}

// key is that of a value of the scope; of "" it is that of the scope's size.
func (m *merge) key(ord uint64, name string) driver.EntryKey {
	k := driver.EntryKey{Namespace: ord, Kind: m.scope.kind, Owner: m.scope.owner, Name: name}
	if m.scope.kind == kindSessionState {
		k.Owner = "" // the driver takes the incarnation
	}
	return k
}

// targets are the entries that apply needs to see.
func (m *merge) targets(ord uint64) []driver.EntryKey {
	if len(m.keys) == 0 {
		return nil
	}
	out := []driver.EntryKey{m.key(ord, "")}
	for _, key := range m.keys {
		out = append(out, m.key(ord, key))
	}
	return out
}

// scopeTurn checks the state that a turn carries, and finds the scopes that it
// belongs to. The user is read here, and compared in the write.
func (t *Tenant) scopeTurn(ctx context.Context, id string, a *appendOp) error {
	a.merges = a.merges[:0]
	if len(a.turn.UserState) > 0 {
		s, err := t.Get(ctx, id)
		if err != nil {
			return cause(err)
		}
		if a.user = s.UserID; a.user == "" {
			return invalid("user_state", "is given, but the session has no user")
		}
	}
	for _, d := range []struct {
		field string
		scope Scope
		delta map[string]any
	}{
		{"state", SessionState(id), a.turn.State},
		{"user_state", UserState(a.user), a.turn.UserState},
		{"namespace_state", NamespaceState(), a.turn.NamespaceState},
	} {
		if len(d.delta) == 0 {
			continue
		}
		m, err := newMerge(d.scope, d.field, d.delta)
		if err != nil {
			return err
		}
		a.merges = append(a.merges, m)
	}
	return nil
}

// merges are those of one call, in the order of their targets.
type merges []*merge

func (ms merges) targets(ord uint64) (out []driver.EntryKey) {
	for _, m := range ms {
		out = append(out, m.targets(ord)...)
	}
	return out
}

func (ms merges) apply(c *driver.Change, ord, seq uint64, stored [][]byte) error {
	for _, m := range ms {
		n := 1 + len(m.keys)
		if err := m.apply(c, ord, seq, stored[:n]); err != nil {
			return err
		}
		stored = stored[n:]
	}
	return nil
}

// apply adds to c what the merge changes, given what is stored at its targets.
// A session's changes are also kept for StateAt, as made at seq.
func (m *merge) apply(c *driver.Change, ord, seq uint64, stored [][]byte) error {
	if len(m.keys) == 0 {
		return nil
	}
	was, err := readStateSize(stored[0])
	if err != nil {
		return err
	}
	now, before := was, len(c.Entries)
	for i, key := range m.keys {
		old, pair := stored[i+1], m.pairs[i]
		if !m.set[i] {
			pair = nil
		}
		if bytes.Equal(old, pair) {
			continue
		}
		now.replace(old, pair)
		c.Entries = append(c.Entries, driver.Entry{EntryKey: m.key(ord, key), Value: pair})
		if m.scope.kind == kindSessionState {
			past := driver.EntryKey{Namespace: ord, Kind: kindSessionPast, Name: pastName(seq, key)}
			c.Entries = append(c.Entries, driver.Entry{EntryKey: past, Value: m.pairs[i]})
		}
	}
	if len(c.Entries) == before {
		return nil
	}
	if err := now.admit(was); err != nil {
		return err
	}
	c.Entries = append(c.Entries, driver.Entry{EntryKey: m.key(ord, ""), Value: now.encode()})
	return nil
}

// begin is apply where nothing is stored yet.
func (m *merge) begin(c *driver.Change, ord uint64) error {
	return m.apply(c, ord, 0, make([][]byte, 1+len(m.keys)))
}

// stateSize is what a scope holds. It is kept as two big-endian numbers.
type stateSize struct{ keys, bytes uint64 }

func readStateSize(b []byte) (stateSize, error) {
	switch len(b) {
	case 0:
		return stateSize{}, nil
	case 16:
		return stateSize{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}, nil
	}
	return stateSize{}, fmt.Errorf("%w: the size of a state has %d bytes", ErrCorrupt, len(b))
}

func (n stateSize) encode() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, n.keys), n.bytes)
}

func (n *stateSize) replace(old, pair []byte) {
	if old != nil {
		n.keys--
	}
	if pair != nil {
		n.keys++
	}
	n.bytes += uint64(len(pair)) - uint64(len(old))
}

// admit refuses to grow beyond the limits.
func (n stateSize) admit(was stateSize) error {
	if n.keys > MaxStateKeys && n.keys > was.keys {
		return &QuotaError{Quota: "state.keys", Limit: MaxStateKeys, Use: was.keys}
	}
	if n.bytes > MaxState && n.bytes > was.bytes {
		return &QuotaError{Quota: "state.bytes", Limit: MaxState, Use: was.bytes}
	}
	return nil
}
