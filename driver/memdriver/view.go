package memdriver

import "github.com/seshatdb/seshat/driver"

// view returns the data that o's Target names.
func (d *Driver) view(o *driver.Op) *driver.View {
	t := &o.Target
	s := d.space(t.Key.Namespace)
	v := &driver.View{Now: max(o.Clock(), d.clock), FeedHead: s.head, FeedTail: s.tail}
	l := newLife()
	if r := s.records[t.Key.ID]; r != nil {
		v.Record = cloneRecord(r)
		l = s.life(r.Incarnation)
	}
	for _, id := range t.MessageIDs {
		v.Refs = append(v.Refs, l.refs[id])
	}
	v.Messages = l.pick(t.Seqs)
	if t.Span.To != 0 {
		v.Span = usage(l.in(t.Span))
	}
	for _, k := range t.Entries {
		v.Entries = append(v.Entries, d.entry(k, v.Record, l))
	}
	if t.Usage {
		v.Usage, _ = s.count(&driver.Query{Now: -1})
		v.Live = func() (driver.Usage, error) { return s.count(&driver.Query{Now: v.Now}) }
	}
	return v
}

// pick returns copies of the messages with these numbers. Missing ones are
// zero.
func (l *life) pick(seqs []uint64) []driver.Message {
	ms := make([]driver.Message, len(seqs))
	for i, seq := range seqs {
		if at, ok := l.find(seq); ok {
			ms[i] = cloneMessage(&l.messages[at])
		}
	}
	return ms
}

// entry returns a copy of the value at k, or nil.
func (d *Driver) entry(k driver.EntryKey, r *driver.Record, l *life) []byte {
	entries := d.space(k.Namespace).entries
	if k.Kind&driver.KindSession != 0 {
		if r == nil {
			return nil
		}
		k.Owner = string(r.Incarnation[:])
		entries = l.entries
	}
	if k.Kind == driver.KindClock {
		return d.clockValue(k)
	}
	if v, ok := entries[k]; ok {
		return cloneValue(v)
	}
	return nil
}
