package seshat

import (
	"context"
	"encoding/binary"
	"iter"
	"strings"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/document"
	"github.com/seshatdb/seshat/internal/rules"
)

// Bounds of the state in one scope.
const (
	MaxStateKeys  = 1000      // keys of one scope, and of one merge
	MaxStateBytes = 512 << 10 // bytes of keys and values, as stored
)

// Scope is the owner of a state: a session, a user across sessions, or the
// namespace. A state is a set of small named values. The zero Scope is not
// allowed.
type Scope struct {
	kind  uint8
	owner string // the session's id, or the user
}

// SessionScope returns the scope of one session. Its state ends with the
// session.
func SessionScope(id string) Scope { return Scope{kindSessionState, id} }

// UserScope returns the scope that all sessions of a user share. It needs no
// session, outlives all of them, and ends with [Tenant.DeleteUser].
func UserScope(user string) Scope { return Scope{kindUserState, user} }

// NamespaceScope returns the scope that all sessions of the tenant share.
func NamespaceScope() Scope { return Scope{kind: kindNamespaceState} }

func (s Scope) check() *fieldError {
	switch s.kind {
	case kindSessionState:
		return checkName("session_id", s.owner)
	case kindUserState:
		return checkName("user_id", s.owner)
	case kindNamespaceState:
		return nil
	}
	return refuse("scope", "is zero; one of SessionScope, UserScope and NamespaceScope is required")
}

// session returns the id of the session that has the scope, or "".
func (s Scope) session() string {
	if s.kind == kindSessionState {
		return s.owner
	}
	return ""
}

// State returns all values of a scope, as fresh values of the types that
// [Document.Map] names. They are one durable snapshot. If nothing was merged,
// the map is empty, not nil. A user need not exist.
//
// Errors: ErrNotFound if there is no such session, or the namespace was
// deleted; ErrInvalid; ErrCorrupt.
func (t *Tenant) State(ctx context.Context, scope Scope) (map[string]any, error) {
	m, err := t.readState(ctx, scope)
	if err != nil {
		return nil, t.wrapError("State", scope.session(), err)
	}
	return m, nil
}

func (t *Tenant) readState(ctx context.Context, scope Scope) (map[string]any, error) {
	if err := scope.check().err(); err != nil {
		return nil, err
	}
	if scope.kind == kindSessionState {
		s, err := t.Get(ctx, scope.owner)
		if err != nil {
			return nil, unwrapError(err)
		}
		m, err := t.readStateEntries(ctx, scope.kind, string(s.incarnation[:]))
		if err == nil && len(m) == 0 {
			_, err = t.reload(ctx, s) // an empty session and a deleted one differ
		}
		return m, err
	}
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	m, err := t.readStateEntries(ctx, scope.kind, scope.owner)
	if err == nil && len(m) == 0 {
		_, err = t.readNamespace(ctx) // an empty namespace and a deleted one differ
	}
	return m, err
}

func (t *Tenant) readStateEntries(ctx context.Context, kind uint8, owner string) (map[string]any, error) {
	entries, err := t.store.d.Entries(ctx, driver.EntryQuery{
		Namespace: t.ordinal, Kind: kind, Owner: owner, Limit: 1 + MaxStateKeys,
	})
	if err != nil {
		return nil, err
	}
	return decodeState(entries)
}

// decodeState decodes all entries of a scope into its values.
func decodeState(entries []driver.Entry) (map[string]any, error) {
	m := make(map[string]any, len(entries))
	for i := range entries {
		if entries[i].Name != "" {
			if err := mergeInto(m, entries[i].Value); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

// StateUsers returns an iterator over the users that have state of their own,
// once each, ordered by length and then bytewise. A user added during the loop
// may be missed. The loop body runs with nothing locked, and may call the
// store. The loop ends after the first error.
//
// Errors: ErrNotFound if the namespace was deleted; ErrCorrupt.
func (t *Tenant) StateUsers(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		q := driver.EntryQuery{Namespace: t.ordinal, Kind: kindUserState, AllOwners: true, Limit: 1}
		for {
			_, err := t.readNamespace(ctx)
			var next []driver.Entry
			if err == nil {
				next, err = t.store.d.Entries(ctx, q)
			}
			var size rules.Size
			if err == nil && len(next) > 0 {
				size, err = readStateSize(next[0].Value)
			}
			if err != nil {
				yield("", t.wrapError("StateUsers", "", err))
				return
			}
			if len(next) == 0 || size.Keys > 0 && !yield(next[0].Owner, nil) {
				return
			}
			q.Owner = next[0].Owner
			q.After = maxEntryName
		}
	}
}

// maxEntryName sorts after every name of an entry.
var maxEntryName = strings.Repeat("\xff", 2*MaxNameBytes)

// mergeInto applies a stored change of one key to m.
func mergeInto(m map[string]any, pair []byte) error {
	return documentError(document.Merge(m, string(pair), documentLimits))
}

// StateAt returns the session's state as it was while seq was the number of its
// newest message: after the turn that ended there, with everything merged
// before the next turn. For 0 it returns the state before the first message,
// which begins as [NewSession].State. Removing messages changes no state.
// StateAt reads every change of state up to seq.
//
// Errors: ErrNotFound; ErrInvalid if seq is above the newest number;
// ErrCorrupt.
func (t *Tenant) StateAt(ctx context.Context, id string, seq uint64) (map[string]any, error) {
	s, err := t.Get(ctx, id)
	if err != nil {
		return nil, t.wrapError("StateAt", id, unwrapError(err))
	}
	m, err := t.stateAt(ctx, s, seq)
	if err != nil {
		return nil, t.wrapError("StateAt", id, err)
	}
	return m, nil
}

// stateAt is StateAt for a session that was read before. If seq is its newest
// number, a merge may still change that state, so stateAt reads the current
// state in one snapshot. The state at an earlier number is final.
func (t *Tenant) stateAt(ctx context.Context, s *Session, seq uint64) (m map[string]any, err error) {
	if seq > s.LastSeq {
		return nil, invalid("seq", "is %d; at most the newest number, %d, is allowed", seq, s.LastSeq)
	}
	for {
		if seq == s.LastSeq {
			m, err = t.readStateEntries(ctx, kindSessionState, string(s.incarnation[:]))
		} else {
			m, err = t.replayState(ctx, s, seq)
		}
		if err != nil {
			return nil, err
		}
		now, err := t.reload(ctx, s)
		if err != nil {
			return nil, err
		}
		if seq < s.LastSeq || seq == now.LastSeq {
			return m, nil
		}
		s = &now.Session
	}
}

// pastPage is the number of state changes that StateAt reads at once.
const pastPage = 256

func (t *Tenant) replayState(ctx context.Context, s *Session, seq uint64) (map[string]any, error) {
	m := map[string]any{}
	end := historyName(seq+1, "")
	q := driver.EntryQuery{
		Namespace: t.ordinal, Kind: kindStateHistory, Owner: string(s.incarnation[:]),
		Limit: pastPage,
	}
	for {
		page, err := t.store.d.Entries(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range page {
			if page[i].Name >= end {
				return m, nil
			}
			if err := mergeInto(m, page[i].Value); err != nil {
				return nil, err
			}
		}
		if len(page) < q.Limit {
			return m, nil
		}
		q.After = page[len(page)-1].Name
	}
}

// historyName returns the entry name of the value that key got at seq.
func historyName(seq uint64, key string) string {
	return string(binary.BigEndian.AppendUint64(nil, seq)) + key
}

// MergeState sets the values of delta in a scope, all at once, and deletes the
// keys whose value is nil. A nil inside a value is stored. Keys are names of 1
// to 128 bytes; [NewDocument] lists the allowed values. A merge never conflicts
// with another write: for each key the last merge wins.
//
// A merge into a session's state is a write of the session: it extends a
// sliding TTL and appears in the change feed, but leaves Version unchanged. A
// merge into another scope needs no session, and does not appear in the feed.
//
// Errors: ErrQuota if the scope would exceed MaxStateKeys or MaxStateBytes;
// ErrReadOnly if the session's status is read-only; ErrNotFound; ErrInvalid.
func (t *Tenant) MergeState(ctx context.Context, scope Scope, delta map[string]any) error {
	const op = "MergeState"
	m, err := newStateMerge(scope, "state", delta)
	if err != nil {
		return t.wrapError(op, scope.session(), err)
	}
	if scope.kind == kindSessionState {
		_, err := t.writeSession(ctx, op, scope.owner, driver.Target{Entries: m.entryKeys(t.ordinal)},
			func(c *tenantWrite) error {
				s, err := c.requireWritable()
				if err != nil || len(m.keys) == 0 {
					return err
				}
				c.markWritten(eventUpdated)
				return m.apply(&c.out, t.ordinal, s.LastSeq, c.view.Entries[1:])
			})
		return err
	}
	if err = checkContext(ctx); err == nil {
		err = t.store.mutate(ctx, driver.Target{
			Key:     driver.Key{Namespace: t.ordinal},
			Entries: append([]driver.EntryKey{namespaceKey(t.id)}, m.entryKeys(t.ordinal)...),
		}, func(v driver.View) (c driver.Change, err error) {
			if _, err = t.cachedNamespace(v.Entries[0]); err == nil {
				err = m.apply(&c, t.ordinal, 0, v.Entries[1:])
			}
			return c, err
		})
	}
	if err != nil {
		return t.wrapError(op, "", err)
	}
	return nil
}
