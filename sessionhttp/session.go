package sessionhttp

import (
	"net/http"
	"net/url"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonin"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonout"
)

// Defaults of an agent's configuration.
const (
	defaultTemperature = 0.7
	defaultMaxTokens   = 4096
)

// create answers POST /v1/agents/sessions.
func (x *exchange) create() error {
	if _, err := x.queryOf(); err != nil {
		return err
	}
	f, err := x.form()
	if err != nil {
		return err
	}
	n := f.newSession()
	f.done()
	if err := f.err(); err != nil {
		return err
	}
	s, err := x.t.Create(x.r.Context(), n)
	if err != nil {
		return x.taken(n.ID, err)
	}
	return x.replyCreated(s, append(appendNew(x.out, s), '}'))
}

// replyCreated answers with a new session.
func (x *exchange) replyCreated(s *seshat.Session, body []byte) error {
	x.out = body
	x.tag(s)
	x.w.Header()["Location"] = []string{sessionsPath + "/" + pathOf(s.ID)}
	return x.reply(http.StatusCreated)
}

// pathOf escapes an id for a path. It also escapes ids that a handler could
// confuse with a route, or a client with the path segments "." and "..".
func pathOf(id string) string {
	switch id {
	case ".":
		return "%2E"
	case "..":
		return "%2E%2E"
	case "watch", "list":
		return "%" + string("0123456789ABCDEF"[id[0]>>4]) + string("0123456789ABCDEF"[id[0]&0xf]) + id[1:]
	}
	return url.PathEscape(id)
}

// newSession reads the fields of a new session.
func (f *form) newSession() seshat.NewSession {
	n := seshat.NewSession{
		ID: f.name("session_id"), UserID: f.name("user_id"),
		Labels: f.labels("labels"), Metadata: f.document("metadata").Map(),
		UserMemory: f.document("user_memory").Map(),
	}
	n.DisableMemory = !f.flag("enable_memory", true)
	if n.DisableMemory {
		n.UserMemory = nil
	}
	if agent := f.child("agent_config"); agent != nil {
		n.Agent = agent.agent()
	} else if v := f.take("agent_config"); v == nil || v.Kind() == jsonin.Null {
		f.add("agent_config", "is required")
	}
	if quotas := f.child("quotas"); quotas != nil {
		n.Quotas = quotas.quotas()
	}
	if expiry := f.child("expiry"); expiry != nil {
		n.Lifecycle = expiry.expiry()
	}
	return n
}

func (f *form) agent() seshat.AgentConfig {
	a := seshat.AgentConfig{
		Model: f.name("model"), Temperature: f.float("temperature", seshat.MaxTemperature),
		MaxTokens:      seshat.Ptr(defaultMaxTokens),
		SystemPrompt:   f.text("system_prompt", seshat.MaxSystemPromptBytes),
		AvailableTools: f.texts("available_tools", seshat.MaxTools),
	}
	if a.Temperature == nil {
		a.Temperature = seshat.Ptr(defaultTemperature)
	}
	if n := f.uint("max_tokens", 1, seshat.MaxTokens); n != nil {
		*a.MaxTokens = int(*n)
	}
	f.done()
	return a
}

func (f *form) quotas() (q seshat.Quotas) {
	for _, quota := range []struct {
		name string
		to   *uint64
	}{
		{"max_messages", &q.MaxMessages},
		{"max_tokens_total", &q.MaxTokensTotal},
		{"max_tool_calls", &q.MaxToolCalls},
		{"rate_limit_messages_per_minute", &q.RateLimitMessagesPerMinute},
		{"max_session_duration_minutes", &q.MaxSessionDurationMinutes},
	} {
		if n := f.uint(quota.name, 1, seshat.MaxQuota); n != nil {
			*quota.to = *n
		}
	}
	f.done()
	return q
}

func (f *form) expiry() seshat.Lifecycle {
	l := seshat.Lifecycle{
		TTL: f.duration("ttl"), MaxLifetime: f.duration("max_lifetime"), IdleAfter: f.duration("idle_after"),
		ArchiveAfter: f.duration("archive_after"), Retention: f.duration("retention"),
	}
	switch mode := f.text("mode", seshat.MaxNameBytes); mode {
	case "", "sliding", "absolute":
		_ = l.Expiry.UnmarshalText([]byte(mode)) // both names are known
	default:
		f.add(f.path+"mode", "must be sliding or absolute")
	}
	f.done()
	return l
}

// get answers GET /v1/agents/sessions/{session_id}.
func (x *exchange) get() error {
	if _, err := x.queryOf(); err != nil {
		return err
	}
	cond, err := x.ifMatch()
	if err != nil {
		return err
	}
	s, err := x.t.Get(x.r.Context(), x.session)
	if err != nil {
		return err
	}
	if !cond.holds(s) {
		return errStale
	}
	fresh, err := x.matchesNone(x.tag(s))
	if err != nil {
		return err
	}
	if !fresh {
		return x.reply(http.StatusNotModified)
	}
	if x.out, err = appendSession(x.out, s); err != nil {
		return err
	}
	return x.reply(http.StatusOK)
}

// replyChanged answers with the session's status and times after a change.
func (x *exchange) replyChanged(s *seshat.Session) error {
	x.tag(s)
	b := jsonout.Text(append(x.out, `{"session_id":`...), s.ID)
	b = jsonout.Text(append(b, `,"status":`...), s.Status.String())
	b = jsonout.Time(append(b, `,"updated_at":`...), s.UpdatedAt)
	b = jsonout.Time(append(b, `,"expires_at":`...), s.ExpiresAt)
	b = jsonout.Time(append(b, `,"terminated_at":`...), s.TerminatedAt)
	x.out = append(b, '}')
	return x.reply(http.StatusOK)
}
