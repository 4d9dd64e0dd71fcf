package seshat

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// feedsPerSweep is how many feeds one sweep looks at for events that are too old,
// each namespace's in its turn, so that a sweep's cost does not grow with the
// store.
const feedsPerSweep = 64

// trimFeeds removes events older than Options.FeedAge from some feeds.
func (w *sweepRun) trimFeeds(ctx context.Context) error {
	s := w.s
	if s.opts.FeedAge == Never {
		return nil
	}
	before := s.clock.Read() - rules.Millis(s.opts.FeedAge)
	page, err := s.d.Entries(ctx, driver.EntryQuery{Kind: kindNamespace, After: s.sweep.feedCursor, Limit: feedsPerSweep})
	if err != nil {
		return err
	}
	for _, e := range page {
		n, err := decodeNamespace(e.Value)
		if err == nil {
			err = w.trimFeed(ctx, n.ordinal, before)
		} else if w.r.Err == nil {
			w.r.Err, err = err, nil // the others are trimmed all the same
		}
		if err != nil {
			return err
		}
		s.sweep.feedCursor = e.Name
	}
	if len(page) < feedsPerSweep {
		s.sweep.feedCursor = "" // from the first again
	}
	return nil
}

// trimFeed removes a namespace's events up to and including that time.
func (w *sweepRun) trimFeed(ctx context.Context, ord uint64, before int64) error {
	f, err := w.s.d.Feed(ctx, driver.FeedQuery{Namespace: ord, After: math.MaxUint64, Limit: 1})
	for tail := f.Tail; err == nil && tail < f.Head; {
		start, limit := time.Now(), w.chunk
		f, err = w.s.d.Feed(ctx, driver.FeedQuery{Namespace: ord, After: tail, Limit: limit})
		if err != nil {
			break
		}
		old := slices.IndexFunc(f.Events, func(e driver.Event) bool { return e.Time > before })
		if old < 0 {
			old = len(f.Events)
		}
		if old == 0 {
			return nil
		}
		tail = f.Events[old-1].Position
		if err = w.s.trimFeed(ctx, ord, tail); err != nil {
			break
		}
		w.r.Trimmed += old
		w.r.Chunks++
		if err = w.pause(ctx, time.Since(start)); err != nil || old < limit {
			break
		}
	}
	if errors.Is(err, ErrLagged) {
		return nil // a write trimmed it meanwhile
	}
	return err
}

func (s *Store) trimFeed(ctx context.Context, ord, to uint64) error {
	return s.mutate(ctx, driver.Target{Key: driver.Key{Namespace: ord}}, func(v driver.View) (driver.Change, error) {
		if to := min(to, v.FeedHead); to > v.FeedTail {
			return driver.Change{TrimFeed: to}, nil
		}
		return driver.Change{}, nil
	})
}
