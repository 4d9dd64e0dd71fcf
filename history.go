package seshat

import (
	"context"
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

// defaultHistory is how many it returns where no option says.
const defaultHistory = 100

// historyPage is how many messages an iteration reads at once.
const historyPage = 256

// A HistoryOption selects messages of a log. Options add up: a message has to
// fit all of them.
type HistoryOption func(*historyQuery)

type historyQuery struct {
	span   driver.Span
	after  time.Time
	limit  int
	newest bool // newest first
	last   bool // the newest ones, whichever order they come in
	budget uint64
	err    error
}

// Last selects the n newest messages, 1 to MaxHistory, oldest of them first.
func Last(n int) HistoryOption {
	return func(q *historyQuery) {
		q.last = true
		Limit(n)(q)
	}
}

// Limit ends the history after n messages, 1 to MaxHistory. The default is
// 100; with TokenBudget it is MaxHistory.
func Limit(n int) HistoryOption {
	return func(q *historyQuery) {
		if n < 1 || n > MaxHistory {
			q.err = invalid("limit", "is %d; 1 to %d are allowed", n, MaxHistory)
		}
		q.limit = n
	}
}

// FromSeq selects messages with that number and above.
func FromSeq(n uint64) HistoryOption { return func(q *historyQuery) { q.span.From = n } }

// ToSeq selects messages up to and including that number, from 1.
func ToSeq(n uint64) HistoryOption {
	return func(q *historyQuery) {
		if n == 0 {
			q.err = invalid("to_seq", "is 0; messages are numbered from 1")
		}
		q.span.To = n
	}
}

// AppendedAfter selects messages that the store took after that moment, by its
// clock to the millisecond (see Message.AppendedAt).
func AppendedAfter(t time.Time) HistoryOption { return func(q *historyQuery) { q.after = t } }

// NewestFirst turns the order around.
func NewestFirst() HistoryOption { return func(q *historyQuery) { q.newest = true } }

// TokenBudget selects the newest messages that together have at most n tokens,
// oldest of them first, as a prompt wants them: a result never comes without
// the call that it answers, so a call and its results are in or out together.
// A message that was appended without Tokens counts a token for each four
// bytes that it holds, rounded up.
func TokenBudget(n uint64) HistoryOption {
	return func(q *historyQuery) {
		if n == 0 {
			q.err = invalid("token_budget", "is 0; a positive number is allowed")
		}
		q.budget, q.last = n, true
	}
}

func newHistoryQuery(opts []HistoryOption) (q historyQuery, err error) {
	for _, o := range opts {
		if o != nil {
			o(&q)
		}
	}
	if q.limit == 0 {
		q.limit = defaultHistory
		if q.budget > 0 {
			q.limit = MaxHistory
		}
	}
	return q, q.err
}

// History returns messages of the session's log: by default its 100 oldest, in
// order. Reading n of them costs n, wherever they are in the log; Last,
// NewestFirst and TokenBudget read from the new end. A gap in the numbers is
// where messages were removed. It is one durable snapshot, but for
// AppendedAfter and TokenBudget, which may read the log in several.
// ErrNotFound, ErrInvalid, ErrCorrupt.
func (t *Tenant) History(ctx context.Context, id string, opts ...HistoryOption) ([]Message, error) {
	ms, err := t.history(ctx, id, opts)
	if err != nil {
		return nil, t.wrapError("History", id, err)
	}
	return ms, nil
}

func (t *Tenant) history(ctx context.Context, id string, opts []HistoryOption) ([]Message, error) {
	q, err := newHistoryQuery(opts)
	if err != nil {
		return nil, err
	}
	log, err := t.openLog(ctx, id)
	if err != nil {
		return nil, err
	}
	fromNew := q.newest || q.last
	var ms []Message
	found := true
	if !fromNew {
		found, err = log.skipTo(ctx, &q)
	}
	switch {
	case err != nil || !found:
	case q.budget > 0:
		ms, err = log.readBudget(ctx, q)
	default:
		ms, err = log.readPage(ctx, q, fromNew)
	}
	if err == nil {
		err = log.confirmLive(ctx, len(ms))
	}
	if fromNew && !q.newest {
		slices.Reverse(ms)
	}
	return ms, err
}

// Messages returns the messages that History would, without a limit unless one
// is given, reading a page at a time: each page is a snapshot of its own. The
// loop body runs with nothing locked. The loop ends after the first error.
func (t *Tenant) Messages(ctx context.Context, id string, opts ...HistoryOption) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		if err := t.eachMessage(ctx, id, opts, func(m Message) bool { return yield(m, nil) }); err != nil {
			yield(Message{}, t.wrapError("Messages", id, err))
		}
	}
}

func (t *Tenant) eachMessage(ctx context.Context, id string, opts []HistoryOption, yield func(Message) bool) error {
	q, err := newHistoryQuery(append([]HistoryOption{func(q *historyQuery) { q.limit = math.MaxInt }}, opts...))
	if err != nil {
		return err
	}
	if q.last || q.budget > 0 {
		return invalid("opts", "Last and TokenBudget are for History; use NewestFirst and Limit")
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
		for _, m := range page {
			if !yield(m) {
				return nil
			}
		}
		if len(page) < q.limit || !q.advance(page[len(page)-1].Seq) {
			return log.confirmLive(ctx, len(page))
		}
	}
	return nil
}

// advance moves the span past the message of that number, and reports whether
// anything is left of it.
func (q *historyQuery) advance(seq uint64) bool {
	if q.newest {
		q.span.To = seq - 1
		return seq > 1
	}
	q.span.From = seq + 1
	return true
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
// after start.
func (l *logReader) readPage(ctx context.Context, q historyQuery, desc bool) ([]Message, error) {
	if q.span.To != 0 && q.span.From > q.span.To {
		return nil, nil
	}
	page, err := l.readRange(ctx, q.span, q.limit, desc)
	if err != nil {
		return nil, err
	}
	for i := range page {
		if !q.matches(&page[i]) { // nor any older one
			return page[:i], nil
		}
	}
	return page, nil
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
	from, to := max(q.span.From, 1), l.last+1
	for from < to {
		mid := from + (to-from)/2
		at, err := l.readRange(ctx, driver.Span{From: mid}, 1, false)
		if err != nil {
			return false, err
		}
		if len(at) == 0 || at[0].AppendedAt.After(q.after) {
			to = mid
		} else {
			from = at[0].Seq + 1
		}
	}
	q.span.From, q.after = from, time.Time{}
	return from <= l.last, nil
}

// readRange reads and decodes one range.
func (l *logReader) readRange(ctx context.Context, span driver.Span, limit int, desc bool) ([]Message, error) {
	l.reads++
	raw, err := l.t.store.d.Messages(ctx, driver.LogQuery{
		Namespace: l.key.Namespace, Incarnation: l.inc, Span: span, Limit: limit, Desc: desc,
	})
	if err != nil {
		return nil, err
	}
	out := make([]Message, len(raw))
	for i := range raw {
		if out[i], err = decodeMessage(&raw[i]); err != nil {
			return nil, fmt.Errorf("message %d: %w", raw[i].Seq, err)
		}
	}
	return out, nil
}

// firstBudgetPage is how many messages a token budget reads first.
const firstBudgetPage = 32

// readBudget returns the newest messages that fit q.budget, newest first, cut
// where no call is parted from its results.
func (l *logReader) readBudget(ctx context.Context, q historyQuery) ([]Message, error) {
	var ms []Message
	cut := rules.NewCutter(q.budget)
	// What q does not take is read too: whether it is a call decides the cut.
	page := historyQuery{span: driver.Span{To: q.span.To}, limit: firstBudgetPage}
	for {
		page.limit = min(page.limit, q.limit+1-len(ms))
		next, err := l.readPage(ctx, page, true)
		if err != nil {
			return nil, err
		}
		for i := range next {
			if len(ms) == q.limit || !q.matches(&next[i]) {
				cut.Before(next[i].ContentType == ContentToolCall)
				return ms[:cut.Whole()], nil
			}
			if !cut.Add(next[i].cutPart()) {
				return ms[:cut.Whole()], nil
			}
			ms = append(ms, next[i])
		}
		page.newest = true
		if len(next) < page.limit || !page.advance(next[len(next)-1].Seq) {
			break
		}
		page.limit *= 2
	}
	cut.Before(false)
	return ms[:cut.Whole()], nil
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
