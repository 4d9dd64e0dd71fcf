package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/seshatdb/seshat"
)

// listBody is the body of a list request.
type listBody struct {
	Status  []seshat.Status `json:"status,omitempty"`
	Filters listFilters     `json:"filters"`
	Sort    listSort        `json:"sort"`
}

type listFilters struct {
	UserID       string            `json:"user_id,omitempty"`
	Labels       map[string]string `json:"labels,omitempty"`
	CreatedAt    listRange         `json:"created_at"`
	LastActivity listRange         `json:"last_activity_at"`
}

type listRange struct {
	From *time.Time `json:"from,omitempty"`
	To   *time.Time `json:"to,omitempty"`
}

type listSort struct {
	Field     string `json:"field"`
	Direction string `json:"direction"`
}

func newListBody(q seshat.Query) listBody {
	some := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		t = t.UTC()
		return &t
	}
	b := listBody{
		Status: q.Statuses,
		Filters: listFilters{
			UserID: q.UserID, Labels: q.Labels,
			CreatedAt:    listRange{some(q.CreatedFrom), some(q.CreatedTo)},
			LastActivity: listRange{some(q.ActiveFrom), some(q.ActiveTo)},
		},
		Sort: listSort{Field: "created_at", Direction: "desc"},
	}
	if q.Order == seshat.OrderByActivity {
		b.Sort.Field = "last_activity_at"
	}
	if q.OldestFirst {
		b.Sort.Direction = "asc"
	}
	return b
}

// List returns a page of sessions.
func (r *remote) List(ctx context.Context, q seshat.Query) (page, error) {
	var out struct {
		Results    []session `json:"results"`
		Pagination struct {
			NextCursor string `json:"next_cursor"`
		} `json:"pagination"`
	}
	query := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	if q.Cursor != "" {
		query.Set("cursor", q.Cursor)
	}
	_, err := r.fetch(ctx, request{
		method: http.MethodPost, path: sessionsPath + "/list", query: query, body: newListBody(q),
	}, &out)
	return page{sessions: out.Results, next: out.Pagination.NextCursor}, err
}
