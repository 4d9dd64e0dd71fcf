package seshat

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// checkLimit returns a *QuotaError if use and the addition exceed the limit; 0
// means no limit.
func checkLimit(quota string, limit, use, add uint64) error {
	if limit == 0 || add == 0 || use+add <= limit {
		return nil
	}
	return &QuotaError{Quota: quota, Limit: limit, Use: use}
}

// check returns a *QuotaError if u and the additions exceed a quota.
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
func (s *storedSession) checkQuotas(n messageTotals, now int64) error {
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

// MaxQuota is the largest value of a field of Quotas. As many minutes are a
// time in milliseconds that does not overflow.
const MaxQuota = math.MaxInt64 / 60_000

// Quotas limit one session. They are immutable once the session exists; 0 means
// no limit. An append that would exceed one fails with a [QuotaError].
type Quotas struct {
	MaxMessages    uint64 `json:"max_messages,omitempty"`     // largest SessionStats.TotalMessages
	MaxTokensTotal uint64 `json:"max_tokens_total,omitempty"` // largest SessionStats.TotalTokens
	MaxToolCalls   uint64 `json:"max_tool_calls,omitempty"`   // largest SessionStats.TotalToolCalls

	// RateLimitMessagesPerMinute is the maximum number of messages within any
	// 60 seconds.
	RateLimitMessagesPerMinute uint64 `json:"rate_limit_messages_per_minute,omitempty"`

	// MaxSessionDurationMinutes is the time from the session's creation until
	// it expires, as Lifecycle.MaxLifetime.
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
		if n.n > MaxQuota {
			return refuse(n.name, "is %d; at most %d is allowed", n.n, int64(MaxQuota))
		}
	}
	return nil
}

// NamespaceQuotas limit a namespace; 0 means no limit. A call that would exceed
// one fails with a [QuotaError]. Expired sessions do not count.
type NamespaceQuotas struct {
	MaxSessions uint64 `json:"max_sessions,omitempty"` // live sessions
	MaxMessages uint64 `json:"max_messages,omitempty"` // messages in the logs of live sessions
	MaxBytes    uint64 `json:"max_bytes,omitempty"`    // stored bytes of live sessions and their messages
}

// checkQuota enforces the namespace's quotas on the additions of a write to v.
func (n *Namespace) checkQuota(v *driver.View, sessions, messages, bytes uint64) error {
	q := n.Quotas
	if q == (NamespaceQuotas{}) {
		return nil
	}
	if v.Live == nil {
		return errNeedUsage
	}
	// The stored counters are a cheap upper bound. Only if they exceed a quota
	// is the exact count needed, which walks the sessions.
	if q.check(v.Usage, sessions, messages, bytes) == nil {
		return nil
	}
	u, err := v.Live()
	if err != nil {
		return err
	}
	return q.check(u, sessions, messages, bytes)
}

// errNeedUsage makes writeSession repeat the write with the namespace's usage.
var errNeedUsage = errors.New("usage needed")

// QuotaError names the quota that a call would exceed. It matches ErrQuota.
type QuotaError struct {
	Quota      string        // in the names of JSON, such as "max_messages"
	Limit      uint64        // the quota's value
	Use        uint64        // the use before the call
	RetryAfter time.Duration // after this it may succeed; 0 = not by waiting
}

// Error names the quota, its limit and its use.
func (e *QuotaError) Error() string {
	return fmt.Sprintf("quota exceeded: %s is %d, in use %d", e.Quota, e.Limit, e.Use)
}

// Is reports whether target is ErrQuota.
func (e *QuotaError) Is(target error) bool { return target == ErrQuota }

func maxAge(q Quotas) int64 {
	if q.MaxSessionDurationMinutes == 0 {
		return rules.Never
	}
	return int64(q.MaxSessionDurationMinutes) * 60_000
}
