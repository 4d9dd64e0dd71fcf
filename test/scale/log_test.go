package scale

import (
	"context"
	"fmt"
	"testing"

	"github.com/seshatdb/seshat"
)

// Reading the end of a long log costs as much as reading the end of a short
// log.
func TestReadsDoNotGrowWithTheLog(t *testing.T) {
	w := newWorld(t, 1, 1, nil)
	tn := w.tenants[0]
	ctx := context.Background()
	for id, n := range map[string]int{"short": 100, "long": size(5000, 50_000)} {
		_, err := tn.Create(ctx, seshat.NewSession{ID: id})
		must(t, err)
		for i := range n / 100 {
			turn := make([]seshat.Message, 100)
			for j := range turn {
				turn[j] = seshat.Message{
					ID: fmt.Sprint(i*100 + j), Role: seshat.RoleUser,
					Content: fmt.Sprintf("message %06d", i*100+j),
				}
			}
			_, err := tn.Append(ctx, id, turn...)
			must(t, err)
		}
	}
	last := func(id string) func() {
		return func() {
			for range hotSessions {
				page, err := tn.History(ctx, id, seshat.HistoryQuery{Last: 20})
				must(t, err)
				if len(page.Messages) != 20 {
					t.Fatalf("%d messages", len(page.Messages))
				}
			}
		}
	}
	a, b := w.counted(t, hotSessions, last("short")), w.counted(t, hotSessions, last("long"))
	t.Logf("the last 20 of a short log visit %.2f leaf pages and %.2f keys, of a long one %.2f and %.2f", a.pages,
		a.keys, b.pages, b.keys)
	if b.keys > a.keys+1 || b.pages > a.pages+1 {
		t.Error("the long log reads more")
	}
	compareTimes(t, last("short"), last("long"))
	compareAppends(t, w, tn)
}

// compareAppends compares the amounts that appends to a long and a short log
// write.
func compareAppends(t *testing.T, w *world, tn *seshat.Tenant) {
	t.Helper()
	const n = 20
	wrote := map[string]float64{}
	for _, id := range []string{"short", "long"} {
		before, err := w.Stats(context.Background())
		must(t, err)
		for i := range n {
			_, err := tn.Append(context.Background(), id,
				seshat.Message{ID: fmt.Sprint("new ", i), Role: seshat.RoleUser, Content: "hello"})
			must(t, err)
		}
		after, err := w.Stats(context.Background())
		must(t, err)
		wrote[id] = float64(after.Engine.PagesWritten-before.Engine.PagesWritten) / n
	}
	t.Logf("an append to a short log writes %.1f pages, to a long one %.1f", wrote["short"], wrote["long"])
	if wrote["long"] > wrote["short"]+3 { // a level of the trees of messages, ids and sessions
		t.Error("an append to the long log writes more")
	}
}
