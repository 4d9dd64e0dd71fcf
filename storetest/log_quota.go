package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var logQuotas = []promise{
	{name: "messages ever appended", test: quotaMessages},
	{name: "tokens and tool calls ever appended", test: quotaTokens},
	{name: "a full session still knows what it has", test: quotaRepeated},
	{name: "the message rate is kept with the session", test: quotaRateStored},
	{name: "a refused rate says when to come back", test: quotaRetryAfter},
	{name: "a turn above the rate is never admitted", test: quotaRateTooLarge},
	{name: "the duration is a deadline", test: quotaDuration},
	{name: "forks and restores count in a namespace", test: quotaOfCopies},
	{name: "goroutines racing for the last message", test: quotaRaces},
}

// isQuotaSpent fails the test unless err is a QuotaError with these values. It
// returns RetryAfter.
func (e *env) isQuotaSpent(err error, quota string, limit, use uint64) time.Duration {
	e.Helper()
	var q *seshat.QuotaError
	if !errors.As(err, &q) || !errors.Is(err, seshat.ErrQuota) {
		e.Fatalf("got error %v, want a QuotaError of %s", err, quota)
	}
	if q.Quota != quota || q.Limit != limit || q.Use != use {
		e.Fatalf("got %s of %d, in use %d; want %s of %d, in use %d", q.Quota, q.Limit, q.Use, quota, limit, use)
	}
	return q.RetryAfter
}

func quotaMessages(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Quotas: seshat.Quotas{MaxMessages: 3}})
	e.append(t, "s", newMessages(2)...)
	check := e.unchangedSince(t, "s")
	_, err := t.Append(e.ctx, "s", newMessages(2)...)
	equal(e, "retry after", e.isQuotaSpent(err, "max_messages", 3, 2), 0)
	check()
	e.append(t, "s", newMessages(1)...)
	_, err = t.Truncate(e.ctx, "s", 0)
	e.must(err)
	_, err = t.Append(e.ctx, "s", newMessages(1)...)
	e.isQuotaSpent(err, "max_messages", 3, 3)
	equal(e, "messages", e.get(t, "s").MessageCount, 0)
}

func quotaTokens(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Quotas: seshat.Quotas{MaxTokensTotal: 100, MaxToolCalls: 2}})
	call := seshat.Message{Role: seshat.RoleAssistant, ContentType: seshat.ContentToolCall}
	e.append(t, "s", seshat.Message{Role: seshat.RoleUser, Tokens: 60}, call)
	check := e.unchangedSince(t, "s")
	_, err := t.Append(e.ctx, "s", seshat.Message{Role: seshat.RoleUser, Tokens: 30},
		seshat.Message{Role: seshat.RoleUser, Tokens: 11})
	equal(e, "retry after", e.isQuotaSpent(err, "max_tokens_total", 100, 60), 0)
	_, err = t.Append(e.ctx, "s", call, call)
	e.isQuotaSpent(err, "max_tool_calls", 2, 1)
	check()
	call.Tokens = 40
	e.append(t, "s", call)
	s := e.append(t, "s", newMessages(1)...) // has neither tokens nor calls
	equal(e, "tokens", s.Stats.TotalTokens, 100)
	equal(e, "tool calls", s.Stats.TotalToolCalls, 2)
}

func quotaRepeated(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Quotas: seshat.Quotas{MaxMessages: 1, RateLimitMessagesPerMinute: 1}})
	m := seshat.Message{ID: "m", Role: seshat.RoleUser}
	e.append(t, "s", m)
	e.expectRepeat(t, "s", 1, 1, m)
	_, err := t.Append(e.ctx, "s", newMessages(1)...)
	e.isQuotaSpent(err, "max_messages", 1, 1)
}

const rateQuota = "rate_limit_messages_per_minute"

func quotaRateStored(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Quotas: seshat.Quotas{RateLimitMessagesPerMinute: 4}})
	e.append(t, "s", newMessages(3)...)
	e.reopen()
	t = e.tenant("t")
	_, err := t.Append(e.ctx, "s", newMessages(2)...)
	e.isQuotaSpent(err, rateQuota, 4, 3)
	e.append(t, "s", newMessages(1)...)
}

// rateModel implements the rule of the message rate independently. It counts
// the messages of this minute, and those of the minute before in proportion to
// how much of it the last 60 seconds cover.
type rateModel map[int64]uint64

func (r rateModel) use(now time.Time) uint64 {
	at := now.UnixMilli()
	left := uint64(60_000 - at%60_000)
	return r[at/60_000] + (r[at/60_000-1]*left+59_999)/60_000
}

func quotaRetryAfter(e *env) {
	t := e.tenant("t")
	r := rand.New(rand.NewPCG(3, 5))
	for _, limit := range []uint64{1, 2, 7, 60, 1000} {
		id := fmt.Sprint(limit)
		e.create(t, seshat.NewSession{ID: id, Quotas: seshat.Quotas{RateLimitMessagesPerMinute: limit}})
		model := rateModel{}
		for range 40 {
			n := 1 + r.Uint64N(min(limit, 200))
			turn := newMessages(int(n))
			if _, err := t.Append(e.ctx, id, turn...); err != nil {
				wait := e.isQuotaSpent(err, rateQuota, limit, model.use(e.clock.Now()))
				e.expectWait(t, id, wait, turn)
			}
			if model.use(e.clock.Now())+n > limit {
				e.Fatalf("%d messages were admitted at %v, above %d", n, e.clock.Now(), limit)
			}
			model[e.clock.Now().UnixMilli()/60_000] += n
			e.clock.Advance(time.Duration(r.IntN(20_000)) * ms)
		}
	}
}

// expectWait fails the test unless a refused turn is accepted after that wait,
// and not before.
func (e *env) expectWait(t *seshat.Tenant, id string, wait time.Duration, turn []seshat.Message) {
	e.Helper()
	e.clock.Advance(wait - ms)
	_, err := t.Append(e.ctx, id, turn...)
	e.isError(err, seshat.ErrQuota)
	e.clock.Advance(ms)
	e.append(t, id, turn...)
}

func quotaRateTooLarge(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Quotas: seshat.Quotas{RateLimitMessagesPerMinute: 2}})
	_, err := t.Append(e.ctx, "s", newMessages(3)...)
	equal(e, "retry after", e.isQuotaSpent(err, rateQuota, 2, 0), 0)
}

func quotaDuration(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Quotas: seshat.Quotas{MaxSessionDurationMinutes: 3}})
	e.clock.Advance(3*minute - ms)
	s := e.append(t, "s", newMessages(1)...)
	equal(e, "end", s.ExpiresAt, seshattest.Start.Add(3*minute))
	e.clock.Advance(ms)
	e.isGone(t, "s")
}

// quotaOfCopies fills a namespace, by each of its quotas, until a copy of a
// session no longer fits.
func quotaOfCopies(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	e.append(t, "s", newMessages(5)...)
	snap := *e.get(t, "s")
	snap.ID = "restored"
	u, err := t.Usage(e.ctx)
	e.must(err)
	for quota, q := range map[string]seshat.NamespaceQuotas{
		"namespace.max_sessions": {MaxSessions: 1},
		"namespace.max_messages": {MaxMessages: 9},
		"namespace.max_bytes":    {MaxBytes: u.Bytes + 10},
	} {
		e.must(t.SetQuotas(e.ctx, q))
		for name, call := range map[string]func() error{
			"Fork":    func() error { return second(t.Fork(e.ctx, "s", seshat.ForkOptions{ID: "forked"})) },
			"Restore": func() error { return second(t.Restore(e.ctx, e.newSnapshot(t, "s", &snap))) },
		} {
			var over *seshat.QuotaError
			if err := call(); !errors.As(err, &over) || over.Quota != quota {
				e.Fatalf("%s with %+v: got error %v", name, q, err)
			}
		}
		e.isGone(t, "forked")
		e.isGone(t, "restored")
		now, err := t.Usage(e.ctx)
		e.must(err)
		equal(e, "usage", now, u)
	}
}

// quotaRaces lets many goroutines append when only some of their messages fit
// the quota of the session or of the namespace.
func quotaRaces(e *env) {
	const room, racers = 9, 32
	e.create(e.tenant("own"), seshat.NewSession{ID: "s", Quotas: seshat.Quotas{MaxMessages: room}})
	e.create(e.createLimited(seshat.NamespaceQuotas{MaxMessages: room}), seshat.NewSession{ID: "s"})
	for _, name := range []string{"own", "t"} {
		t := e.tenant(name)
		var wg sync.WaitGroup
		var done atomic.Int64
		for range racers {
			wg.Go(func() {
				switch _, err := t.Append(e.ctx, "s", newMessages(1)...); {
				case err == nil:
					done.Add(1)
				case !errors.Is(err, seshat.ErrQuota):
					e.Error(err)
				}
			})
		}
		wg.Wait()
		equal(e, "appends that succeeded", done.Load(), room)
		equal(e, "messages", e.get(t, "s").MessageCount, room)
	}
}
