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

// MaxHistory is how many messages one call of History returns at most.
const MaxHistory = 1000

// defaultHistory is how many it returns by default.
const defaultHistory = 100

// historyPage is how many messages an iteration reads at once.
const historyPage = 256

// HistoryQuery selects messages of a log: those that fit all of its fields. The
// zero HistoryQuery is the 100 oldest messages.
type HistoryQuery struct {
	// Last selects the newest messages, up to that many, 1 to MaxHistory.
	// They come oldest first. 0 = read from the old end. It takes the place
	// of Limit: a query has one of the two.
	Last int

	// Limit ends the page after that many messages, 1 to MaxHistory. 0 = 100,
	// or MaxHistory with TokenBudget.
	Limit int

	// FromSeq and ToSeq select messages with numbers in that range, both
	// included. 0 = open: messages are numbered from 1.
	FromSeq, ToSeq uint64

	// AppendedAfter selects messages that the store took after that moment,
	// by its clock to the millisecond (see Message.AppendedAt). Zero = all.
	AppendedAfter time.Time

	// NewestFirst reads from the new end, and returns the newest first.
	NewestFirst bool

	// TokenBudget selects the newest messages that together have at most that
	// many tokens, oldest of them first, as a prompt wants them. A call and
	// its results are in or out together. A message that was appended without
	// Tokens counts one token for each four bytes that it holds, rounded up.
	// 0 = no budget. With Last or Limit, both bounds hold.
	TokenBudget uint64
}

// HistoryPage is what History returns.
type HistoryPage struct {
	Messages []Message

	// More reports that the log has messages within FromSeq, ToSeq and
	// AppendedAfter that are not in Messages, because Last, Limit or
	// TokenBudget left them out. They are older than the page if it was read
	// from the new end (Last, NewestFirst, TokenBudget), and newer otherwise.
	// To read them, set ToSeq to the smallest number of the page minus 1, or
	// FromSeq to its largest number plus 1. Only a page of a TokenBudget can
	// be empty and have More: then its newest messages exceed the budget.
	More bool
}

// historyQuery is a HistoryQuery that was checked.
type historyQuery struct {
	span   driver.Span
	after  time.Time
	limit  int
	newest bool // newest first
	last   bool // the newest ones, whichever order they come in
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

// fromNewEnd reports whether the log is read from its new end.
func (q *historyQuery) fromNewEnd() bool { return q.newest || q.last }

// History returns messages of the session's log: by default its 100 oldest, in
// order. Reading n of them costs n, wherever they are in the log. A gap in the
// numbers is where messages were removed. The page is one durable snapshot,
// except that AppendedAfter and TokenBudget may read the log in several.
//
// ErrNotFound, ErrInvalid, ErrCorrupt.
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

// Messages returns the messages that History would, without a limit unless q
// has one, reading a page at a time: each page is a snapshot of its own. The
// loop body runs with nothing locked. The loop ends after the first error.
//
// ErrNotFound, ErrCorrupt. ErrInvalid: also if q has Last or TokenBudget, which
// are for History. NewestFirst with Limit reads the newest ones.
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

// advance moves the span past the message of that number, of which it is known
// that it is not the last.
func (q *historyQuery) advance(seq uint64) {
	if q.newest {
		q.span.To = seq - 1
	} else {
		q.span.From = seq + 1
	}
}

// logReader is the log of a session's life that was live when it was opened.
type logReader struct {
	t     *Tenant
	key   driver.Key
	inc   driver.Incarnation
	last  uint64 // the newest number then
	reads int    // of the driver's log
}

// logRecords keeps the buffers that openLog reads into.
var logRecords = sync.Pool{New: func() any { return new(driver.Record) }}

// openLog finds the session's log. ErrNotFound.
func (t *Tenant) openLog(ctx context.Context, id string) (*logReader, error) {
	rec := logRecords.Get().(*driver.Record)
	defer logRecords.Put(rec)
	if err := t.readRecord(ctx, id, rec); err != nil {
		return nil, err
	}
	key := driver.Key{Namespace: t.ordinal, ID: id}
	return &logReader{t: t, key: key, inc: rec.Incarnation, last: rec.NextSeq - 1}, nil
}

// confirmLive tells the end of the log from the end of the session, after a last
// read that gave n messages. ErrNotFound.
func (l *logReader) confirmLive(ctx context.Context, n int) error {
	if l.reads == 1 && n > 0 {
		return nil // one snapshot
	}
	now, err := l.t.openLog(ctx, l.key.ID)
	if err == nil && now.inc != l.inc {
		err = ErrNotFound
	}
	return err
}

// readPage returns up to q.limit messages, from the new end, or from the old one
// after skipTo. It reads one message more, which says whether any are left.
func (l *logReader) readPage(ctx context.Context, q historyQuery, desc bool) (page HistoryPage, err error) {
	if q.span.To != 0 && q.span.From > q.span.To {
		return page, nil
	}
	raw, err := l.readRange(ctx, q.span, q.limit+1, desc)
	if errors.Is(err, ErrCorrupt) { // perhaps the one more: then the page is sound
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

// mayMatch is matches of a message within q's span that is not decoded yet. One
// that cannot be decoded is a message that was left out.
func (q *historyQuery) mayMatch(raw *driver.Message) bool {
	if q.after.IsZero() {
		return true
	}
	m, err := decodeMessage(raw)
	return err != nil || q.matches(&m)
}

// matches reports whether the message is neither too old nor too far from the
// new end.
func (q *historyQuery) matches(m *Message) bool {
	return m.Seq >= q.span.From && (q.after.IsZero() || m.AppendedAt.After(q.after))
}

// skipTo prepares q for reading from the old end, and reports whether there is
// anything to read. It moves the span's start to the first message after
// q.after: AppendedAt never falls along a log, so a few looks find it.
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

// readRange reads one range.
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

// firstBudgetPage is how many messages a token budget reads first.
const firstBudgetPage = 32

// readBudget returns the newest messages that fit q.budget, newest first, cut
// where no call is parted from its results.
func (l *logReader) readBudget(ctx context.Context, q historyQuery) (HistoryPage, error) {
	var ms []Message
	cut := rules.NewCutter(q.budget)
	whole := func(more bool) HistoryPage {
		n := cut.Whole()
		return HistoryPage{Messages: ms[:n], More: more || n < len(ms)}
	}
	// What q does not take is read too: whether it is a call decides the cut.
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

// cutPart is what the message is to a cut. One without Tokens counts a token for
// each four bytes.
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
