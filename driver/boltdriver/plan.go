package boltdriver

import (
	"context"
	"runtime/debug"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// planner shows one op at a time what it asked for, and keeps what the driver
// itself must know of it. Its memory is used again for the next op.
type planner struct {
	b *batch

	view    driver.View
	ns      uint64             // of the target
	space   *namespaceCounters // of that namespace
	key     []byte             // of the target's record
	current currentRecord      // what is at key

	record   driver.Record
	refs     []driver.Ref
	messages []driver.Message
	entries  [][]byte
	live     func() (driver.Usage, error)

	scratch []byte          // for keys
	next    format.Counters // of the target's namespace, after the op
	credits map[driver.Erasure]*format.ErasureMark
	edits   []pendingWrite // what the op changes, until nothing can fail any more
}

// currentRecord is the record that a key holds, seen or erased.
type currentRecord struct {
	value  []byte // nil: none
	head   format.RecordHeader
	erased bool
}

// seen reports whether the op sees the record.
func (s *currentRecord) seen() bool { return s.value != nil && !s.erased }

// pendingWrite is a put, or a delete if value is nil. Both slices lie in the
// arena.
type pendingWrite struct {
	in         format.Bucket
	key, value []byte
}

func (p *planner) init(b *batch) {
	p.b = b
	p.live = p.liveUsage
	p.credits = make(map[driver.Erasure]*format.ErasureMark)
}

// plan runs one op: it is done in the batch, or has left no trace.
func (w *writer) plan(ctx context.Context, o *driver.Op) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := &w.planner
	clear(p.edits)
	p.edits = p.edits[:0]
	if err := dbfile.Guarded("read for a change", func() error { return p.loadTarget(&o.Target) }); err != nil {
		return err
	}
	if err := p.readClock(o); err != nil {
		return err
	}
	c, err := o.Decide(&p.view, w.d.caps)
	if err != nil {
		return err
	}
	if err := dbfile.Guarded("change", func() error { return p.collect(&c) }); err != nil {
		return err
	}
	w.latest = p.view.Now
	return nil
}

// readClock sets the time that the op sees. The clock is the caller's code too.
func (p *planner) readClock(o *driver.Op) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &driver.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	p.view.Now = max(o.Clock(), p.b.latest)
	return nil
}

// loadTarget makes the view that the target asks for.
func (p *planner) loadTarget(t *driver.Target) (err error) {
	p.view = driver.View{}
	p.ns = t.Key.Namespace
	if p.space, err = p.b.namespace(t.Key.Namespace); err != nil {
		return err
	}
	p.view.FeedHead = p.space.Head
	p.view.FeedTail = p.space.Tail
	if err := p.fetchRecord(t.Key); err != nil {
		return err
	}
	if err := p.fetchLog(t); err != nil {
		return err
	}
	if err := p.fetchEntries(t); err != nil {
		return err
	}
	if t.Usage {
		return p.fetchUsage()
	}
	return nil
}

func (p *planner) fetchUsage() (err error) {
	p.view.Usage = p.space.Usage
	p.view.Live = p.live
	if p.b.erased[p.ns] == nil {
		return nil
	}
	if err := p.b.flush(format.Records, format.Users); err != nil {
		return err
	}
	p.view.Usage, err = p.b.view.unerased(p.ns, p.space.Usage)
	return err
}

func (p *planner) fetchRecord(k driver.Key) error {
	p.current = currentRecord{}
	if k.ID == "" {
		return nil
	}
	p.key = format.AppendRecordKey(p.key[:0], k.Namespace, k.ID)
	s := &p.current
	if s.value = p.b.get(format.Records, p.key); s.value == nil {
		return nil
	}
	body, ok := format.ReadRecord(p.key, s.value, &s.head)
	if !ok {
		return format.DamagedRecord(p.key)
	}
	if s.erased = p.b.erased.CoversRecord(k.Namespace, &s.head); s.erased {
		return nil
	}
	p.record = driver.Record{Key: k, Labels: p.record.Labels[:0]} // the plan may keep the texts
	s.head.DecodeInto(&p.record, body)
	p.view.Record = &p.record
	return nil
}

func (p *planner) fetchLog(t *driver.Target) error {
	p.refs = p.refs[:0]
	p.messages = p.messages[:0]
	for _, id := range t.MessageIDs {
		ref, err := p.ref(id)
		if err != nil {
			return err
		}
		p.refs = append(p.refs, ref)
	}
	p.view.Refs = p.refs
	if len(t.Seqs) == 0 && t.Span.To == 0 {
		return nil
	}
	holes, err := p.holes()
	if err != nil {
		return err
	}
	if err := p.fetchMessages(t, holes); err != nil || t.Span.To == 0 || !p.current.seen() {
		return err
	}
	return p.fetchSpan(t, holes)
}

// holes returns those of the record's log.
func (p *planner) holes() ([]driver.Span, error) {
	if !p.current.seen() {
		return nil, nil
	}
	if err := p.b.flush(format.Marks); err != nil {
		return nil, err
	}
	return p.b.view.holes(p.ns, p.record.Incarnation), nil
}

func (p *planner) fetchMessages(t *driver.Target, holes []driver.Span) error {
	for _, seq := range t.Seqs {
		var m driver.Message
		if p.current.seen() {
			var err error
			if m, err = p.message(p.record.Incarnation, seq, holes); err != nil {
				return err
			}
			format.Detach(&m)
		}
		p.messages = append(p.messages, m)
	}
	p.view.Messages = p.messages
	return nil
}

func (p *planner) ref(id string) (driver.Ref, error) {
	if !p.current.seen() {
		return driver.Ref{}, nil
	}
	p.scratch = format.AppendMessageIDKey(p.scratch[:0], p.ns, p.record.Incarnation, id)
	v := p.b.get(format.IDs, p.scratch)
	if v == nil {
		return driver.Ref{}, nil
	}
	return format.ReadMessageID(p.scratch, v)
}

// message returns a message, or a zero one. It shares memory with the
// transaction.
func (p *planner) message(inc driver.Incarnation, seq uint64, holes []driver.Span) (m driver.Message, err error) {
	if _, dropped := format.FindSpan(holes, seq); dropped {
		return m, nil
	}
	p.scratch = format.AppendMessageKey(p.scratch[:0], p.ns, inc, seq)
	v := p.b.get(format.Log, p.scratch)
	if v == nil {
		return m, nil
	}
	return m, format.ReadMessage(p.scratch, v, &m)
}

// fetchSpan counts what the log holds in the target's span.
func (p *planner) fetchSpan(t *driver.Target, holes []driver.Span) error {
	if err := p.b.flush(format.Log); err != nil {
		return err
	}
	s := logScan{view: &p.b.view, ns: t.Key.Namespace, inc: p.record.Incarnation, span: t.Span, holes: holes}
	var m driver.Message
	for k, v := s.first(); k != nil; k, v = s.next() {
		if err := format.ReadMessage(k, v, &m); err != nil {
			return err
		}
		p.view.Span.Messages++
		p.view.Span.Bytes += uint64(len(m.Body))
	}
	return nil
}

func (p *planner) fetchEntries(t *driver.Target) error {
	p.entries = p.entries[:0]
	for i := range t.Entries {
		v, err := p.entry(&t.Entries[i])
		if err != nil {
			return err
		}
		p.entries = append(p.entries, v)
	}
	p.view.Entries = p.entries
	return nil
}

// entry returns a copy of the value of an entry, or nil.
func (p *planner) entry(k *driver.EntryKey) ([]byte, error) {
	if k.Kind == driver.KindClock {
		if *k != (driver.EntryKey{Kind: driver.KindClock}) || p.b.latest == 0 {
			return nil, nil
		}
		return format.ClockEntry(p.b.latest), nil
	}
	key := *k
	if k.Kind&driver.KindSession != 0 {
		if !p.current.seen() {
			return nil, nil
		}
		key.Owner = string(p.record.Incarnation[:])
	}
	p.scratch = format.AppendEntryKey(p.scratch[:0], &key)
	v := p.b.get(format.Entries, p.scratch)
	if v == nil {
		return nil, nil
	}
	e, err := format.ReadEntry(p.scratch, v)
	if err != nil {
		return nil, err
	}
	if key.Kind&driver.KindSession == 0 && p.b.erased.CoversEntry(&key, e.Epoch) {
		return nil, nil
	}
	return append([]byte{}, e.Value...), nil
}

// liveUsage is View.Live.
func (p *planner) liveUsage() (u driver.Usage, err error) {
	err = dbfile.Guarded("count", func() error {
		if err := p.b.flush(format.Records, format.Due, format.Overdue); err != nil {
			return err
		}
		u, err = p.b.view.live(p.ns, p.view.Now, p.view.Usage)
		return err
	})
	return u, err
}
