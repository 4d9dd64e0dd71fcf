package seshat

import (
	"bytes"
	"context"
	"math"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// EditMessage lets fn edit a copy of a message, except ID, Seq, AppendedAt and
// Summary. fn runs before the write, with nothing locked, and may call the
// store. If another call changes the message meanwhile, fn runs again on the
// new message, up to 32 times, and then EditMessage fails with ErrConflict. The
// message keeps its id: an append that repeats the original is still
// recognized. Stats do not change. EditMessage returns the edited message. If
// fn returns an error, it changes nothing and returns the error in an [*Error].
//
// Errors: ErrConflict; ErrQuota; ErrReadOnly; ErrNotFound if there is no such
// session or message; ErrInvalid if fn made an edit that is not allowed.
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
	m.extra = base.extra // fn may have assigned a new Message
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

// checkMessageEdit refuses illegal edits, and edits of fields that cannot be
// edited.
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

// markLogEdited records a change of the log other than an append.
func (w *sessionWrite) markLogEdited() {
	w.session.Version++
	w.session.logEdits++
	w.markWritten(eventUpdated)
}

// DeleteMessage removes a message, and returns the session after it. The number
// and the id are not used again, and stats do not change.
//
// Errors: ErrNotFound if there is no such session or message; ErrReadOnly;
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

// dropSpan removes a span of the log, which holds that much.
func (w *sessionWrite) dropSpan(s *storedSession, span driver.Span, held driver.SpanUsage) {
	w.out.Drop = append(w.out.Drop, span)
	s.MessageCount -= held.Messages
	s.bytes -= held.Bytes
}

// Truncate removes every message with a number above seq, all at once, and
// returns the number of messages removed, which may be 0. Their numbers and ids
// are not used again, and stats do not change.
//
// Errors: ErrNotFound; ErrReadOnly; ErrInvalid.
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

// Summarize replaces the messages numbered r.From to r.To by one, and returns
// the session after it. The new message takes the number and the id of message
// r.To, and its Summary is r. summary.ID must be empty. Stats do not change.
//
// Errors: ErrNotFound if there is no such session, or no message r.To;
// ErrQuota; ErrReadOnly; ErrInvalid.
func (t *Tenant) Summarize(ctx context.Context, id string, r Range, summary Message) (s *Session, err error) {
	const op = "Summarize"
	defer t.wrapOnReturn(op, id, &err)
	if r.From == 0 || r.From > r.To {
		return nil, invalid("range", "is empty; from is at least 1 and at most to")
	}
	if summary.ID != "" {
		return nil, invalid("summary.message_id",
			"is set by the store, to that of the message at range.to; leave it empty")
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

func (w *sessionWrite) summarize(s *storedSession, r Range, m Message, last driver.Message) error {
	old, err := decodeMessage(&last)
	if err != nil {
		return err
	}
	m.ID = last.ID
	m.Seq = last.Seq
	m.Summary = r
	m.setDefaults(w.view.Now)
	m.AppendedAt = old.AppendedAt // AppendedAt never decreases along a log
	body := encodeMessage(nil, &m)
	if r.From < r.To {
		w.dropSpan(s, driver.Span{From: r.From, To: r.To - 1}, driver.SpanUsage{
			Messages: w.view.Span.Messages - 1,
			Bytes:    w.view.Span.Bytes - uint64(len(last.Body)),
		})
	}
	s.bytes += uint64(len(body)) - uint64(len(last.Body))
	w.out.Replace = []driver.Message{{Seq: m.Seq, ID: m.ID, Digest: last.Digest, Body: body}}
	w.markLogEdited()
	return nil
}
