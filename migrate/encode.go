package migrate

import (
	"encoding/binary"

	"github.com/seshatdb/seshat/driver"
)

// appendPart appends an encoding of p that is equal for equal parts and
// different for different ones. It contains all fields, with lengths before
// those of variable size.
func appendPart(b []byte, p *driver.Part) []byte {
	b = append(b, byte(p.Kind))
	b = appendNumbers(b, p.Namespace, uint64(p.Time), p.Head, p.Tail)
	b = append(b, p.Incarnation[:]...)
	switch p.Kind {
	case driver.PartEvent:
		return appendEvent(b, &p.Event)
	case driver.PartRecord:
		return appendRecord(b, &p.Record)
	case driver.PartEntry:
		b = append(b, p.Entry.Kind)
		return appendText(appendText(appendText(b, p.Entry.Owner), p.Entry.Name), p.Entry.Value)
	case driver.PartMessage, driver.PartRef:
		b = append(appendNumbers(b, p.Message.Seq), p.Message.Digest[:]...)
		return appendText(appendText(b, p.Message.ID), p.Message.Body)
	case driver.PartClock, driver.PartFeed, driver.PartStage: // only numbers
	}
	return b
}

func appendEvent(b []byte, e *driver.Event) []byte {
	b = appendNumbers(b, e.Position, uint64(e.Time), e.Version, e.LastSeq)
	return appendText(append(b, byte(e.Kind), e.Status), e.ID)
}

func appendRecord(b []byte, r *driver.Record) []byte {
	b = append(append(b, r.Incarnation[:]...), r.Status)
	b = appendNumbers(b, r.Version, r.NextSeq, uint64(r.Created), uint64(r.ActiveMinute), uint64(r.Due),
		uint64(r.Expires),
		r.Messages, r.Bytes, uint64(len(r.Labels)))
	for _, l := range r.Labels {
		b = appendText(appendText(b, l.Name), l.Value)
	}
	return appendText(appendText(appendText(b, r.ID), r.UserID), r.Body)
}

func appendNumbers(b []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func appendText[S ~string | ~[]byte](b []byte, s S) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(s))), s...)
}
