package driver

import (
	"errors"
	"fmt"
	"math"
)

// ErrInvalid is the outcome of an op that no driver may carry out. Errors that
// wrap it name the field and hold no content.
var ErrInvalid = errors.New("invalid change")

// Validate reports whether a driver can fetch what o asks for. Drivers call it
// before anything else; an op that fails it gets the error as its Err, and its
// Plan never runs.
func (o *Op) Validate() error {
	if o.Plan == nil || o.Clock == nil {
		return invalid("op", "has no Plan or no Clock")
	}
	return o.Target.validate()
}

func (t *Target) validate() error {
	if len(t.Key.ID) > MaxName {
		return invalid("Target.Key.ID", "is too long")
	}
	if t.Key.ID != "" && t.Key.Namespace == 0 {
		return invalid("Target.Key", "has no namespace")
	}
	for _, id := range t.MessageIDs {
		if !isName(id) {
			return invalid("Target.MessageIDs", "holds an empty or long id")
		}
	}
	for i := range t.Entries {
		if err := t.Entries[i].validate(t.Key); err != nil {
			return err
		}
	}
	return nil
}

// Validate reports whether c is a change that every driver carries out in the
// same way, given the target that it answers and the view that its Plan got.
// Drivers call it after Plan. It promises, so that no driver needs to choose:
//
//   - Put has the Target's key, an incarnation, fields within their limits and
//     times that are not negative. It does not lower NextSeq.
//   - Append comes with a Put or a Stage. Its numbers ascend from 1 or, where
//     the log goes on, from the stored NextSeq, and end below Put.NextSeq.
//   - Replace ascends. Nothing is appended or replaced inside a span of Drop,
//     and nothing appended is also replaced, so their order does not matter.
//   - Remove and Stage exclude Put and each other, Replace and Drop.
//   - Erase comes alone, but for events and entries that it does not touch.
//   - TrimFeed stays within the feed that was seen.
//
// Three things are for the driver itself: an Append at a number that a staged
// log already has is ErrInvalid, a Replace of a message that is not there is
// ErrNotFound, and entries of one Change are applied in their order. Remove
// without a record changes nothing. Messages and Bytes of a record are the
// store's word: Checker compares them, not Mutate.
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

// SameLog reports whether r goes on with the log of stored.
func (r *Record) SameLog(stored *Record) bool {
	return stored != nil && stored.Incarnation == r.Incarnation
}

// validateShape checks which parts of a change come together.
func (c *Change) validateShape(t *Target, v *View) error {
	staged := c.Stage != Incarnation{}
	edits := len(c.Replace) > 0 || len(c.Drop) > 0
	switch {
	case (c.Put != nil || c.Remove) && t.Key.ID == "":
		return invalid("Change", "of a record, but the Target names none")
	case c.Put != nil && c.Remove:
		return invalid("Change", "both puts and removes")
	case staged && (c.Put != nil || c.Remove || edits):
		return invalid("Change.Stage", "comes with a change of a record")
	case staged && t.Key.Namespace == 0:
		return invalid("Change.Stage", "has no namespace")
	case len(c.Append) > 0 && c.Put == nil && !staged:
		return invalid("Change.Append", "comes without Put or Stage")
	case edits && (c.Remove || c.Put == nil && v.Record == nil):
		return invalid("Change", "edits the log of no record")
	case c.Erase != nil:
		return c.validateErase(t.Key, staged || edits)
	}
	return nil
}

func (c *Change) validateErase(k Key, log bool) error {
	e := c.Erase
	if e.Namespace == 0 || len(e.User) > MaxName {
		return invalid("Change.Erase", "names no namespace or a long user")
	}
	if log || c.Put != nil || c.Remove {
		return invalid("Change.Erase", "comes with another change")
	}
	if e.User == "" && k.Namespace == e.Namespace && (len(c.Events) > 0 || c.TrimFeed > 0) {
		return invalid("Change.Erase", "comes with events of its namespace")
	}
	for i := range c.Entries {
		if e.Covers(&c.Entries[i].EntryKey) {
			return invalid("Change.Erase", "comes with entries that it erases")
		}
	}
	return nil
}

// Covers reports whether e erases the entry at k by its key alone. Entries of
// a session are erased with their session.
func (e *Erasure) Covers(k *EntryKey) bool {
	if k.Namespace != e.Namespace {
		return false
	}
	return e.User == "" || k.Kind&(KindUser|KindSession) == KindUser && k.Owner == e.User
}

func (r *Record) validate(k Key, stored *Record, caps Caps) error {
	switch {
	case r.Key != k:
		return invalid("Put.Key", "is not the Target's")
	case r.Incarnation == Incarnation{}:
		return invalid("Put.Incarnation", "is zero")
	case r.SameLog(stored) && r.NextSeq < stored.NextSeq:
		return invalid("Put.NextSeq", "is lowered")
	case len(r.User) > MaxName:
		return invalid("Put.User", "is too long")
	case r.Status >= Statuses:
		return invalid("Put.Status", "is out of range")
	case r.Created < 0 || r.ActiveMinute < 0 || r.Due < 0 || r.Expires < 0:
		return invalid("Put", "has a negative time")
	case len(r.Body) > caps.MaxRecord:
		return tooLarge("Put.Body")
	}
	return validateLabels(r.Labels)
}

func validateLabels(labels []Label) error {
	for i, l := range labels {
		if !isName(l.Name) || len(l.Value) > MaxName {
			return invalid("Put.Labels", "holds an empty or long name, or a long value")
		}
		if i > 0 && labels[i-1].Name >= l.Name {
			return invalid("Put.Labels", "do not ascend")
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
			return invalid("Append", "holds a number that is not next, or not below NextSeq")
		}
		if !isName(m.ID) {
			return invalid("Append", "holds an empty or long id")
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
			return invalid("Replace", "does not ascend")
		}
		if len(c.Append) > 0 && m.Seq >= c.Append[0].Seq {
			return invalid("Replace", "holds a number that Append adds or skips")
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
			return invalid("Drop", "holds an empty span")
		}
		if s.holds(c.Append) || s.holds(c.Replace) {
			return invalid("Drop", "holds a message that the change writes")
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
			return invalid("Entries", "writes the clock, or the note of a load")
		}
		if e.Kind&KindSession != 0 && (c.Remove || c.Put == nil && v.Record == nil) {
			return invalid("Entries", "belong to no session")
		}
		if len(e.Value) > caps.MaxEntry {
			return tooLarge("Entries")
		}
	}
	return nil
}

// validate checks a key of a Target or a Change that is about the session k.
func (k *EntryKey) validate(session Key) error {
	if len(k.Owner) > MaxName || len(k.Name) > 2*MaxName {
		return invalid("Entries", "holds a long owner or name")
	}
	switch k.Kind & (KindUser | KindSession) {
	case KindUser | KindSession:
		return invalid("Entries", "holds a kind with two owners")
	case KindSession:
		if k.Owner != "" || k.Namespace != session.Namespace || session.ID == "" {
			return invalid("Entries", "names an owner of a session's entry, or another session")
		}
	}
	return nil
}

func (c *Change) validateFeed(v *View) error {
	if c.TrimFeed > v.FeedHead {
		return invalid("TrimFeed", "is beyond the feed")
	}
	for i := range c.Events {
		if len(c.Events[i].ID) > MaxName {
			return invalid("Events", "holds a long id")
		}
	}
	return nil
}

func isName(s string) bool { return s != "" && len(s) <= MaxName }

func invalid(field, why string) error {
	return fmt.Errorf("%w: %s %s", ErrInvalid, field, why)
}

func tooLarge(field string) error {
	return fmt.Errorf("%s: %w", field, ErrTooLarge)
}
