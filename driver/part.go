package driver

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// PartKind is the kind of a Part. Dump returns parts in the order of kinds.
type PartKind uint8

// Kinds of parts.
const (
	PartClock   PartKind = iota + 1 // Time: see KindClock; no part while that is 0
	PartFeed                        // Head and Tail of the namespace's feed; no part while both are 0
	PartEvent                       // Event
	PartRecord                      // Record
	PartStage                       // a staged log: Incarnation, and Time, the end of its staging
	PartEntry                       // Entry with its Owner, also of a session
	PartMessage                     // Message of Incarnation, in the log of a record or a staged log
	// PartRef is an entry of the index of message ids without its message in
	// the log: Message without Body, of Incarnation.
	PartRef
)

// Part is one piece of a driver's data. Only Kind, Namespace and the fields
// that the kind names are set.
type Part struct {
	// The constants of PartKind name the fields of each kind.
	Kind        PartKind
	Namespace   uint64
	Incarnation Incarnation
	Time        int64 // Unix milliseconds
	Head, Tail  uint64
	Event       Event
	Entry       Entry
	Record      Record
	Message     Message
}

// Place is the place of a Part in a Dump. It is unique.
type Place struct {
	// The fields of the key of the part.
	Kind        PartKind
	Namespace   uint64      // of the part
	Incarnation Incarnation // PartStage, PartMessage, PartRef
	Number      uint64      // Position of an event, Kind of an entry, Seq of a message
	Owner       string      // of an entry
	Name        string      // of an entry, id of a record, message id of a PartRef
}

// Place returns the place of p. It shares p's strings.
func (p *Part) Place() Place {
	at := Place{Kind: p.Kind, Namespace: p.Namespace, Incarnation: p.Incarnation}
	switch p.Kind {
	case PartEvent:
		at.Number = p.Event.Position
	case PartEntry:
		at.Number = uint64(p.Entry.Kind)
		at.Owner = p.Entry.Owner
		at.Name = p.Entry.Name
	case PartRecord:
		at.Name = p.Record.ID
	case PartMessage:
		at.Number = p.Message.Seq
	case PartRef:
		at.Name = p.Message.ID
	case PartClock, PartFeed, PartStage: // one for each store, namespace or log
	}
	return at
}

// Compare returns a negative number if a is before b, and 0 if they are equal.
// Places are ordered by Kind, Namespace, Incarnation, Number, length of Owner,
// Owner and Name, bytewise.
func (a Place) Compare(b Place) int {
	return cmp.Or(
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Namespace, b.Namespace),
		bytes.Compare(a.Incarnation[:], b.Incarnation[:]),
		cmp.Compare(a.Number, b.Number),
		cmp.Compare(len(a.Owner), len(b.Owner)),
		strings.Compare(a.Owner, b.Owner),
		strings.Compare(a.Name, b.Name))
}

// Clone returns a copy of p that shares no memory with it.
func (p *Part) Clone() Part {
	c := *p
	c.Event.ID = strings.Clone(p.Event.ID)
	c.Entry.Owner, c.Entry.Name = strings.Clone(p.Entry.Owner), strings.Clone(p.Entry.Name)
	c.Entry.Value = bytes.Clone(p.Entry.Value)
	c.Message.ID, c.Message.Body = strings.Clone(p.Message.ID), bytes.Clone(p.Message.Body)
	r := &c.Record
	r.ID, r.UserID, r.Body = strings.Clone(r.ID), strings.Clone(r.UserID), bytes.Clone(r.Body)
	r.Labels = slices.Clone(r.Labels)
	for i, l := range r.Labels {
		r.Labels[i] = Label{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)}
	}
	return c
}

// Validate checks that a driver with these Caps can load l: its parts are in
// ascending order, and a Change could have made each of them. A Loader calls it
// first.
func (l *Load) Validate(caps Caps) error {
	switch {
	case l.Was != nil && len(l.Was) == 0 || l.Note != nil && len(l.Note) == 0:
		return invalid("Load", "has an empty note")
	case len(l.Note) > caps.MaxEntry:
		return tooLarge("Load.Note")
	}
	for i := range l.Parts {
		p := &l.Parts[i]
		if i > 0 && l.Parts[i-1].Place().Compare(p.Place()) >= 0 {
			return invalid("Parts", "do not ascend")
		}
		if err := p.validate(caps); err != nil {
			return err
		}
	}
	return nil
}

func (p *Part) validate(caps Caps) error {
	switch p.Kind {
	case PartClock:
		return orInvalid(p.Namespace == 0 && p.Time > 0, "PartClock")
	case PartFeed:
		return orInvalid(p.Tail <= p.Head && p.Head > 0, "PartFeed")
	case PartEvent:
		return orInvalid(p.Event.Position > 0 && len(p.Event.ID) <= MaxNameBytes, "PartEvent")
	case PartEntry:
		return p.validateEntry(caps)
	case PartRecord:
		if p.Record.Namespace != p.Namespace || !isName(p.Record.ID) {
			return invalid("PartRecord", "has another namespace, or no id")
		}
		return p.Record.validate(p.Record.Key, nil, caps)
	case PartStage:
		return orInvalid(p.Incarnation != Incarnation{} && p.Time >= 0, "PartStage")
	case PartMessage, PartRef:
		return p.validateMessage(caps)
	}
	return invalid("Parts", "holds an unknown kind")
}

func (p *Part) validateEntry(caps Caps) error {
	e := &p.Entry
	class := e.Kind & (KindUser | KindSession)
	switch {
	case e.Namespace != p.Namespace || e.Kind == KindClock || e.Kind == KindLoad || e.Value == nil:
		return invalid("PartEntry", "is of another namespace, the driver's own, or without a value")
	case class == KindUser|KindSession || class == KindSession && len(e.Owner) != len(Incarnation{}):
		return invalid("PartEntry", "has two owners, or no incarnation")
	case len(e.Owner) > MaxNameBytes || len(e.Name) > 2*MaxNameBytes:
		return invalid("PartEntry", "has a long owner or name")
	case len(e.Value) > caps.MaxEntry:
		return tooLarge("PartEntry")
	}
	return nil
}

func (p *Part) validateMessage(caps Caps) error {
	m := &p.Message
	if (p.Incarnation == Incarnation{}) || m.Seq == 0 || !isName(m.ID) {
		return invalid("PartMessage", "has no incarnation, number or id")
	}
	if len(m.Body) > caps.MaxMessage {
		return tooLarge("PartMessage")
	}
	return nil
}

func orInvalid(ok bool, field string) error {
	if ok {
		return nil
	}
	return invalid(field, "is out of range")
}
