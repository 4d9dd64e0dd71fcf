package backup

import (
	"context"
	"fmt"
	"os"

	"github.com/seshatdb/seshat"
)

// bounds are the least and the greatest number of turns that a copy of each log
// may have.
type bounds struct{ least, most [writers]uint64 }

// take makes a copy at path during writes.
func (l *load) take(ctx context.Context, s *seshat.Store, path string) (b bounds, err error) {
	f, err := os.Create(path)
	if err != nil {
		return b, err
	}
	defer f.Close()
	for w := range writers {
		b.least[w] = l.acked[w].Load()
	}
	if _, err := s.Backup(ctx, f); err != nil {
		return b, err
	}
	for w := range writers {
		b.most[w] = l.begun[w].Load()
	}
	return b, f.Close()
}

// inspect returns the fault of a copy, or "".
func inspect(ctx context.Context, path string, o seshat.Options, b bounds) string {
	if _, err := seshat.Verify(ctx, path); err != nil {
		return fmt.Sprintf("Verify: %v", err)
	}
	o.ReadOnly = true
	s, err := seshat.Open(path, o)
	if err != nil {
		return fmt.Sprintf("Open: %v", err)
	}
	defer func() { _ = s.Close() }()
	t, err := s.Tenant(ctx, seshat.Namespace{Name: "t"})
	if err != nil {
		return fmt.Sprintf("Tenant: %v", err)
	}
	told, bad := replay(ctx, t)
	if bad != "" {
		return bad
	}
	n := 0
	for got, err := range t.Sessions(ctx, seshat.Query{}) {
		if err != nil {
			return fmt.Sprintf("Sessions: %v", err)
		}
		n++
		if bad := agree(ctx, t, got, told[got.ID]); bad != "" {
			return bad
		}
	}
	if n != len(told) {
		return fmt.Sprintf("%d sessions, %d by the feed", n, len(told))
	}
	for w := range writers {
		if last := told[logOf(w)].LastSeq; last < b.least[w] || last > b.most[w] {
			return fmt.Sprintf("%q has %d turns, want %d to %d", logOf(w), last, b.least[w], b.most[w])
		}
	}
	return ""
}

// replay returns the last event of each session that exists according to the
// feed.
func replay(ctx context.Context, t *seshat.Tenant) (map[string]seshat.Event, string) {
	told := map[string]seshat.Event{}
	since := uint64(0)
	for {
		events, head, err := t.Events(ctx, since, seshat.MaxEvents)
		if err != nil {
			return nil, fmt.Sprintf("Events: %v", err)
		}
		for _, e := range events {
			if since++; e.Position != since {
				return nil, fmt.Sprintf("event %d follows %d", e.Position, since-1)
			}
			if told[e.SessionID] = e; e.Kind == seshat.EventDeleted {
				delete(told, e.SessionID)
			}
		}
		if since == head {
			return told, ""
		}
	}
}

// agree compares a session and its log with the session's last event.
func agree(ctx context.Context, t *seshat.Tenant, s *seshat.Session, e seshat.Event) string {
	if s.Version != e.Version || s.LastSeq != e.LastSeq || s.Status != e.Status || !s.UpdatedAt.Equal(e.Time) {
		return fmt.Sprintf("%v is at %d/%d %v, by the feed at %d/%d %v", s, s.Version, s.LastSeq, s.Status, e.Version,
			e.LastSeq, e.Status)
	}
	seq := uint64(0)
	for m, err := range t.Messages(ctx, s.ID, seshat.HistoryQuery{}) {
		if err != nil {
			return fmt.Sprintf("Messages of %v: %v", s, err)
		}
		if seq++; m.Seq != seq {
			return fmt.Sprintf("message %d of %v follows %d", m.Seq, s, seq-1)
		}
	}
	if seq != s.LastSeq {
		return fmt.Sprintf("%v has %d of %d messages", s, seq, s.LastSeq)
	}
	return ""
}
