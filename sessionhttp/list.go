package sessionhttp

import (
	"context"
	"net/http"
	"strconv"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonin"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonout"
)

// Limits of a list.
const (
	defaultListLimit = 50
	maxOffset        = 10_000
	maxSkipped       = 100_000 // index entries that the skip of an offset may read
)

// listing is a parsed list request.
type listing struct {
	seshat.Query
	offset int
	total  bool
}

// list answers POST /v1/agents/sessions/list.
func (x *exchange) list() error {
	l, err := x.listing()
	if err != nil {
		return err
	}
	ctx := x.r.Context()
	limit := l.Limit
	more, err := x.skip(ctx, l)
	if err != nil {
		return err
	}
	var page seshat.Page
	if l.Limit = limit; more {
		if page, err = x.t.List(ctx, l.Query); err != nil {
			return err
		}
	}
	if err := x.appendPage(&page, limit); err != nil {
		return err
	}
	if l.total {
		n, err := x.t.Count(ctx, l.Query)
		if err != nil {
			return err
		}
		x.out = jsonout.Uint(append(x.out, `,"total":`...), n)
	} else {
		x.out = append(x.out, `,"total":null`...)
	}
	x.out = append(x.out, '}')
	return x.reply(http.StatusOK)
}

// skip moves the cursor past the offset and reports whether sessions follow.
func (x *exchange) skip(ctx context.Context, l *listing) (bool, error) {
	scanned := 0
	for left := l.offset; left > 0; {
		l.Limit = min(left, seshat.MaxPage)
		page, err := x.t.List(ctx, l.Query)
		if err != nil {
			return false, err
		}
		left -= len(page.Sessions)
		if l.Cursor = page.NextCursor; l.Cursor == "" {
			return false, nil
		}
		if scanned += page.Scanned; scanned > maxSkipped {
			var ps problems
			ps.add("offset", "skips too many sessions with these filters; use cursor")
			return false, ps.err()
		}
	}
	return true, nil
}

func (x *exchange) appendPage(page *seshat.Page, limit int) (err error) {
	b := append(x.out, `{"results":[`...)
	for i, s := range page.Sessions {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendSession(b, s); err != nil {
			return err
		}
	}
	b = strconv.AppendInt(append(b, `],"pagination":{"limit":`...), int64(limit), 10)
	b = jsonout.OptText(append(b, `,"next_cursor":`...), page.NextCursor)
	b = strconv.AppendBool(append(b, `,"has_more":`...), page.NextCursor != "")
	x.out = append(b, '}')
	return nil
}

// listing parses the query and the body.
func (x *exchange) listing() (*listing, error) {
	q, err := x.queryOf()
	if err != nil {
		return nil, err
	}
	f, err := x.optionalForm()
	if err != nil {
		return nil, err
	}
	q.problems = f.problems
	l := &listing{offset: q.int("offset", 0, maxOffset, 0), total: q.flag("include_total")}
	l.Limit = q.int("limit", 1, seshat.MaxPage, defaultListLimit)
	if l.Cursor = q.values.Get("cursor"); l.Cursor != "" && l.offset > 0 {
		q.add("offset", "cannot be combined with cursor")
	}
	l.Statuses = f.statuses()
	if filters := f.child("filters"); filters != nil {
		filters.filters(&l.Query)
	}
	if sort := f.child("sort"); sort != nil {
		sort.sort(&l.Query)
	}
	f.done()
	return l, f.err()
}

// statuses reads one status or an array of them.
func (f *form) statuses() (out []seshat.Status) {
	v := f.take("status")
	switch {
	case v == nil || v.Kind() == jsonin.Null:
	case v.Kind() == jsonin.Array:
		for _, name := range f.texts("status", len(seshat.Statuses())) {
			out = append(out, f.status("status", name))
		}
	default:
		out = append(out, f.status("status", f.text("status", seshat.MaxNameBytes)))
	}
	return out
}

func (f *form) filters(q *seshat.Query) {
	q.UserID = f.name("user_id")
	q.Labels = f.labels("labels")
	if r := f.child("created_at"); r != nil {
		q.CreatedFrom, q.CreatedTo = r.time("from"), r.time("to")
		r.done()
	}
	if r := f.child("last_activity_at"); r != nil {
		q.ActiveFrom, q.ActiveTo = r.time("from"), r.time("to")
		r.done()
	}
	f.done()
}

func (f *form) sort(q *seshat.Query) {
	switch f.text("field", seshat.MaxNameBytes) {
	case "", "created_at":
	case "last_activity_at":
		q.Order = seshat.OrderByActivity
	default:
		f.add(f.path+"field", "must be created_at or last_activity_at")
	}
	switch f.text("direction", seshat.MaxNameBytes) {
	case "", "desc":
	case "asc":
		q.OldestFirst = true
	default:
		f.add(f.path+"direction", "must be asc or desc")
	}
	f.done()
}
