package drivertest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seshatdb/seshat/driver"
)

// view returns the view that a Plan must get of t, except Now, Usage and Live.
func (m *model) view(t driver.Target) (v driver.View) {
	l := newModelLog(0, driver.Incarnation{})
	if s := m.find(t.Key); s != nil {
		v.Record = &s.Record
		l = s.log
	}
	for _, id := range t.MessageIDs {
		v.Refs = append(v.Refs, l.refs[id])
	}
	for _, seq := range t.Seqs {
		v.Messages = append(v.Messages, l.message(seq))
	}
	for _, msg := range l.messages {
		if t.Span.To != 0 && t.Span.From <= msg.Seq && msg.Seq <= t.Span.To {
			v.Span.Messages++
			v.Span.Bytes += uint64(len(msg.Body))
		}
	}
	for _, k := range t.Entries {
		list := m.entries
		if k.Kind&driver.KindSession != 0 {
			list = l.entries
		}
		v.Entries = append(v.Entries, valueOf(list, k))
	}
	if f := m.feeds[t.Key.Namespace]; f != nil {
		v.FeedHead = uint64(len(f.events))
		v.FeedTail = f.tail
	}
	return v
}

func (l *modelLog) message(seq uint64) driver.Message {
	for _, m := range l.messages {
		if m.Seq == seq {
			return m
		}
	}
	return driver.Message{}
}

func valueOf(list []driver.Entry, k driver.EntryKey) []byte {
	for _, e := range list {
		if e.EntryKey == k {
			return e.Value
		}
	}
	return nil
}

// records returns all records, live or not.
func (m *model) records() (all []*driver.Record) {
	for _, s := range m.sessions {
		all = append(all, &s.Record)
	}
	return all
}

// in returns the answer that the driver must give to q.
func (l *modelLog) in(q driver.LogQuery) (found []driver.Message) {
	for _, m := range l.messages {
		if m.Seq >= q.Span.From && (q.Span.To == 0 || m.Seq <= q.Span.To) {
			found = append(found, m)
		}
	}
	if q.Desc {
		slices.Reverse(found)
	}
	return found[:min(len(found), q.Limit)]
}

// entriesOf returns the expected answer to an EntryQuery for all owners.
func (m *model) entriesOf(namespace uint64, kind uint8) (found []driver.Entry) {
	list := slices.Clone(m.entries)
	for _, s := range m.sessions {
		for _, e := range s.log.entries {
			e.Owner = string(s.Incarnation[:])
			list = append(list, e)
		}
	}
	for _, e := range list {
		if e.Namespace == namespace && e.Kind == kind {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b driver.Entry) int {
		return cmp.Or(len(a.Owner)-len(b.Owner), strings.Compare(a.Owner, b.Owner), strings.Compare(a.Name, b.Name))
	})
	return found
}

// feedOf returns the expected answer of Feed from the oldest event on.
func (m *model) feedOf(namespace uint64) driver.Feed {
	f := m.feeds[namespace]
	if f == nil {
		return driver.Feed{}
	}
	return driver.Feed{Head: uint64(len(f.events)), Tail: f.tail, Events: f.events[f.tail:]}
}

func (m *model) due(now int64) (found []driver.Due) {
	for _, s := range m.sessions {
		if s.Due <= now && s.Due != driver.Never {
			found = append(found, driver.Due{At: s.Due, Key: s.Key})
		}
	}
	slices.SortFunc(found, func(a, b driver.Due) int { return slices.Compare(dueOrder(a), dueOrder(b)) })
	return found
}
