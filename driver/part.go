package driver

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// PartKind says what a Part is. A Dump hands them out in this order.
type PartKind uint8

// Kinds of parts.
const (
	PartClock   PartKind = iota + 1 // Time: see KindClock; none while that is 0
	PartFeed                        // Head and Tail of the namespace's feed; none while both are 0
	PartEvent                       // Event
	PartRecord                      // Record
	PartStage                       // a staged log: Incarnation, and in Time until when
	PartEntry                       // Entry, of sessions too, with its Owner
	PartMessage                     // Message of Incarnation, in the log of a record or a staged one
	// a message id of Incarnation that no message there has with that number
	// and digest: Message without Body
	PartRef
)

// Part is one piece of what a driver keeps. Only what its Kind names is set,
// and Namespace.
type Part struct {
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

// Place is where a Part comes in a Dump. Each part has one of its own.
type Place struct {
	Kind        PartKind
	Namespace   uint64
	Incarnation Incarnation // PartStage, PartMessage, PartRef
	Number      uint64      // Position of an event, Kind of an entry, Seq of a message
	Owner       string      // of an entry
	Name        string      // of an entry, id of a record, message id of a PartRef
}

// Place returns where p comes. It shares p's strings.
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
	case PartClock, PartFeed, PartStage: // one for each store, namespace, log
	}
	return at
}

// Compare returns a negative number if a comes before b, and 0 if they are the
// same. The order is that of Kind, Namespace, Incarnation, Number, length of
// Owner, Owner and Name, bytewise.
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
	r.ID, r.User, r.Body = strings.Clone(r.ID), strings.Clone(r.User), bytes.Clone(r.Body)
	r.Labels = slices.Clone(r.Labels)
	for i, l := range r.Labels {
		r.Labels[i] = Label{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)}
	}
	return c
}

// Validate reports whether a driver with these Caps may carry out l: whether
// its parts ascend, and each is what a Change could have left. A Loader calls
// it before anything else.
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
		return orInvalid(p.Event.Position > 0 && len(p.Event.ID) <= MaxName, "PartEvent")
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
	case len(e.Owner) > MaxName || len(e.Name) > 2*MaxName:
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
