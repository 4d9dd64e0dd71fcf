package memdriver

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/seshatdb/seshat/driver"
)

// space is the data of one namespace.
type space struct {
	records map[string]*driver.Record
	lives   map[driver.Incarnation]*life
	entries map[driver.EntryKey][]byte // except those of sessions
	events  []driver.Event             // events after tail
	head    uint64
	tail    uint64
}

// life is the data of one incarnation. It is removed with the record.
type life struct {
	messages []driver.Message // by Seq
	refs     map[string]driver.Ref
	entries  map[driver.EntryKey][]byte
	staged   bool
	until    int64 // end of its time as a staged log
}

func newSpace() *space {
	return &space{
		records: make(map[string]*driver.Record),
		lives:   make(map[driver.Incarnation]*life),
		entries: make(map[driver.EntryKey][]byte),
	}
}

func newLife() *life {
	return &life{refs: make(map[string]driver.Ref), entries: make(map[driver.EntryKey][]byte)}
}

// life returns the data of an incarnation for reading.
func (s *space) life(inc driver.Incarnation) *life {
	if l := s.lives[inc]; l != nil {
		return l
	}
	return newLife()
}

// keep returns the data of an incarnation for writing, and creates it if there
// is none.
func (s *space) keep(inc driver.Incarnation) *life {
	l := s.life(inc)
	s.lives[inc] = l
	return l
}

// remove removes the session with this id and its data.
func (s *space) remove(id string) {
	if r := s.records[id]; r != nil {
		delete(s.lives, r.Incarnation)
		delete(s.records, id)
	}
}

// find returns the index of seq in the log, and whether the log has it.
func (l *life) find(seq uint64) (int, bool) {
	return slices.BinarySearchFunc(l.messages, seq, func(m driver.Message, seq uint64) int {
		return cmp.Compare(m.Seq, seq)
	})
}

// last returns the largest number in the log, or 0.
func (l *life) last() uint64 {
	if len(l.messages) == 0 {
		return 0
	}
	return l.messages[len(l.messages)-1].Seq
}

// in returns the messages in a span with an upper end. The log shares them.
func (l *life) in(s driver.Span) []driver.Message {
	from, _ := l.find(s.From)
	to, found := l.find(s.To)
	if found {
		to++
	}
	return l.messages[from:max(from, to)]
}

func usage(ms []driver.Message) (u driver.SpanUsage) {
	for i := range ms {
		u.Messages++
		u.Bytes += uint64(len(ms[i].Body))
	}
	return u
}

// cloneRecord copies r and its strings, because the caller may reuse their
// memory.
func cloneRecord(r *driver.Record) *driver.Record {
	c := *r
	c.ID, c.UserID = strings.Clone(r.ID), strings.Clone(r.UserID)
	c.Labels, c.Body = cloneLabels(r.Labels), bytes.Clone(r.Body)
	return &c
}

func cloneLabels(labels []driver.Label) []driver.Label {
	c := slices.Clone(labels)
	for i, l := range c {
		c[i] = driver.Label{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)}
	}
	return c
}

func cloneMessage(m *driver.Message) driver.Message {
	c := *m
	c.ID, c.Body = strings.Clone(m.ID), bytes.Clone(m.Body)
	return c
}

func cloneKey(k driver.EntryKey) driver.EntryKey {
	k.Owner, k.Name = strings.Clone(k.Owner), strings.Clone(k.Name)
	return k
}

// cloneValue copies a value. The copy is never nil, because nil means that
// there is no value.
func cloneValue(v []byte) []byte { return append([]byte{}, v...) }
