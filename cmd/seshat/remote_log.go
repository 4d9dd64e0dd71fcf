package main

import (
	"context"
	"encoding/json"
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

// unsentFields are the members of a message in JSON that an append request does
// not have: those that only the store sets, and the payload.
var unsentFields = []string{"seq", "appended_at", "summary", "digest", "payload"}

// messageBody returns a message in the form of an append request.
func messageBody(m seshat.Message) (map[string]json.RawMessage, error) {
	if len(m.Payload) > 0 {
		return nil, usagef("payload: the HTTP API does not accept it")
	}
	data, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(data, &body); err != nil {
		return nil, err
	}
	for _, name := range unsentFields {
		delete(body, name)
	}
	return body, nil
}

// Append appends a turn.
func (r *remote) Append(ctx context.Context, id string, turn []seshat.Message, key string) (a appended, err error) {
	bodies := make([]map[string]json.RawMessage, len(turn))
	for i, m := range turn {
		if bodies[i], err = messageBody(m); err != nil {
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
