package driver

import (
	"errors"
	"fmt"
	"math"
)

// ErrInvalid is the error of an op that every driver must refuse. Errors that
// wrap it name the field and contain no content.
var ErrInvalid = errors.New("invalid change")

// Validate checks that a driver can read the Target of o. Drivers call it
// first. If it fails, they set its error as Err, and Plan never runs.
func (o *Op) Validate() error {
	if o.Plan == nil {
		return invalid("Op.Plan", "is nil; a function is required")
	}
	if o.Clock == nil {
		return invalid("Op.Clock", "is nil; a function is required")
	}
	return o.Target.validate()
}

func (t *Target) validate() error {
	if len(t.Key.ID) > MaxNameBytes {
		return tooLong("Target.Key.ID", t.Key.ID, MaxNameBytes)
	}
	if t.Key.ID != "" && t.Key.Namespace == 0 {
		return invalid("Target.Key.Namespace", "is 0; a Key with an ID needs a namespace")
	}
	for _, id := range t.MessageIDs {
		if !isName(id) {
			return invalid("Target.MessageIDs", "has an id of %d bytes; 1 to %d are allowed", len(id), MaxNameBytes)
		}
	}
	for i := range t.Entries {
		if err := t.Entries[i].validate(t.Key); err != nil {
			return err
		}
	}
	return nil
}

// Validate checks that every driver executes c in the same way, given the
// target and the view of its Plan. Drivers call it after Plan. It ensures that
//
//   - Put has the Target's key, an incarnation, fields within their limits and
//     no negative times. It does not lower NextSeq.
//   - Append has a Put or a Stage. Its numbers ascend from 1 or, if the log
//     exists, from the stored NextSeq, and end below Put.NextSeq.
//   - Replace ascends. No message is appended or replaced inside a span of
//     Drop, and no appended message is also replaced, so a driver may apply the
//     three in any order.
//   - Remove and Stage exclude Put, Replace, Drop and each other.
//   - Erase excludes all other changes, except events and entries that it does
//     not erase.
//   - TrimFeed is within the feed of the view.
//
// The driver itself returns ErrInvalid for an Append at a number that a staged
// log has, and ErrNotFound for a Replace of a missing message. It applies the
// entries of a Change in order. Remove has no effect if there is no record. The
// store is responsible for Messages and Bytes of a record: Checker compares
// them with the log, Mutate does not.
func (c *Change) Validate(t *Target, v *View, caps Caps) error {
	if err := c.validateShape(t, v); err != nil {
		return err
	}
	if c.Put != nil {
		if err := c.Put.validate(t.Key, v.Record, caps); err != nil {
			return err
		}
	}
	if err := c.validateLog(v, caps); err != nil {
		return err
	}
	if err := c.validateEntries(t.Key, v, caps); err != nil {
		return err
	}
	return c.validateFeed(v)
}

// SameLog reports whether r continues the log of stored.
func (r *Record) SameLog(stored *Record) bool {
	return stored != nil && stored.Incarnation == r.Incarnation
}

// validateShape refuses a change that combines the wrong fields, or lacks a
// field that another one needs.
func (c *Change) validateShape(t *Target, v *View) error {
	staged := c.Stage != Incarnation{}
	edits := len(c.Replace) > 0 || len(c.Drop) > 0
	switch {
	case (c.Put != nil || c.Remove) && t.Key.ID == "":
		return invalid("Change", "puts or removes a record; that needs a Target.Key.ID")
	case c.Put != nil && c.Remove:
		return invalid("Change.Remove", "is set beside Put; one of the two is allowed")
	case staged && (c.Put != nil || c.Remove || edits):
		return invalid("Change.Stage", "is set beside a change of a record; Append and Events may accompany it")
	case staged && t.Key.Namespace == 0:
		return invalid("Change.Stage", "needs a Target.Key.Namespace")
	case len(c.Append) > 0 && c.Put == nil && !staged:
		return invalid("Change.Append", "needs Put or Stage")
	case edits && (c.Remove || c.Put == nil && v.Record == nil):
		return invalid("Change", "has Replace or Drop; these need a record that is put or stored, and not removed")
	case c.Erase != nil:
		return c.validateErase(t.Key, staged || edits)
	}
	return nil
}

func (c *Change) validateErase(k Key, log bool) error {
	e := c.Erase
	if e.Namespace == 0 {
		return invalid("Change.Erase.Namespace", "is 0; a namespace is required")
	}
	if len(e.UserID) > MaxNameBytes {
		return tooLong("Change.Erase.UserID", e.UserID, MaxNameBytes)
	}
	if log || c.Put != nil || c.Remove {
		return invalid("Change.Erase",
			"is set beside another change; only Events, TrimFeed and Entries may accompany it")
	}
	if e.UserID == "" && k.Namespace == e.Namespace && (len(c.Events) > 0 || c.TrimFeed > 0) {
		return invalid("Change.Erase", "is set beside events of the erased namespace; none are allowed")
	}
	for i := range c.Entries {
		if e.Covers(&c.Entries[i].EntryKey) {
			return invalid("Change.Erase", "is set beside an entry that it erases; only other entries are allowed")
		}
	}
	return nil
}

// Covers reports whether e erases the entry at k because of its key. If e is of
// one user, Covers is false for entries of a session, which are erased with
// their session.
func (e *Erasure) Covers(k *EntryKey) bool {
	if k.Namespace != e.Namespace {
		return false
	}
	return e.UserID == "" || k.Kind&(KindUser|KindSession) == KindUser && k.Owner == e.UserID
}

func (r *Record) validate(k Key, stored *Record, caps Caps) error {
	switch {
	case r.Key != k:
		return invalid("Put.Key", "differs from Target.Key; the two must be equal")
	case r.Incarnation == Incarnation{}:
		return invalid("Put.Incarnation", "is zero; an incarnation is required")
	case r.SameLog(stored) && r.NextSeq < stored.NextSeq:
		return invalid("Put.NextSeq", "is %d; at least the stored %d is allowed", r.NextSeq, stored.NextSeq)
	case len(r.UserID) > MaxNameBytes:
		return tooLong("Put.UserID", r.UserID, MaxNameBytes)
	case r.Status >= Statuses:
		return invalid("Put.Status", "is %d; a status below %d is allowed", r.Status, Statuses)
	case r.Created < 0:
		return negative("Put.Created", r.Created)
	case r.ActiveMinute < 0:
		return negative("Put.ActiveMinute", r.ActiveMinute)
	case r.Due < 0:
		return negative("Put.Due", r.Due)
	case r.Expires < 0:
		return negative("Put.Expires", r.Expires)
	case len(r.Body) > caps.MaxRecord:
		return tooLarge("Put.Body")
	}
	return validateLabels(r.Labels)
}

func validateLabels(labels []Label) error {
	for i, l := range labels {
		if !isName(l.Name) {
			return invalid("Put.Labels", "has a name of %d bytes; 1 to %d are allowed", len(l.Name), MaxNameBytes)
		}
		if len(l.Value) > MaxNameBytes {
			return invalid("Put.Labels", "has a value of %d bytes; at most %d are allowed", len(l.Value), MaxNameBytes)
		}
		if i > 0 && labels[i-1].Name >= l.Name {
			return invalid("Put.Labels",
				"has a name that does not sort after the one before; ascending names are allowed")
		}
	}
	return nil
}

func (c *Change) validateLog(v *View, caps Caps) error {
	next := uint64(1)
	if c.Put != nil && c.Put.SameLog(v.Record) {
		next = max(next, v.Record.NextSeq)
	}
	for i := range c.Append {
		m := &c.Append[i]
		if m.Seq < next || m.Seq == math.MaxUint64 || c.Put != nil && m.Seq >= c.Put.NextSeq {
			return invalid("Append", "has number %d; ascending numbers from %d, and below Put.NextSeq, are allowed",
				m.Seq, next)
		}
		if !isName(m.ID) {
			return invalid("Append", "has an id of %d bytes; 1 to %d are allowed", len(m.ID), MaxNameBytes)
		}
		if len(m.Body) > caps.MaxMessage {
			return tooLarge("Append")
		}
		next = m.Seq + 1
	}
	if err := c.validateReplace(caps); err != nil {
		return err
	}
	return c.validateDrop()
}

func (c *Change) validateReplace(caps Caps) error {
	for i := range c.Replace {
		m := &c.Replace[i]
		if m.Seq == 0 || i > 0 && m.Seq <= c.Replace[i-1].Seq {
			return invalid("Replace", "has number %d; ascending numbers from 1 are allowed", m.Seq)
		}
		if len(c.Append) > 0 && m.Seq >= c.Append[0].Seq {
			return invalid("Replace", "has number %d; numbers below those of Append are allowed", m.Seq)
		}
		if len(m.Body) > caps.MaxMessage {
			return tooLarge("Replace")
		}
	}
	return nil
}

func (c *Change) validateDrop() error {
	for _, s := range c.Drop {
		if s.From == 0 || s.To < s.From {
			return invalid("Drop",
				"has the span %d to %d; a span from 1 or later to the same number or later is allowed", s.From, s.To)
		}
		if s.holds(c.Append) || s.holds(c.Replace) {
			return invalid("Drop", "has a span with a number of Append or Replace; only other numbers are allowed")
		}
	}
	return nil
}

func (s Span) holds(ms []Message) bool {
	for i := range ms {
		if s.From <= ms[i].Seq && ms[i].Seq <= s.To {
			return true
		}
	}
	return false
}

func (c *Change) validateEntries(k Key, v *View, caps Caps) error {
	for i := range c.Entries {
		e := &c.Entries[i]
		if err := e.EntryKey.validate(k); err != nil {
			return err
		}
		if e.Kind == KindClock || e.Kind == KindLoad {
			return invalid("Entries", "has kind %#x, which only the driver writes; other kinds are allowed", e.Kind)
		}
		if e.Kind&KindSession != 0 && (c.Remove || c.Put == nil && v.Record == nil) {
			return invalid("Entries",
				"has an entry of a session; that needs a record that is put or stored, and not removed")
		}
		if len(e.Value) > caps.MaxEntry {
			return tooLarge("Entries")
		}
	}
	return nil
}

// validate checks a key of a Target or a Change for the given session.
func (k *EntryKey) validate(session Key) error {
	if len(k.Owner) > MaxNameBytes {
		return tooLong("Entries.Owner", k.Owner, MaxNameBytes)
	}
	if len(k.Name) > 2*MaxNameBytes {
		return tooLong("Entries.Name", k.Name, 2*MaxNameBytes)
	}
	switch k.Kind & (KindUser | KindSession) {
	case KindUser | KindSession:
		return invalid("Entries.Kind", "is %#x, of a user and of a session; one of the two is allowed", k.Kind)
	case KindSession:
		if k.Owner != "" || k.Namespace != session.Namespace || session.ID == "" {
			return invalid("Entries",
				"has an entry of a session; that needs an empty Owner and the session of Target.Key")
		}
	}
	return nil
}

func (c *Change) validateFeed(v *View) error {
	if c.TrimFeed > v.FeedHead {
		return invalid("TrimFeed", "is %d; at most the feed's head, %d, is allowed", c.TrimFeed, v.FeedHead)
	}
	for i := range c.Events {
		if len(c.Events[i].ID) > MaxNameBytes {
			return tooLong("Events.ID", c.Events[i].ID, MaxNameBytes)
		}
	}
	return nil
}

func isName(s string) bool { return s != "" && len(s) <= MaxNameBytes }

// invalid returns an ErrInvalid that names one field, its value and the allowed
// values.
func invalid(field, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrInvalid, field, fmt.Sprintf(format, args...))
}

func tooLong(field, value string, most int) error {
	return invalid(field, "has %d bytes; at most %d are allowed", len(value), most)
}

func negative(field string, value int64) error {
	return invalid(field, "is %d; 0 or more is allowed", value)
}

// tooLarge returns an ErrTooLarge for a field that exceeds a limit of Caps.
func tooLarge(field string) error {
	return fmt.Errorf("%s: %w", field, ErrTooLarge)
}
