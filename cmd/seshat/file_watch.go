package main

import (
	"context"
	"iter"

	"github.com/seshatdb/seshat"
)

// Watch returns the retained events after a position. It waits for new ones
// only in a database, because nobody else can write to a file that this process
// has open.
func (s *fileSessions) Watch(ctx context.Context, since uint64, wait bool) iter.Seq2[seshat.Event, error] {
	if wait && s.file.at.database() {
		return s.t.Watch(ctx, since)
	}
	return func(yield func(seshat.Event, error) bool) {
		for {
			events, head, err := s.t.Events(ctx, since, seshat.MaxEvents)
			if err != nil {
				yield(seshat.Event{}, err)
				return
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
				since = e.Position
			}
			if since >= head || len(events) == 0 {
				return
			}
		}
	}
}
