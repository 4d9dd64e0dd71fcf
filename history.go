package seshat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// MaxHistory is the largest number of messages that one [Tenant.History]
// returns.
const MaxHistory = 1000

const defaultHistory = 100

// historyPage is the number of messages that an iteration reads at once.
const historyPage = 256

// HistoryQuery selects the messages of a log that match all of its fields. The
// zero HistoryQuery selects the 100 oldest messages.
type HistoryQuery struct {
	// Last is the maximum number of messages, 1 to MaxHistory, of the newest
	// ones, which are returned oldest first. 0 = read the oldest ones. A query
	// has Last or Limit, not both.
	Last int

	// Limit is the maximum number of messages, 1 to MaxHistory. 0 = 100, or
	// MaxHistory with TokenBudget.
	Limit int

	// FromSeq and ToSeq are the lowest and the highest number; 0 = open.
	// Messages are numbered from 1.
	FromSeq, ToSeq uint64

	// AppendedAfter selects messages with a later AppendedAt. Zero = all.
	AppendedAfter time.Time

	// NewestFirst selects the newest messages, and returns the newest first.
	NewestFirst bool

	// TokenBudget is the maximum number of tokens of all returned messages
	// together. It selects the newest messages, and returns them oldest first,
	// ready for a prompt. A tool call and its results are never separated. A
	// message without Tokens counts one token for each four bytes, rounded up.
	// 0 = no budget. Last and Limit also apply.
	TokenBudget uint64
}

// HistoryPage is the result of [Tenant.History].
type HistoryPage struct {
	Messages []Message // in the order that the query asks for

	// More reports that Last, Limit or TokenBudget left out messages within
	// FromSeq, ToSeq and AppendedAfter. With Last, NewestFirst or TokenBudget
	// they are older than the page: to read them, set ToSeq to the smallest
	// number of the page minus 1. Otherwise they are newer: set FromSeq to the
	// largest number plus 1. If a page with More is empty, the newest messages
	// exceed the TokenBudget.
	More bool
}

// historyQuery is a checked HistoryQuery.
type historyQuery struct {
	span   driver.Span
	after  time.Time
	limit  int
	newest bool // newest first
	last   bool // select the newest messages, in any order
	budget uint64
}

// newHistoryQuery checks q. A query without Last and Limit gets defaultLimit.
func newHistoryQuery(q HistoryQuery, defaultLimit int) (historyQuery, error) {
	switch {
	case q.Last < 0 || q.Last > MaxHistory:
		return historyQuery{}, invalid("last", "is %d; 1 to %d are allowed, and 0 for none", q.Last, MaxHistory)
	case q.Limit < 0 || q.Limit > MaxHistory:
		return historyQuery{},
			invalid("limit", "is %d; 1 to %d are allowed, and 0 for the default", q.Limit, MaxHistory)
	case q.Last > 0 && q.Limit > 0:
		return historyQuery{}, invalid("limit", "is set beside last; one of the two is allowed")
	}
	return historyQuery{
		span:   driver.Span{From: q.FromSeq, To: q.ToSeq},
		after:  q.AppendedAfter,
		limit:  cmp.Or(q.Last, q.Limit, defaultLimit),
		newest: q.NewestFirst,
		last:   q.Last > 0 || q.TokenBudget > 0,
		budget: q.TokenBudget,
	}, nil
}

// fromNewEnd reports whether the log is read from its newest message.
func (q *historyQuery) fromNewEnd() bool { return q.newest || q.last }

// History returns a page of the session's log: by default its 100 oldest
// messages, in order. Its cost depends on the number of messages that it
// returns, not on the length of the log. A gap in the numbers means that
// messages were removed. The page is one durable snapshot; only AppendedAfter
// and TokenBudget may need several.
//
// Errors: ErrNotFound; ErrInvalid; ErrCorrupt.
func (t *Tenant) History(ctx context.Context, id string, q HistoryQuery) (HistoryPage, error) {
	page, err := t.history(ctx, id, q)
	if err != nil {
		return HistoryPage{}, t.wrapError("History", id, err)
	}
	return page, nil
}

func (t *Tenant) history(ctx context.Context, id string, query HistoryQuery) (page HistoryPage, err error) {
	limit := defaultHistory
	if query.TokenBudget > 0 {
		limit = MaxHistory
	}
	q, err := newHistoryQuery(query, limit)
	if err != nil {
		return page, err
	}
	log, err := t.openLog(ctx, id)
	if err != nil {
		return page, err
	}
	found := true
	if !q.fromNewEnd() {
		found, err = log.skipTo(ctx, &q)
	}
	switch {
	case err != nil || !found:
	case q.budget > 0:
		page, err = log.readBudget(ctx, q)
	default:
		page, err = log.readPage(ctx, q, q.fromNewEnd())
	}
	if err == nil {
		err = log.confirmLive(ctx, len(page.Messages))
	}
	if q.fromNewEnd() && !q.newest {
		slices.Reverse(page.Messages)
	}
	return page, err
}

// Messages returns an iterator over the messages that q selects, as History
// does, but without a limit unless q has one. It reads pages, each of which is
// a snapshot of its own. The loop body runs with nothing locked, and may call
// the store. The loop ends after the first error.
//
// Errors: ErrNotFound; ErrInvalid also if q has Last or TokenBudget;
// ErrCorrupt.
func (t *Tenant) Messages(ctx context.Context, id string, q HistoryQuery) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		if err := t.eachMessage(ctx, id, q, func(m Message) bool { return yield(m, nil) }); err != nil {
			yield(Message{}, t.wrapError("Messages", id, err))
		}
	}
}

func (t *Tenant) eachMessage(ctx context.Context, id string, query HistoryQuery, yield func(Message) bool) error {
	q, err := newHistoryQuery(query, math.MaxInt)
	switch {
	case err != nil:
		return err
	case query.Last > 0:
		return invalid("last", "is not allowed in Messages; newest_first and limit are")
	case query.TokenBudget > 0:
		return invalid("token_budget", "is not allowed in Messages; newest_first and limit are")
	}
	log, err := t.openLog(ctx, id)
	if err != nil {
		return err
	}
	found := true
	if !q.newest {
		found, err = log.skipTo(ctx, &q)
	}
	if err != nil || !found {
		return err
	}
	for left := q.limit; left > 0; left -= historyPage {
		q.limit = min(left, historyPage)
		page, err := log.readPage(ctx, q, q.newest)
		if err != nil {
			return err
		}
		for _, m := range page.Messages {
			if !yield(m) {
				return nil
			}
		}
		if !page.More {
			return log.confirmLive(ctx, len(page.Messages))
		}
		q.advance(page.Messages[len(page.Messages)-1].Seq)
	}
	return nil
}

// advance moves the span past the message of that number, which is not the last
// one.
func (q *historyQuery) advance(seq uint64) {
	if q.newest {
		q.span.To = seq - 1
	} else {
		q.span.From = seq + 1
	}
}

// logReader reads the log of one incarnation, which was live when openLog read
// its record.
type logReader struct {
	t     *Tenant
	key   driver.Key
	inc   driver.Incarnation
	last  uint64 // the newest number at that time
	reads int    // number of reads of the log
}

// logRecords keeps the buffers into which openLog reads.
var logRecords = sync.Pool{New: func() any { return new(driver.Record) }}

// openLog returns a reader of the session's log. Errors: ErrNotFound.
func (t *Tenant) openLog(ctx context.Context, id string) (*logReader, error) {
	rec := logRecords.Get().(*driver.Record)
	defer logRecords.Put(rec)
	if err := t.readRecord(ctx, id, rec); err != nil {
		return nil, err
	}
	key := driver.Key{Namespace: t.ordinal, ID: id}
	return &logReader{t: t, key: key, inc: rec.Incarnation, last: rec.NextSeq - 1}, nil
}

// confirmLive checks that the session was not deleted between reads, after a
// last read of n messages. Errors: ErrNotFound.
func (l *logReader) confirmLive(ctx context.Context, n int) error {
	if l.reads == 1 && n > 0 {
		return nil // the one read was one snapshot
	}
	now, err := l.t.openLog(ctx, l.key.ID)
	if err == nil && now.inc != l.inc {
		err = ErrNotFound
	}
	return err
}

// readPage returns up to q.limit messages, from the newest or, after skipTo,
// from the oldest one. It reads one more message to find out whether more are
// left.
func (l *logReader) readPage(ctx context.Context, q historyQuery, desc bool) (page HistoryPage, err error) {
	if q.span.To != 0 && q.span.From > q.span.To {
		return page, nil
	}
	raw, err := l.readRange(ctx, q.span, q.limit+1, desc)
	if errors.Is(err, ErrCorrupt) { // if only the extra message is damaged, the page is not
		raw, err = l.readRange(ctx, q.span, q.limit, desc)
		page.More = len(raw) == q.limit
	}
	if err != nil {
		return page, err
	}
	page.Messages, err = decodeMessages(raw[:min(len(raw), q.limit)])
	if err != nil {
		return page, err
	}
	for i := range page.Messages {
		if !q.matches(&page.Messages[i]) { // nor any older one
			return HistoryPage{Messages: page.Messages[:i]}, nil
		}
	}
	if len(raw) > q.limit {
		page.More = q.mayMatch(&raw[q.limit])
	}
	return page, nil
}

// mayMatch is matches for an undecoded message within q's span. A message that
// cannot be decoded counts as left out.
func (q *historyQuery) mayMatch(raw *driver.Message) bool {
	if q.after.IsZero() {
		return true
	}
	m, err := decodeMessage(raw)
	return err != nil || q.matches(&m)
}

// matches reports whether the message is neither below q's span nor too old.
func (q *historyQuery) matches(m *Message) bool {
	return m.Seq >= q.span.From && (q.after.IsZero() || m.AppendedAt.After(q.after))
}

// skipTo prepares q for reading from the oldest message, and reports whether
// there is anything to read. It moves the start of the span to the first
// message after q.after, by binary search: AppendedAt never decreases along a
// log.
func (l *logReader) skipTo(ctx context.Context, q *historyQuery) (bool, error) {
	if q.after.IsZero() {
		return true, nil
	}
	from := max(q.span.From, 1)
	to := l.last + 1
	for from < to {
		mid := from + (to-from)/2
		raw, err := l.readRange(ctx, driver.Span{From: mid}, 1, false)
		if err != nil {
			return false, err
		}
		at, err := decodeMessages(raw)
		if err != nil {
			return false, err
		}
		if len(at) == 0 || at[0].AppendedAt.After(q.after) {
			to = mid
		} else {
			from = at[0].Seq + 1
		}
	}
	q.span.From = from
	q.after = time.Time{}
	return from <= l.last, nil
}

func (l *logReader) readRange(ctx context.Context, span driver.Span, limit int, desc bool) ([]driver.Message, error) {
	l.reads++
	return l.t.store.d.Messages(ctx, driver.LogQuery{
		Namespace: l.key.Namespace, Incarnation: l.inc, Span: span, Limit: limit, Desc: desc,
	})
}

func decodeMessages(raw []driver.Message) ([]Message, error) {
	out := make([]Message, len(raw))
	for i := range raw {
		m, err := decodeMessage(&raw[i])
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", raw[i].Seq, err)
		}
		out[i] = m
	}
	return out, nil
}

// firstBudgetPage is the size of the first page that readBudget reads.
const firstBudgetPage = 32

// readBudget returns the newest messages that fit into q.budget, newest first,
// without separating a tool call from its results.
func (l *logReader) readBudget(ctx context.Context, q historyQuery) (HistoryPage, error) {
	var ms []Message
	cut := rules.NewCutter(q.budget)
	whole := func(more bool) HistoryPage {
		n := cut.Whole()
		return HistoryPage{Messages: ms[:n], More: more || n < len(ms)}
	}
	// One message beyond q is read too: if it is a call, it moves the cut.
	page := historyQuery{span: driver.Span{To: q.span.To}, limit: firstBudgetPage, newest: true}
	for {
		page.limit = min(page.limit, q.limit+1-len(ms))
		next, err := l.readPage(ctx, page, true)
		if err != nil {
			return HistoryPage{}, err
		}
		for i := range next.Messages {
			m := &next.Messages[i]
			matches := q.matches(m)
			if len(ms) == q.limit || !matches {
				cut.Before(m.ContentType == ContentToolCall)
				return whole(matches), nil
			}
			if !cut.Add(m.cutPart()) {
				return whole(true), nil
			}
			ms = append(ms, *m)
		}
		if !next.More {
			break
		}
		page.advance(next.Messages[len(next.Messages)-1].Seq)
		page.limit *= 2
	}
	cut.Before(false)
	return whole(false), nil
}

// cutPart returns the message in the form of rules.Cutter. A message without
// Tokens counts one token for each four bytes.
func (m *Message) cutPart() rules.Part {
	p := rules.Part{
		Tokens: m.Tokens, CallID: m.ToolCallID,
		Call: m.ContentType == ContentToolCall, Result: m.ContentType == ContentToolResult,
	}
	if p.Tokens == 0 {
		p.Tokens = uint64(m.size()+3) / 4
	}
	return p
}

// isLive reports whether the incarnation of s is still live.
func (t *Tenant) isLive(ctx context.Context, s *Session) (bool, error) {
	log, err := t.openLog(ctx, s.ID)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && log.inc == s.incarnation, err
}
