package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// watchTimeout is the time after which a feed without readers is no longer
// polled. Its watchers are then woken, and read it again if they still wait.
const watchTimeout = 5 * time.Minute

// watchedFeeds has the feeds to poll: those read within watchTimeout.
type watchedFeeds struct {
	mu    sync.Mutex // guards heads
	heads map[uint64]*watchedFeed
}

type watchedFeed struct {
	head     uint64
	lastRead time.Time
}

// markRead records that a feed is read.
func (w *watchedFeeds) markRead(ns uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.heads == nil {
		w.heads = make(map[uint64]*watchedFeed)
	}
	if w.heads[ns] == nil {
		w.heads[ns] = &watchedFeed{}
	}
	w.heads[ns].lastRead = time.Now()
}

// setHead records the newest position of a feed and reports whether it is new.
func (w *watchedFeeds) setHead(ns, head uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.heads[ns]
	if f == nil || f.head == head {
		return false
	}
	f.head = head
	return true
}

// feedsToPoll returns the feeds to poll, and the feeds that it dropped.
func (w *watchedFeeds) feedsToPoll() (look []int64, forgotten []uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ns, f := range w.heads {
		if time.Since(f.lastRead) > watchTimeout {
			delete(w.heads, ns)
			forgotten = append(forgotten, ns)
			continue
		}
		look = append(look, int64(ns))
	}
	return look, forgotten
}

// Notify polls the watched feeds with one statement every Options.PollEvery.
// See driver.Notifier.
func (d *Driver) Notify(fn func(namespace uint64)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closing {
		return
	}
	d.running.Add(1)
	go func() {
		defer d.running.Done()
		d.poll(fn)
	}()
}

func (d *Driver) poll(fn func(uint64)) {
	tick := time.NewTicker(d.o.PollEvery)
	defer tick.Stop()
	for failed := false; ; {
		select {
		case <-d.ended.Done():
			return
		case <-tick.C:
		}
		err := d.pollFeeds(fn)
		if failed && err == nil {
			fn(0)
		}
		failed = err != nil
	}
}

// The newest position of a feed is the one in {spaces} plus the number of
// pending events.
const (
	selectHeads = `select namespace, head from {spaces} where namespace = any($1)`
	selectNews  = selectHeads + `
	union all select namespace, count(kind) from {pending} where namespace = any($1) group by namespace`
)

// pollFeeds calls fn for each feed that has changed since the last poll.
func (d *Driver) pollFeeds(fn func(uint64)) error {
	look, forgotten := d.feeds.feedsToPoll()
	for _, ns := range forgotten {
		fn(ns)
	}
	if len(look) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(d.ended, d.o.CommitTimeout)
	defer cancel()
	sql := selectNews
	if d.caps.ReadOnly {
		sql = selectHeads // like Feed
	}
	rows, err := d.pool.Query(ctx, d.text(sql), look)
	if err != nil {
		return err
	}
	heads := make(map[int64]int64, len(look))
	var ns, head int64
	if _, err := pgx.ForEachRow(rows, []any{&ns, &head}, func() error {
		heads[ns] += head
		return nil
	}); err != nil {
		return err
	}
	for _, ns := range look {
		if d.feeds.setHead(uint64(ns), uint64(heads[ns])) {
			fn(uint64(ns))
		}
	}
	return nil
}
