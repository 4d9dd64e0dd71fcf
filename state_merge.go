package seshat

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// stateMerge is the checked and encoded delta of one scope.
type stateMerge struct {
	scope  Scope
	keys   []string
	values [][]byte // for each key a document with only that key
	set    []bool   // false: the key is to be deleted
}

// newStateMerge checks and copies a delta, which errors call field.
func newStateMerge(scope Scope, field string, delta map[string]any) (*stateMerge, error) {
	if err := scope.check().err(); err != nil {
		return nil, err
	}
	if len(delta) > MaxStateKeys {
		return nil, invalid(field, "has %d keys; at most %d are allowed", len(delta), MaxStateKeys)
	}
	m := &stateMerge{scope: scope, keys: slices.Sorted(maps.Keys(delta))}
	for _, key := range m.keys {
		if err := checkName(field, key).err(); err != nil {
			return nil, err
		}
		pair := NewDocument(map[string]any{key: delta[key]})
		if err := pair.check(field).err(); err != nil {
			return nil, err
		}
		m.values = append(m.values, []byte(pair.enc))
		m.set = append(m.set, !pair.Equal(NewDocument(map[string]any{key: nil})))
	}
	return m, nil
}

// key returns the entry key of a value; name "" is the key of the scope's size.
func (m *stateMerge) key(ord uint64, name string) driver.EntryKey {
	k := driver.EntryKey{Namespace: ord, Kind: m.scope.kind, Owner: m.scope.owner, Name: name}
	if m.scope.kind == kindSessionState {
		k.Owner = "" // the driver takes the incarnation
	}
	return k
}

// entryKeys returns the keys of the entries that apply reads.
func (m *stateMerge) entryKeys(ord uint64) []driver.EntryKey {
	if len(m.keys) == 0 {
		return nil
	}
	out := []driver.EntryKey{m.key(ord, "")}
	for _, key := range m.keys {
		out = append(out, m.key(ord, key))
	}
	return out
}

// stateMerges are the merges of one call, in the order of their targets.
type stateMerges []*stateMerge

func (ms stateMerges) targets(ord uint64) (out []driver.EntryKey) {
	for _, m := range ms {
		out = append(out, m.entryKeys(ord)...)
	}
	return out
}

func (ms stateMerges) apply(c *driver.Change, ord, seq uint64, stored [][]byte) error {
	for _, m := range ms {
		n := 1 + len(m.keys)
		if err := m.apply(c, ord, seq, stored[:n]); err != nil {
			return err
		}
		stored = stored[n:]
	}
	return nil
}

// apply adds the changes of the merge to c. stored has the values at its
// targets. For a session it also records each change under seq, for StateAt.
func (m *stateMerge) apply(c *driver.Change, ord, seq uint64, stored [][]byte) error {
	if len(m.keys) == 0 {
		return nil
	}
	was, err := readStateSize(stored[0])
	if err != nil {
		return err
	}
	now := was
	before := len(c.Entries)
	for i, key := range m.keys {
		old := stored[i+1]
		pair := m.values[i]
		if !m.set[i] {
			pair = nil
		}
		if bytes.Equal(old, pair) {
			continue
		}
		now.Replace(old, pair)
		c.Entries = append(c.Entries, driver.Entry{EntryKey: m.key(ord, key), Value: pair})
		if m.scope.kind == kindSessionState {
			past := driver.EntryKey{Namespace: ord, Kind: kindStateHistory, Name: historyName(seq, key)}
			c.Entries = append(c.Entries, driver.Entry{EntryKey: past, Value: m.values[i]})
		}
	}
	if len(c.Entries) == before {
		return nil
	}
	if err := checkStateSize(now, was); err != nil {
		return err
	}
	c.Entries = append(c.Entries, driver.Entry{EntryKey: m.key(ord, ""), Value: now.Encode()})
	return nil
}

// applyFresh is apply for a scope that has no values yet.
func (m *stateMerge) applyFresh(c *driver.Change, ord uint64) error {
	return m.apply(c, ord, 0, make([][]byte, 1+len(m.keys)))
}

func readStateSize(b []byte) (rules.Size, error) {
	n, ok := rules.ReadSize(b)
	if !ok {
		return n, fmt.Errorf("%w: the size of a state has %d bytes", ErrCorrupt, len(b))
	}
	return n, nil
}

// checkStateSize refuses growth of a state from was to n beyond the limits.
func checkStateSize(n, was rules.Size) error {
	if n.Keys > MaxStateKeys && n.Keys > was.Keys {
		return &QuotaError{Quota: "state.keys", Limit: MaxStateKeys, Use: was.Keys}
	}
	if n.Bytes > MaxStateBytes && n.Bytes > was.Bytes {
		return &QuotaError{Quota: "state.bytes", Limit: MaxStateBytes, Use: was.Bytes}
	}
	return nil
}
