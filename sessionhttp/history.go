package sessionhttp

import (
	"context"
	"math"
	"net/http"
	"strconv"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonout"
)

// MaxHistory is the largest page of a history, in messages.
const MaxHistory = 200

const defaultHistory = 50

// history answers GET /v1/agents/sessions/{session_id}/history.
func (x *exchange) history() error {
	q, err := x.queryOf()
	if err != nil {
		return err
	}
	limit := q.int("limit", 1, MaxHistory, defaultHistory)
	offset := q.int("offset", 0, math.MaxInt32, 0)
	if err := q.err(); err != nil {
		return err
	}
	s, err := x.t.Get(x.r.Context(), x.session)
	if err != nil {
		return err
	}
	ms, err := x.messages(x.r.Context(), s, offset, limit)
	if err != nil {
		return err
	}
	x.out = appendHistory(x.out, s, ms, offset)
	return x.reply(http.StatusOK)
}

// messages returns up to limit messages after the first offset.
func (x *exchange) messages(ctx context.Context, s *seshat.Session, offset, limit int) ([]seshat.Message, error) {
	if uint64(offset) >= s.MessageCount {
		return nil, nil
	}
	// Without gaps, sequence numbers are places.
	if s.MessageCount == s.LastSeq {
		page, err := x.t.History(ctx, s.ID, seshat.HistoryQuery{FromSeq: uint64(offset) + 1, Limit: limit})
		return page.Messages, err
	}
	var out []seshat.Message
	for m, err := range x.t.Messages(ctx, s.ID, seshat.HistoryQuery{}) {
		if err != nil {
			return nil, err
		}
		if offset--; offset >= 0 {
			continue
		}
		if out = append(out, m); len(out) == limit {
			break
		}
	}
	return out, nil
}

func appendHistory(b []byte, s *seshat.Session, ms []seshat.Message, offset int) []byte {
	b = jsonout.Text(append(b, `{"session_id":`...), s.ID)
	b = append(b, `,"messages":[`...)
	for i := range ms {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendMessage(b, &ms[i])
	}
	end := uint64(offset + len(ms))
	total := s.MessageCount
	if len(ms) > 0 {
		// Messages may have been appended since the count was read.
		total = max(total, end)
	}
	b = jsonout.Uint(append(b, `],"total_messages":`...), total)
	b = jsonout.Uint(append(b, `,"returned_messages":`...), uint64(len(ms)))
	b = strconv.AppendBool(append(b, `,"has_more":`...), len(ms) > 0 && end < total)
	return append(b, '}')
}
