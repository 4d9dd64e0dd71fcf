package seshat

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// maxFindings is how many findings one Check reports.
const maxFindings = 100

// CheckReport is the result of [Store.Check].
type CheckReport struct {
	Namespaces   uint64    // namespaces read
	Sessions     uint64    // sessions read
	Messages     uint64    // messages read
	Entries      uint64    // stored values other than sessions, messages and events
	Events       uint64    // events read
	IndexEntries uint64    // index entries read; 0 if the engine has no indexes of its own
	Findings     []Finding // at most 100; none = the store is consistent
}

// Finding is one inconsistency.
type Finding struct {
	Where string // the key, with the ids in it but no content
	What  string // the inconsistency
}

// Check verifies that the store is consistent: index entries and records,
// counters and the things that they count, checksums, and the store's own rules
// on every session, message and namespace. It reads everything, beside other
// calls, and changes nothing. An inconsistency is a finding in the report, not
// an error.
//
// Errors: errors.ErrUnsupported if the engine cannot check; ErrClosed; the
// context's error.
func (s *Store) Check(ctx context.Context) (CheckReport, error) {
	if err := checkContext(ctx); err != nil {
		return CheckReport{}, &Error{Op: "Check", Err: err}
	}
	d, ok := s.d.(driver.Checker)
	if !ok {
		return CheckReport{}, &Error{Op: "Check", Err: fmt.Errorf("%s: %w", s.d.Caps().Name, errors.ErrUnsupported)}
	}
	c := checker{
		namespaces: map[string]*Namespace{}, names: map[driver.EntryKey]string{}, spaces: map[uint64]string{},
		states: map[driver.EntryKey]rules.Size{},
	}
	done, err := d.Check(ctx, maxFindings, driver.Visitor{Record: c.record, Message: c.message, Entry: c.entry})
	if err != nil {
		return CheckReport{}, &Error{Op: "Check", Err: err}
	}
	r := CheckReport{
		Namespaces: uint64(len(c.namespaces)), Sessions: done.Records, Messages: done.Messages,
		Entries: done.Entries, Events: done.Events, IndexEntries: done.IndexEntries,
	}
	for _, f := range done.Findings {
		r.Findings = append(r.Findings, Finding(f))
	}
	if len(r.Findings) < maxFindings { // otherwise the visit was cut short
		c.compareNames(&r)
		c.compareOwners(&r)
	}
	return r, nil
}

func (r *CheckReport) find(where, format string, args ...any) {
	if len(r.Findings) < maxFindings {
		r.Findings = append(r.Findings, Finding{Where: where, What: fmt.Sprintf(format, args...)})
	}
}

// checker collects the values that one Check compares with each other.
type checker struct {
	namespaces map[string]*Namespace      // by id
	names      map[driver.EntryKey]string // name → id
	spaces     map[uint64]string          // ordinal of a namespace → id of one of its sessions
	last       uint64                     // ordinal given last

	// states has the stored size of each scope minus the size of the visited
	// values. If both agree the scope has no element, so the map stays small.
	states map[driver.EntryKey]rules.Size
}

// record checks one session against the rules that every write keeps.
func (c *checker) record(r *driver.Record) error {
	c.spaces[r.Namespace] = r.ID
	s, err := decodeStoredSession(r, "", "")
	if err != nil {
		return err
	}
	due := s.timeline
	due.Refresh()
	switch {
	case checkName("session_id", r.ID) != nil:
		return errors.New("has an id that is not allowed")
	case due.Expires != r.Expires:
		return fmt.Errorf("expires at %d, but its lifecycle says %d", r.Expires, due.Expires)
	case r.Due > due.NextDeadline():
		return fmt.Errorf("is filed as due at %d, after its next deadline, %d", r.Due, due.NextDeadline())
	case r.ActiveMinute != s.timeline.Active/60_000:
		return fmt.Errorf("is listed at minute %d, but was active in %d", r.ActiveMinute, s.timeline.Active/60_000)
	case r.Messages > s.LastSeq:
		return fmt.Errorf("has %d messages, but only %d numbers were given", r.Messages, s.LastSeq)
	}
	return errors.Join(checkDocument(s.UserMemory.enc), checkDocument(s.Metadata.enc))
}

func (c *checker) message(_ driver.Key, m *driver.Message) error {
	msg, err := decodeMessage(m)
	if err != nil {
		return fmt.Errorf("message %d: %w", m.Seq, err)
	}
	return checkDocument(msg.Metadata.enc)
}

func (c *checker) entry(e *driver.Entry) error {
	switch e.Kind {
	case kindNamespace:
		n, err := decodeNamespace(e.Value)
		if err != nil {
			return err
		}
		c.namespaces[e.Name] = n
	case kindNamespaceName:
		c.names[e.EntryKey] = string(e.Value)
	case kindOrdinal:
		if len(e.Value) != 8 {
			return fmt.Errorf("the last ordinal has %d bytes", len(e.Value))
		}
		c.last = binary.BigEndian.Uint64(e.Value)
	case kindAPIKey:
		k, err := decodeKey(e.Value)
		if err == nil && k.ID != e.Name {
			err = fmt.Errorf("is stored under another id than its own, %q", k.ID)
		}
		return err
	case kindNamespaceState, kindUserState, kindSessionState:
		return c.state(e)
	case kindStateHistory:
		return checkDocument(string(e.Value))
	}
	return nil
}

// state checks one value of a scope, or the scope's size.
func (c *checker) state(e *driver.Entry) error {
	scope := driver.EntryKey{Namespace: e.Namespace, Kind: e.Kind, Owner: e.Owner}
	n := c.states[scope]
	if e.Name == "" {
		size, err := readStateSize(e.Value)
		if err != nil {
			return err
		}
		n.Keys += size.Keys
		n.Bytes += size.Bytes
	} else if err := checkDocument(string(e.Value)); err != nil {
		return err
	} else {
		n.Replace(e.Value, nil)
	}
	if c.states[scope] = n; n == (rules.Size{}) {
		delete(c.states, scope)
	}
	return nil
}

// compareNames compares the namespaces with the index of their names.
func (c *checker) compareNames(r *CheckReport) {
	for id, n := range c.namespaces {
		where := fmt.Sprintf("namespace %q", id)
		switch {
		case n.ID != id:
			r.find(where, "is stored under another id than its own, %q", n.ID)
		case n.ordinal == 0 || n.ordinal > c.last:
			r.find(where, "has ordinal %d, but %d was given last", n.ordinal, c.last)
		case c.names[namespaceNameKey(n.OrganizationID, n.Name)] != id:
			r.find(where, "is not found by its name")
		}
	}
	for k, id := range c.names {
		if n := c.namespaces[id]; n == nil || namespaceNameKey(n.OrganizationID, n.Name) != k {
			r.find(fmt.Sprintf("namespace name %q of %q", k.Name, k.Owner),
				"leads to %q, which has another or is not there", id)
		}
	}
}

// compareOwners finds shared ordinals, sessions without a namespace, and scopes
// whose stored size is wrong.
func (c *checker) compareOwners(r *CheckReport) {
	ordinals := make(map[uint64]string, len(c.namespaces))
	for id, n := range c.namespaces {
		if other := ordinals[n.ordinal]; other != "" {
			r.find(fmt.Sprintf("namespace %q", id), "shares its ordinal, %d, with %q", n.ordinal, other)
		}
		ordinals[n.ordinal] = id
	}
	for ord, session := range c.spaces {
		if ordinals[ord] == "" {
			r.find(fmt.Sprintf("session %d/%q", ord, session), "belongs to no namespace")
		}
	}
	for scope, n := range c.states {
		r.find(fmt.Sprintf("state %d/%q", scope.Namespace, scope.Owner), "is %d keys and %d bytes off its size",
			int64(n.Keys), int64(n.Bytes))
	}
}
