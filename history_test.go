package seshat_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/seshattest"
)

// damagedMessage is an engine that reports one message as damaged.
type damagedMessage struct {
	*memdriver.Driver
	seq uint64
}

func (d damagedMessage) Messages(ctx context.Context, q driver.LogQuery) ([]driver.Message, error) {
	all, err := d.Driver.Messages(ctx, q)
	for _, m := range all {
		if m.Seq == d.seq {
			return nil, fmt.Errorf("message %d: %w", m.Seq, driver.ErrCorrupt)
		}
	}
	return all, err
}

// Promise: a damaged message fails only the pages that contain it. It does not
// fail a page that it only follows, although it tells that page that there are
// more messages.
func TestDamageFailsOnlyThePageThatHoldsIt(t *testing.T) {
	tn := seshattest.OpenDriver(t, damagedMessage{memdriver.Open(), 4}).MustTenant(t, "t")
	seshattest.MustCreate(t, tn, seshat.NewSession{ID: "s"})
	for range 6 {
		must(t, only(tn.Append(t.Context(), "s", hello)))
	}
	for _, c := range []struct {
		q    seshat.HistoryQuery
		want int // 0 = ErrCorrupt
	}{
		{seshat.HistoryQuery{Limit: 2}, 2},
		{seshat.HistoryQuery{Limit: 3}, 3},
		{seshat.HistoryQuery{Limit: 4}, 0},
		{seshat.HistoryQuery{Last: 2}, 2},
		{seshat.HistoryQuery{Last: 3}, 0},
		{seshat.HistoryQuery{Last: 2, AppendedAfter: seshattest.Start.AddDate(-1, 0, 0)}, 2},
	} {
		page, err := tn.History(t.Context(), "s", c.q)
		if c.want == 0 {
			if !errors.Is(err, seshat.ErrCorrupt) {
				t.Errorf("%+v: got error %v, want %v", c.q, err, seshat.ErrCorrupt)
			}
			continue
		}
		if err != nil || len(page.Messages) != c.want || !page.More {
			t.Errorf("%+v: got %d messages, more: %t, error %v", c.q, len(page.Messages), page.More, err)
		}
	}
	read := 0
	var err error
	for _, err = range tn.Messages(t.Context(), "s", seshat.HistoryQuery{}) {
		if err == nil {
			read++
		}
	}
	if !errors.Is(err, seshat.ErrCorrupt) || read != 0 {
		t.Errorf("an iteration over the damage gave %d messages and error %v", read, err)
	}
}

// counted is a store in a file that counts the reads and writes of calls.
type counted struct {
	*testing.T
	s  *seshat.Store
	tn *seshat.Tenant
}

func newCounted(t *testing.T) *counted {
	t.Helper()
	d, err := boltdriver.Open(filepath.Join(t.TempDir(), "seshat.db"), boltdriver.Options{CountReads: true})
	must(t, err)
	s := seshattest.OpenDriver(t, d)
	return &counted{T: t, s: s.Store, tn: s.MustTenant(t, "t")}
}

// fill creates a session with n messages.
func (c *counted) fill(id string, n int) {
	c.Helper()
	seshattest.MustCreate(c.T, c.tn, seshat.NewSession{ID: id})
	for n > 0 {
		turn := make([]seshat.Message, min(n, 250))
		for i := range turn {
			turn[i] = seshat.Message{Role: seshat.RoleUser, Content: "This is what a user may say in a message."}
		}
		if _, err := c.tn.Append(context.Background(), id, turn...); err != nil {
			c.Fatal(err)
		}
		n -= len(turn)
	}
}

// cost returns the reads and writes of fn.
func (c *counted) cost(fn func() error) driver.Stats {
	c.Helper()
	stats := func() driver.Stats {
		st, err := c.s.Stats(context.Background())
		if err != nil {
			c.Fatal(err)
		}
		return st.Engine
	}
	idle := stats()
	before := stats()
	own := before.KeysRead - idle.KeysRead // the reads of Stats itself
	if err := fn(); err != nil {
		c.Fatal(err)
	}
	after := stats()
	return driver.Stats{
		KeysRead:     after.KeysRead - before.KeysRead - own,
		PagesRead:    after.PagesRead - before.PagesRead,
		PagesWritten: after.PagesWritten - before.PagesWritten,
	}
}

func TestReadingTwentyOfManyMessagesCostsTwenty(t *testing.T) {
	c := newCounted(t)
	c.fill("small", 100)
	c.fill("large", 5000)
	ctx := context.Background()
	for name, q := range map[string]seshat.HistoryQuery{
		"last":          {Last: 20},
		"newest first":  {NewestFirst: true, Limit: 20},
		"oldest first":  {Limit: 20},
		"in the middle": {FromSeq: 50, Limit: 20},
		"a budget":      {TokenBudget: 20 * 11},
	} {
		read := func(id string) driver.Stats {
			return c.cost(func() error {
				page, err := c.tn.History(ctx, id, q)
				if err == nil && len(page.Messages) != 20 {
					t.Fatalf("%s: %d messages", name, len(page.Messages))
				}
				return err
			})
		}
		small, large := read("small"), read("large")
		if large.KeysRead > small.KeysRead+3 || small.KeysRead > 20+20 {
			t.Errorf("%s: %d keys of 100 messages, %d of 5000", name, small.KeysRead, large.KeysRead)
		}
		if large.PagesRead > small.PagesRead+3 {
			t.Errorf("%s: %d pages of 100 messages, %d of 5000", name, small.PagesRead, large.PagesRead)
		}
	}
}

// Seeking the first message after a moment reads only a few messages.
func TestReadingAfterAMomentSeeks(t *testing.T) {
	c := newCounted(t)
	c.fill("s", 5000)
	got := c.cost(func() error {
		q := seshat.HistoryQuery{AppendedAfter: seshattest.Start, Limit: 5}
		page, err := c.tn.History(context.Background(), "s", q)
		if len(page.Messages) != 0 {
			t.Fatalf("%d messages were appended after the clock stood still", len(page.Messages))
		}
		return err
	})
	if got.KeysRead > 60 {
		t.Errorf("%d keys were read", got.KeysRead)
	}
}

func TestAppendToALargeSessionWritesWhatOneToASmallOneDoes(t *testing.T) {
	c := newCounted(t)
	c.fill("large", 5000)
	c.fill("small", 10)
	write := func(id string) uint64 {
		least := ^uint64(0) // splits of pages and of the free list come now and then
		for range 5 {
			n := c.cost(func() error {
				_, err := c.tn.Append(context.Background(), id, seshat.Message{Role: seshat.RoleUser, Content: "hello"})
				return err
			})
			least = min(least, n.PagesWritten)
		}
		return least
	}
	small, large := write("small"), write("large")
	if large > small+3 {
		t.Errorf("an append writes %d pages at 10 messages, %d at 5000", small, large)
	}
}

// puts records the records that are put.
type puts struct {
	*memdriver.Driver
	all []driver.Record
}

func (p *puts) Mutate(ctx context.Context, ops ...*driver.Op) error {
	for _, o := range ops {
		plan := o.Plan
		o.Plan = func(v driver.View) (driver.Change, error) {
			c, err := plan(v)
			if err == nil && c.Put != nil {
				p.all = append(p.all, *c.Put)
			}
			return c, err
		}
	}
	return p.Driver.Mutate(ctx, ops...)
}

// An append moves only the index entry of the last activity. Although the
// deadline slides, the due entry stays where it is filed.
func TestAppendMovesNoIndexEntryThatNeedNotBe(t *testing.T) {
	p := &puts{Driver: memdriver.Open()}
	s := seshattest.OpenDriver(t, p)
	tn := s.MustTenant(t, "t")
	seshattest.MustCreate(t, tn, seshat.NewSession{ID: "s"})
	for _, d := range []time.Duration{0, time.Second, time.Minute, time.Hour, 59 * time.Second} {
		s.Clock.Advance(d)
		if _, err := tn.Append(context.Background(), "s", seshat.Message{Role: seshat.RoleUser}); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.all) != 6 {
		t.Fatalf("%d records were put by a creation and 5 appends", len(p.all))
	}
	first := p.all[0]
	for i, r := range p.all[1:] {
		if r.Due != first.Due || r.Created != first.Created || r.Status != first.Status || r.UserID != first.UserID {
			t.Errorf("append %d moved an index entry: %+v, created as %+v", i, r, first)
		}
		if i > 0 && r.Expires <= first.Expires {
			t.Errorf("append %d did not slide the deadline", i)
		}
	}
	for i, minute := range []int64{0, 0, 0, 1, 61, 62} {
		if got := p.all[i].ActiveMinute - seshattest.Start.Unix()/60; got != minute {
			t.Errorf("put %d is listed at minute %d, want %d", i, got, minute)
		}
	}
}
