package seshat

import (
	"errors"
	"math"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// checkLimit returns a *QuotaError if adding that much to what is used passes
// a quota; 0 is unlimited.
func checkLimit(quota string, limit, use, add uint64) error {
	if limit == 0 || add == 0 || use+add <= limit {
		return nil
	}
	return &QuotaError{Quota: quota, Limit: limit, Use: use}
}

// check returns a *QuotaError if adding that much to u passes a quota.
func (q NamespaceQuotas) check(u driver.Usage, sessions, messages, bytes uint64) error {
	if err := checkLimit("namespace.max_sessions", q.MaxSessions, u.Total(), sessions); err != nil {
		return err
	}
	if err := checkLimit("namespace.max_messages", q.MaxMessages, u.Messages, messages); err != nil {
		return err
	}
	return checkLimit("namespace.max_bytes", q.MaxBytes, u.Bytes, bytes)
}

// checkQuotas enforces the session's quotas on an append at now.
func (s *storedSession) checkQuotas(n appendTotals, now int64) error {
	q := &s.Quotas
	if err := checkLimit("max_messages", q.MaxMessages, s.Stats.TotalMessages, n.messages); err != nil {
		return err
	}
	if err := checkLimit("max_tokens_total", q.MaxTokensTotal, s.Stats.TotalTokens, n.tokens); err != nil {
		return err
	}
	if err := checkLimit("max_tool_calls", q.MaxToolCalls, s.Stats.TotalToolCalls, n.toolCalls); err != nil {
		return err
	}
	return s.checkRate(n.messages, now)
}

// checkRate enforces the limit on the messages of any 60 seconds.
func (s *storedSession) checkRate(n uint64, now int64) error {
	limit := s.Quotas.RateLimitMessagesPerMinute
	use := s.rate.Use(now)
	if limit == 0 || use+n <= limit {
		return nil
	}
	e := &QuotaError{Quota: "rate_limit_messages_per_minute", Limit: limit, Use: use}
	if n <= limit {
		e.RetryAfter = time.Duration(s.rate.Wait(limit-n, now)) * time.Millisecond
	}
	return e
}

// Quotas bound one session. They are immutable once the session exists; zero
// is unlimited. An append that would pass one is refused with a [QuotaError].
type Quotas struct {
	MaxMessages                uint64 `json:"max_messages,omitempty"`     // ever appended
	MaxTokensTotal             uint64 `json:"max_tokens_total,omitempty"` // ever appended
	MaxToolCalls               uint64 `json:"max_tool_calls,omitempty"`   // ever appended
	RateLimitMessagesPerMinute uint64 `json:"rate_limit_messages_per_minute,omitempty"`

	// MaxSessionDurationMinutes is a deadline: the session does not exist
	// this long after its creation.
	MaxSessionDurationMinutes uint64 `json:"max_session_duration_minutes,omitempty"`
}

func (q *Quotas) check() *fieldError {
	for _, n := range []struct {
		name string
		n    uint64
	}{
		{"max_messages", q.MaxMessages},
		{"max_tokens_total", q.MaxTokensTotal},
		{"max_tool_calls", q.MaxToolCalls},
		{"rate_limit_messages_per_minute", q.RateLimitMessagesPerMinute},
		{"max_session_duration_minutes", q.MaxSessionDurationMinutes},
	} {
		if n.n > math.MaxInt64/60_000 {
			return refuse(n.name, "is %d; at most %d is allowed", n.n, int64(math.MaxInt64/60_000))
		}
	}
	return nil
}

// NamespaceQuotas bound a namespace; zero is unlimited. A call that would pass
// one is refused with a [QuotaError]. Sessions that have expired do not count.
type NamespaceQuotas struct {
	MaxSessions uint64 `json:"max_sessions,omitempty"`
	MaxMessages uint64 `json:"max_messages,omitempty"` // in all logs
	MaxBytes    uint64 `json:"max_bytes,omitempty"`    // of all sessions and messages, as stored
}

// checkQuota enforces the namespace's quotas on what a call adds to v.
func (n *Namespace) checkQuota(v *driver.View, sessions, messages, bytes uint64) error {
	q := n.Quotas
	if q == (NamespaceQuotas{}) {
		return nil
	}
	if v.Live == nil {
		return errNeedUsage
	}
	// The stored counters are an upper bound, and cheap: only where they
	// refuse is the exact count worth its walk.
	if q.check(v.Usage, sessions, messages, bytes) == nil {
		return nil
	}
	u, err := v.Live()
	if err != nil {
		return err
	}
	return q.check(u, sessions, messages, bytes)
}

// errNeedUsage makes write plan once more with the namespace's usage at hand.
var errNeedUsage = errors.New("usage needed")

// checkStateSize refuses to grow from was to n beyond the limits.
func checkStateSize(n, was rules.Size) error {
	if n.Keys > MaxStateKeys && n.Keys > was.Keys {
		return &QuotaError{Quota: "state.keys", Limit: MaxStateKeys, Use: was.Keys}
	}
	if n.Bytes > MaxStateBytes && n.Bytes > was.Bytes {
		return &QuotaError{Quota: "state.bytes", Limit: MaxStateBytes, Use: was.Bytes}
	}
	return nil
}
