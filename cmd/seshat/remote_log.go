package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp"
)

// historyAnswer is one page of a log.
type historyAnswer struct {
	Messages []message `json:"messages"`
	Total    int       `json:"total_messages"`
	HasMore  bool      `json:"has_more"`
}

func (r *remote) history(ctx context.Context, id string, offset, limit int) (a historyAnswer, err error) {
	_, err = r.fetch(ctx, request{
		method: http.MethodGet, path: sessionPath(id) + "/history",
		query: url.Values{"offset": {strconv.Itoa(offset)}, "limit": {strconv.Itoa(limit)}},
	}, &a)
	return a, err
}

// History returns messages of a log, oldest first.
func (r *remote) History(ctx context.Context, id string, l logRange) (all []message, err error) {
	if l.fileOnly() {
		return nil, usagef("--from-seq, --to-seq and --token-budget: the HTTP API has no such ranges; use " +
			"--limit, --skip or --last")
	}
	offset := l.Skip
	if l.Last > 0 {
		a, err := r.history(ctx, id, 0, 1)
		if err != nil {
			return nil, err
		}
		offset = max(0, a.Total-l.Last)
	}
	for {
		limit := sessionhttp.MaxHistory
		if l.Limit > 0 {
			limit = min(limit, l.Limit-len(all))
		}
		a, err := r.history(ctx, id, offset+len(all), limit)
		if err != nil {
			return nil, err
		}
		all = append(all, a.Messages...)
		if !a.HasMore || len(all) == l.Limit {
			return all, nil
		}
	}
}

// messageBody is one message of an append request.
type messageBody struct {
	MessageID   string             `json:"message_id,omitempty"`
	Role        seshat.Role        `json:"role"`
	Content     string             `json:"content"`
	ContentType seshat.ContentType `json:"content_type,omitempty"`
	ToolName    string             `json:"tool_name,omitempty"`
	ToolCallID  string             `json:"tool_call_id,omitempty"`
	ToolCalls   uint64             `json:"tool_calls,omitempty"`
	ToolInputs  any                `json:"tool_inputs,omitempty"`
	ToolOutputs any                `json:"tool_outputs,omitempty"`
	ToolStatus  string             `json:"tool_status,omitempty"`
	Author      string             `json:"author,omitempty"`
	Metadata    map[string]any     `json:"metadata,omitempty"`
	Tokens      uint64             `json:"tokens,omitempty"`
	LatencyMS   int64              `json:"latency_ms,omitempty"`
	Timestamp   any                `json:"timestamp,omitempty"`
}

func newMessageBody(m seshat.Message) (messageBody, error) {
	if len(m.Payload) > 0 {
		return messageBody{}, usagef("payload: the HTTP API does not accept it")
	}
	b := messageBody{
		MessageID: m.ID, Role: m.Role, Content: m.Content, ContentType: m.ContentType,
		ToolName: m.ToolName, ToolCallID: m.ToolCallID, ToolCalls: m.ToolCalls, ToolStatus: m.ToolStatus,
		Author: m.Author, Metadata: m.Metadata.Map(), Tokens: m.Tokens, LatencyMS: m.Latency.Milliseconds(),
	}
	if len(m.ToolInputs) > 0 {
		b.ToolInputs = m.ToolInputs
	}
	if len(m.ToolOutputs) > 0 {
		b.ToolOutputs = m.ToolOutputs
	}
	if !m.Timestamp.IsZero() {
		b.Timestamp = m.Timestamp
	}
	return b, nil
}

// Append appends a turn.
func (r *remote) Append(ctx context.Context, id string, turn []seshat.Message, key string) (a appended, err error) {
	bodies := make([]messageBody, len(turn))
	for i, m := range turn {
		if bodies[i], err = newMessageBody(m); err != nil {
			return a, err
		}
	}
	q := request{
		method: http.MethodPost, path: sessionPath(id) + "/messages", body: map[string]any{"messages": bodies},
	}
	if key != "" {
		q.header = map[string]string{"Idempotency-Key": key}
	}
	_, err = r.fetch(ctx, q, &a)
	return a, err
}
