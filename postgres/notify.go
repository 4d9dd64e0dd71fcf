package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// forget is the time for which a feed without readers is polled. Then its
// watchers are woken, and those that still wait read it again.
const forget = 5 * time.Minute

// watched holds the feeds that were read.
type watched struct {
	mu    sync.Mutex // guards heads
	heads map[uint64]*watchedFeed
}

type watchedFeed struct {
	head  uint64
	asked time.Time
}

// asked records that a feed is read.
func (w *watched) asked(ns uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.heads == nil {
		w.heads = make(map[uint64]*watchedFeed)
	}
	if w.heads[ns] == nil {
		w.heads[ns] = &watchedFeed{}
	}
	w.heads[ns].asked = time.Now()
}

// seen records the newest position of a feed and reports whether it is new.
func (w *watched) seen(ns, head uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.heads[ns]
	if f == nil || f.head == head {
		return false
	}
	f.head = head
	return true
}

// list returns the feeds to poll, and the feeds that it dropped.
func (w *watched) list() (look []int64, forgotten []uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ns, f := range w.heads {
		if time.Since(f.asked) > forget {
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
		err := d.look(fn)
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

// look calls fn for each feed that has changed since the last poll.
func (d *Driver) look(fn func(uint64)) error {
	look, forgotten := d.feeds.list()
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
		if d.feeds.seen(uint64(ns), uint64(heads[ns])) {
			fn(uint64(ns))
		}
	}
	return nil
}
