package seshat

import (
	"bytes"
	"context"
	"math"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// EditMessage lets fn change a message, but for its ID, Seq, AppendedAt and
// Summary. fn gets a copy, and runs with nothing locked; if another call
// changed the message meanwhile, it runs again, up to 32 times and then
// ErrConflict. The message keeps its id, under which a repeated append of the
// original is still known. Stats do not change. It returns the message as it
// is then. An error of fn comes back wrapped.
//
// ErrNotFound: no such session, or no message of that number. ErrReadOnly,
// ErrInvalid, ErrQuota.
func (t *Tenant) EditMessage(ctx context.Context, id string, seq uint64, fn func(*Message) error) (Message, error) {
	const op = "EditMessage"
	if fn == nil {
		return Message{}, t.wrapError(op, id, invalid("fn", "is nil; a function is required"))
	}
	var m Message
	err := retry(ctx, func() (err error) {
		m, err = t.editOnce(ctx, id, seq, fn)
		return err
	})
	if err != nil {
		return Message{}, t.wrapError(op, id, unwrapError(err))
	}
	return m, nil
}

func (t *Tenant) editOnce(ctx context.Context, id string, seq uint64, fn func(*Message) error) (Message, error) {
	log, err := t.openLog(ctx, id)
	if err != nil {
		return Message{}, err
	}
	raw, err := t.store.d.Messages(ctx, driver.LogQuery{
		Namespace: t.ordinal, Incarnation: log.inc, Span: driver.Span{From: seq, To: max(seq, 1)}, Limit: 1,
	})
	if err != nil {
		return Message{}, err
	}
	if len(raw) == 0 || raw[0].Seq != seq {
		return Message{}, ErrNotFound
	}
	base, err := decodeMessage(&raw[0])
	if err != nil {
		return Message{}, err
	}
	m := base
	if err := fn(&m); err != nil {
		return Message{}, err
	}
	if err := checkMessageEdit(&base, &m).err(); err != nil {
		return Message{}, err
	}
	m.digest = base.digest
	m.extra = base.extra // fn may have made a new one
	m.normalize()
	body := encodeMessage(nil, &m)
	_, err = t.writeSession(ctx, "EditMessage", id, driver.Target{Seqs: []uint64{seq}}, func(c *tenantWrite) error {
		s, err := c.requireWritable()
		if err != nil {
			return err
		}
		stored := c.view.Messages[0]
		if s.incarnation != log.inc || !bytes.Equal(stored.Body, raw[0].Body) {
			return errRetry
		}
		s.bytes += uint64(len(body)) - uint64(len(stored.Body))
		c.out.Replace = []driver.Message{{Seq: seq, ID: stored.ID, Digest: stored.Digest, Body: body}}
		c.markLogEdited()
		return nil
	})
	return m, err
}

// checkMessageEdit refuses edits of what the store gives, and illegal ones.
func checkMessageEdit(base, m *Message) *fieldError {
	for _, f := range [...]struct {
		field string
		same  bool
	}{
		{"message_id", m.ID == base.ID},
		{"seq", m.Seq == base.Seq},
		{"appended_at", m.AppendedAt.Equal(base.AppendedAt)},
		{"summary", m.Summary == base.Summary},
	} {
		if !f.same {
			return refuse("message."+f.field, "cannot be edited; all but message_id, seq, appended_at and summary can")
		}
	}
	given := *m
	given.Seq = 0
	given.AppendedAt = time.Time{}
	given.Summary = Range{}
	if m.Timestamp = m.Timestamp.UTC().Truncate(time.Millisecond); m.Timestamp.IsZero() {
		m.Timestamp = base.Timestamp
	}
	return given.check().at("message")
}

// markLogEdited notes a change of the log other than an append.
func (c *sessionWrite) markLogEdited() {
	c.session.Version++
	c.session.logEdits++
	c.markWritten(eventUpdated)
}

// DeleteMessage removes a message. Its number and id are not used again, and
// stats do not change. ErrNotFound: no such session or message. ErrReadOnly,
// ErrInvalid.
func (t *Tenant) DeleteMessage(ctx context.Context, id string, seq uint64) (*Session, error) {
	return t.writeSession(ctx, "DeleteMessage", id, driver.Target{Seqs: []uint64{seq}}, func(c *tenantWrite) error {
		s, err := c.requireWritable()
		if err != nil {
			return err
		}
		if c.view.Messages[0].Seq == 0 {
			return ErrNotFound
		}
		c.dropSpan(s, driver.Span{From: seq, To: seq}, driver.SpanUsage{
			Messages: 1, Bytes: uint64(len(c.view.Messages[0].Body)),
		})
		c.markLogEdited()
		return nil
	})
}

// dropSpan removes what a span of the log holds.
func (c *sessionWrite) dropSpan(s *storedSession, span driver.Span, held driver.SpanUsage) {
	c.out.Drop = append(c.out.Drop, span)
	s.MessageCount -= held.Messages
	s.bytes -= held.Bytes
}

// Truncate rewinds the log to seq: it removes every message with a higher
// number, all at once. Their numbers and ids are not used again, and stats do
// not change. It returns how many messages were removed; 0 is not an error.
// ErrNotFound, ErrReadOnly, ErrInvalid.
func (t *Tenant) Truncate(ctx context.Context, id string, seq uint64) (removed uint64, err error) {
	if seq == math.MaxUint64 {
		return 0, t.wrapError("Truncate", id,
			invalid("seq", "is %d; at most %d is allowed", seq, uint64(math.MaxUint64-1)))
	}
	span := driver.Span{From: seq + 1, To: math.MaxUint64}
	_, err = t.writeSession(ctx, "Truncate", id, driver.Target{Span: span}, func(c *tenantWrite) error {
		s, err := c.requireWritable()
		if err != nil {
			return err
		}
		if removed = c.view.Span.Messages; removed == 0 {
			return nil
		}
		c.dropSpan(s, span, c.view.Span)
		c.markLogEdited()
		return nil
	})
	if err != nil {
		removed = 0
	}
	return removed, err
}

// Summarize replaces the messages numbered r.From to r.To by one, which takes
// the number and the id of message r.To and says in its Summary what it
// replaced. summary.ID must be empty. Stats do not change. It returns the
// session as it is then.
//
// ErrNotFound: no such session, or no message r.To. ErrInvalid, ErrReadOnly,
// ErrQuota.
func (t *Tenant) Summarize(ctx context.Context, id string, r Range, summary Message) (s *Session, err error) {
	const op = "Summarize"
	defer t.wrapOnReturn(op, id, &err)
	if r.From == 0 || r.From > r.To {
		return nil, invalid("range", "is empty; from is at least 1 and at most to")
	}
	if summary.ID != "" {
		return nil, invalid("summary.message_id", "is set by the store, to that of the message at range.to; leave it empty")
	}
	if err := summary.check().at("summary").err(); err != nil {
		return nil, err
	}
	target := driver.Target{Seqs: []uint64{r.To}, Span: driver.Span{From: r.From, To: r.To}}
	return t.writeSession(ctx, op, id, target, func(c *tenantWrite) error {
		s, err := c.requireWritable()
		if err != nil {
			return err
		}
		last := c.view.Messages[0]
		if last.Seq == 0 {
			return ErrNotFound
		}
		return c.summarize(s, r, summary, last)
	})
}

func (c *sessionWrite) summarize(s *storedSession, r Range, m Message, last driver.Message) error {
	old, err := decodeMessage(&last)
	if err != nil {
		return err
	}
	m.ID = last.ID
	m.Seq = last.Seq
	m.Summary = r
	m.setDefaults(c.view.Now)
	m.AppendedAt = old.AppendedAt // which never falls along a log
	body := encodeMessage(nil, &m)
	if r.From < r.To {
		c.dropSpan(s, driver.Span{From: r.From, To: r.To - 1}, driver.SpanUsage{
			Messages: c.view.Span.Messages - 1,
			Bytes:    c.view.Span.Bytes - uint64(len(last.Body)),
		})
	}
	s.bytes += uint64(len(body)) - uint64(len(last.Body))
	c.out.Replace = []driver.Message{{Seq: m.Seq, ID: m.ID, Digest: last.Digest, Body: body}}
	c.markLogEdited()
	return nil
}
