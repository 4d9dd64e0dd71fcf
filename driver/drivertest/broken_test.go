package drivertest

import (
	"context"
	"slices"
	"sync"

	"github.com/seshatdb/seshat/driver"
)

// Each driver below breaks one promise of a read.

// skipping omits the last record of a full page.
type skipping struct{ driver.Driver }

func (b skipping) List(ctx context.Context, q driver.Query) (driver.Page, error) {
	p, err := b.Driver.List(ctx, q)
	if n := len(p.Records); p.Next != nil && n > 1 && n == q.Limit {
		p.Records = p.Records[:n-1]
	}
	return p, err
}

// undead shows expired records.
type undead struct{ driver.Driver }

func (b undead) Get(ctx context.Context, k driver.Key, now int64, into *driver.Record) error {
	return b.Driver.Get(ctx, k, -1, into)
}

// lingering shows records for one millisecond after they expire.
type lingering struct{ driver.Driver }

func (b lingering) List(ctx context.Context, q driver.Query) (driver.Page, error) {
	q.Now--
	return b.Driver.List(ctx, q)
}

// overcounting counts expired records.
type overcounting struct{ driver.Driver }

func (b overcounting) Count(ctx context.Context, q driver.Query) (driver.Usage, error) {
	q.Now = 0
	return b.Driver.Count(ctx, q)
}

// unmoved lists a session under the first user that it ever had.
type unmoved struct {
	driver.Driver
	mu    *sync.Mutex
	users map[driver.Key]string
}

func (b unmoved) Mutate(ctx context.Context, ops ...*driver.Op) error {
	return around(ctx, b.Driver, ops, func(o *driver.Op) planFunc {
		return func(v driver.View) (driver.Change, error) {
			c, err := o.Plan(v)
			b.mu.Lock()
			defer b.mu.Unlock()
			if _, ok := b.users[o.Target.Key]; !ok && c.Put != nil && err == nil {
				b.users[o.Target.Key] = c.Put.UserID
			}
			return c, err
		}
	})
}

func (b unmoved) List(ctx context.Context, q driver.Query) (driver.Page, error) {
	user := q.UserID
	q.UserID = ""
	p, err := b.Driver.List(ctx, q)
	b.mu.Lock()
	defer b.mu.Unlock()
	p.Records = slices.DeleteFunc(p.Records, func(r driver.Record) bool { return user != "" && b.users[r.Key] != user })
	return p, err
}

// unordered reverses the order of ties.
type unordered struct{ driver.Driver }

func (b unordered) List(ctx context.Context, q driver.Query) (driver.Page, error) {
	p, err := b.Driver.List(ctx, q)
	for i := 1; i < len(p.Records); i++ {
		if p.Records[i-1].Created == p.Records[i].Created && q.Order == driver.ByCreated {
			p.Records[i-1], p.Records[i] = p.Records[i], p.Records[i-1]
			break
		}
	}
	return p, err
}

// lenient accepts a record that matches one of several labels.
type lenient struct{ driver.Driver }

func (b lenient) List(ctx context.Context, q driver.Query) (driver.Page, error) {
	q.Labels = q.Labels[:min(len(q.Labels), 1)]
	return b.Driver.List(ctx, q)
}

// sharing returns the same memory to every caller.
type sharing struct {
	driver.Driver
	mu   *sync.Mutex
	seen map[uint64][]driver.Message
}

func (b sharing) Messages(ctx context.Context, q driver.LogQuery) ([]driver.Message, error) {
	ms, err := b.Driver.Messages(ctx, q)
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.seen[q.Namespace]
	for i := range ms {
		if i < len(old) && old[i].ID == ms[i].ID && len(old[i].Body) == len(ms[i].Body) {
			ms[i].Body = old[i].Body
		}
	}
	b.seen[q.Namespace] = slices.Clone(ms)
	return ms, err
}

// forgetful does not report which events were trimmed.
type forgetful struct{ driver.Driver }

func (b forgetful) Feed(ctx context.Context, q driver.FeedQuery) (driver.Feed, error) {
	f, err := b.Driver.Feed(ctx, q)
	if err == driver.ErrLagged {
		q.After = f.Tail
		return b.Driver.Feed(ctx, q)
	}
	return f, err
}

// repeating starts a page with the last entry of the page before.
type repeating struct{ driver.Driver }

func (b repeating) Due(ctx context.Context, q driver.DueQuery) ([]driver.Due, error) {
	due, err := b.Driver.Due(ctx, q)
	if q.After != nil && len(due) > 0 && len(due) < q.Limit {
		due = slices.Insert(due, 0, *q.After)
	}
	return due, err
}

// hoarding never removes staged logs.
type hoarding struct{ driver.Driver }

func (b hoarding) Reclaim(ctx context.Context, now int64, limit int) (driver.Reclaimed, error) {
	return b.Driver.Reclaim(ctx, 0, limit)
}

// silent loses the totals of erasures.
type silent struct{ driver.Driver }

func (b silent) Reclaim(ctx context.Context, now int64, limit int) (driver.Reclaimed, error) {
	r, err := b.Driver.Reclaim(ctx, now, limit)
	r.Erased = nil
	return r, err
}

// valueless treats an empty value as a deletion.
type valueless struct{ driver.Driver }

func (b valueless) Entries(ctx context.Context, q driver.EntryQuery) ([]driver.Entry, error) {
	es, err := b.Driver.Entries(ctx, q)
	return slices.DeleteFunc(es, func(e driver.Entry) bool { return len(e.Value) == 0 }), err
}

// tireless keeps working after Close.
type tireless struct{ driver.Driver }

func (b tireless) Close() error { return nil }

// hasty closes without waiting for running calls.
type hasty struct{ driver.Driver }

func (b hasty) Close() error {
	go b.Driver.Close()
	return nil
}

// stubborn ignores its context.
type stubborn struct{ driver.Driver }

func (b stubborn) Get(ctx context.Context, k driver.Key, now int64, into *driver.Record) error {
	return b.Driver.Get(context.WithoutCancel(ctx), k, now, into)
}

// late returns stale answers for a while after a write.
type late struct {
	driver.Driver
	mu   *sync.Mutex
	seen map[driver.Key]*driver.Record
}

func (b late) Get(ctx context.Context, k driver.Key, now int64, into *driver.Record) error {
	err := b.Driver.Get(ctx, k, now, into)
	b.mu.Lock()
	defer b.mu.Unlock()
	if old := b.seen[k]; err == nil && old != nil && old.Version+1 == into.Version &&
		into.Incarnation == old.Incarnation {
		b.seen[k] = nil
		*into = *cloneRecord(old)
		return nil
	}
	if err == nil {
		b.seen[k] = cloneRecord(into)
	}
	return err
}
