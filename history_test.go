package seshat_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
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

// Promise: a damaged message fails the pages that hold it, and no other. The
// message behind a page, which only says whether there are more, is not in it.
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
