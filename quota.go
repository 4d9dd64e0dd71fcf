package seshat

import "time"

// exceeded returns a *QuotaError if adding that much to u passes a quota.
func (q NamespaceQuotas) exceeded(u Usage, sessions, messages, bytes uint64) error {
	for _, x := range []struct {
		name            string
		limit, use, add uint64
	}{
		{"namespace.max_sessions", q.MaxSessions, u.Sessions(), sessions},
		{"namespace.max_messages", q.MaxMessages, u.Messages, messages},
		{"namespace.max_bytes", q.MaxBytes, u.Bytes, bytes},
	} {
		if x.limit != 0 && x.add != 0 && x.use+x.add > x.limit {
			return &QuotaError{Quota: x.name, Limit: x.limit, Use: x.use}
		}
	}
	return nil
}

// added is what an append adds, as quotas and stats count it.
type added struct {
	messages, tokens, toolCalls uint64
	latency                     latency
}

func countMessages(ms []Message) (n added) {
	for i := range ms {
		m := ms[i]
		m.normalize()
		n.messages++
		n.tokens += m.Tokens
		n.toolCalls += m.ToolCalls
		if m.Latency > 0 {
			n.latency.SumMS += uint64(m.Latency.Milliseconds())
			n.latency.Count++
		}
	}
	return n
}

// admit enforces the session's quotas on an append at now.
func (s *Session) admit(n added, now int64) error {
	for _, x := range []struct {
		name            string
		limit, use, add uint64
	}{
		{"max_messages", s.Quotas.MaxMessages, s.Stats.TotalMessages, n.messages},
		{"max_tokens_total", s.Quotas.MaxTokensTotal, s.Stats.TotalTokens, n.tokens},
		{"max_tool_calls", s.Quotas.MaxToolCalls, s.Stats.TotalToolCalls, n.toolCalls},
	} {
		if x.limit != 0 && x.add != 0 && x.use+x.add > x.limit {
			return &QuotaError{Quota: x.name, Limit: x.limit, Use: x.use}
		}
	}
	return s.rate.admit(s.Quotas.RateLimitMessagesPerMinute, n.messages, now)
}

// count adds an append at now to the session's stats.
func (s *Session) count(n added, now int64) {
	s.Stats.TotalMessages += n.messages
	s.Stats.TotalTokens += n.tokens
	s.Stats.TotalToolCalls += n.toolCalls
	s.latency.SumMS += n.latency.SumMS
	s.latency.Count += n.latency.Count
	s.rate.roll(now)
	s.rate.Count += n.messages
}

const minuteMS = 60_000

// roll begins a new minute, if there is one.
func (r *rate) roll(now int64) {
	switch minute := now / minuteMS; {
	case minute == r.Minute:
	case minute == r.Minute+1:
		*r = rate{Minute: minute, Earlier: r.Count}
	default:
		*r = rate{Minute: minute}
	}
}

// admit enforces a limit on the messages of any 60 seconds. It counts the
// messages of this minute, and of the one before in proportion to how much of
// it the last 60 seconds still cover.
func (r rate) admit(limit, n uint64, now int64) error {
	if limit == 0 {
		return nil
	}
	r.roll(now)
	left := uint64(minuteMS - now%minuteMS) // of this minute
	use := r.Count + (r.Earlier*left+minuteMS-1)/minuteMS
	if use+n <= limit {
		return nil
	}
	e := &QuotaError{Quota: "rate_limit_messages_per_minute", Limit: limit, Use: use}
	if n <= limit {
		e.RetryAfter = r.wait(limit-n, left)
	}
	return e
}

// wait is after how long at most room messages are in use, with left ms of the
// minute to go.
func (r rate) wait(room, left uint64) time.Duration {
	ms := left
	switch {
	case r.Count <= room && r.Earlier > 0:
		// Within this minute, as the one before fades.
		keep := (room - r.Count) * minuteMS / r.Earlier
		ms = left - min(left, keep)
	case r.Count > room:
		// In the next minute, as this one fades.
		ms = left + minuteMS - room*minuteMS/r.Count
	}
	return time.Duration(max(ms, 1)) * time.Millisecond
}
