package seshat

import "time"

// check returns a *QuotaError if adding that much to u passes a quota.
func (q NamespaceQuotas) check(u Usage, sessions, messages, bytes uint64) error {
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

// appendTotals is what an append adds, as quotas and stats count it.
type appendTotals struct {
	messages, tokens, toolCalls uint64
	latency                     latency
}

func totalsOf(ms []Message) (n appendTotals) {
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

// checkQuotas enforces the session's quotas on an append at now.
func (s *storedSession) checkQuotas(n appendTotals, now int64) error {
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
	return s.checkRate(n.messages, now)
}

// checkRate enforces the limit on the messages of any 60 seconds.
func (s *storedSession) checkRate(n uint64, now int64) error {
	limit, use := s.Quotas.RateLimitMessagesPerMinute, s.rate.Use(now)
	if limit == 0 || use+n <= limit {
		return nil
	}
	e := &QuotaError{Quota: "rate_limit_messages_per_minute", Limit: limit, Use: use}
	if n <= limit {
		e.RetryAfter = time.Duration(s.rate.Wait(limit-n, now)) * time.Millisecond
	}
	return e
}

// addTotals adds an append at now to the session's stats.
func (s *storedSession) addTotals(n appendTotals, now int64) {
	s.Stats.TotalMessages += n.messages
	s.Stats.TotalTokens += n.tokens
	s.Stats.TotalToolCalls += n.toolCalls
	s.latency.SumMS += n.latency.SumMS
	s.latency.Count += n.latency.Count
	s.rate.Add(n.messages, now)
}
