package seshat

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// maxFindings is how many findings one Check reports.
const maxFindings = 100

// CheckReport is what a Check looked at and found.
type CheckReport struct {
	Namespaces, Sessions, Messages, Entries, Events uint64

	IndexEntries uint64    // where the engine has indexes of its own
	Findings     []Finding // at most 100; none = all agrees
}

// Finding is one thing that does not agree with another.
type Finding struct {
	Where string // which key: ids of the caller's, but no content
	What  string
}

// Check compares what the store keeps twice: index entries and records,
// counters and what they count, checksums, and the store's own rules on every
// session, message and namespace. It reads everything, beside other calls, and
// changes nothing. What does not agree is in the report and is not an error;
// one is returned only if Check could not go on.
//
// errors.ErrUnsupported: the engine has no check. ErrClosed.
func (s *Store) Check(ctx context.Context) (CheckReport, error) {
	if err := ready(ctx); err != nil {
		return CheckReport{}, &Error{Op: "Check", Err: err}
	}
	d, ok := s.d.(driver.Checker)
	if !ok {
		return CheckReport{}, &Error{Op: "Check", Err: fmt.Errorf("%s: %w", s.d.Caps().Name, errors.ErrUnsupported)}
	}
	c := checker{
		namespaces: map[string]*Namespace{}, names: map[driver.EntryKey]string{}, spaces: map[uint64]string{},
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
	c.compare(&r)
	return r, nil
}

// checker collects what one Check has to compare over many values.
type checker struct {
	namespaces map[string]*Namespace      // by id
	names      map[driver.EntryKey]string // name → id
	spaces     map[uint64]string          // ordinals that sessions name → one of their ids
	last       uint64                     // ordinal given last
}

// record checks one session by the rules that every write keeps.
func (c *checker) record(r *driver.Record) error {
	c.spaces[r.Namespace] = r.ID
	s, err := decodeSession(r, "", "")
	if err != nil {
		return err
	}
	due := s.course
	due.Refresh()
	switch {
	case checkName("session_id", r.ID) != nil:
		return errors.New("its id is not allowed")
	case due.Expires != r.Expires:
		return fmt.Errorf("expires at %d, but its lifecycle says %d", r.Expires, due.Expires)
	case r.Due > due.Next():
		return fmt.Errorf("is filed as due at %d, after its next deadline, %d", r.Due, due.Next())
	case r.ActiveMinute != s.course.Active/60_000:
		return fmt.Errorf("is listed at minute %d, but was active in %d", r.ActiveMinute, s.course.Active/60_000)
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
	}
	return nil
}

// compare adds to the report what only all values together show.
func (c *checker) compare(r *CheckReport) {
	find := func(where, format string, args ...any) {
		if len(r.Findings) < maxFindings {
			r.Findings = append(r.Findings, Finding{Where: where, What: fmt.Sprintf(format, args...)})
		}
	}
	ordinals := make(map[uint64]string, len(c.namespaces))
	for id, n := range c.namespaces {
		where := fmt.Sprintf("namespace %q", id)
		switch other, taken := ordinals[n.ordinal]; {
		case n.ID != id:
			find(where, "is stored under another id than its own, %q", n.ID)
		case taken:
			find(where, "shares its ordinal, %d, with %q", n.ordinal, other)
		case n.ordinal == 0 || n.ordinal > c.last:
			find(where, "has ordinal %d, but %d was given last", n.ordinal, c.last)
		case c.names[namespaceNameKey(n.InternalID, n.Name)] != id:
			find(where, "is not found by its name")
		}
		ordinals[n.ordinal] = id
	}
	for k, id := range c.names {
		if n := c.namespaces[id]; n == nil || namespaceNameKey(n.InternalID, n.Name) != k {
			find(fmt.Sprintf("namespace name %q of %q", k.Name, k.Owner), "leads to %q, which has another or is not there", id)
		}
	}
	for ord, session := range c.spaces {
		if ordinals[ord] == "" {
			find(fmt.Sprintf("session %d/%q", ord, session), "belongs to no namespace")
		}
	}
}
