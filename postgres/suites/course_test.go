//go:build unix

package suites

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
)

// course is what a feed tells.
type course struct {
	at             uint64
	expired, idled map[string]int
	appended       map[string]uint64
	disorder       string // the first
}

// follow reads the feed until everything due was handled.
func follow(t *testing.T, acme *seshat.Tenant, due int) *course {
	t.Helper()
	c := &course{expired: map[string]int{}, idled: map[string]int{}, appended: map[string]uint64{}}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for len(c.expired) < due || len(c.idled) < due {
		c.read(ctx, t, acme)
	}
	return c
}

// read reads what is new of the feed.
func (c *course) read(ctx context.Context, t *testing.T, acme *seshat.Tenant) {
	t.Helper()
	for {
		page, _, err := acme.Events(ctx, c.at, seshat.MaxEvents)
		if err != nil {
			t.Fatalf("%v after %d of the expired and %d of the idle", err, len(c.expired), len(c.idled))
		}
		for _, e := range page {
			c.take(e)
		}
		if len(page) == 0 {
			return
		}
	}
}

func (c *course) take(e seshat.Event) {
	if c.at++; e.Position != c.at && c.disorder == "" {
		c.disorder = fmt.Sprintf("event %d has position %d", c.at, e.Position)
	}
	switch e.Kind {
	case seshat.EventExpired:
		c.expired[e.SessionID]++
	case seshat.EventTransitioned:
		c.idled[e.SessionID]++
	case seshat.EventAppended:
		c.appended[e.SessionID]++
		if e.LastSeq != c.appended[e.SessionID] && c.disorder == "" {
			c.disorder = fmt.Sprintf("message %d of %s comes as number %d", e.LastSeq, e.SessionID,
				c.appended[e.SessionID])
		}
	}
}

// verify reads the rest, and expects each due session once and each message of
// the writers in its place.
func (c *course) verify(t *testing.T, acme *seshat.Tenant, due int, total swept) {
	t.Helper()
	c.read(t.Context(), t, acme)
	if c.disorder != "" {
		t.Error(c.disorder)
	}
	for what, handled := range map[string]map[string]int{"expired": c.expired, "fell idle": c.idled} {
		if len(handled) != due {
			t.Errorf("%d sessions %s, want %d", len(handled), what, due)
		}
		for id, n := range handled {
			if n != 1 {
				t.Errorf("session %s %s %d times", id, what, n)
			}
		}
	}
	for i, n := range total.Appended {
		s, err := acme.Get(t.Context(), fmt.Sprint("busy", i))
		if err != nil {
			t.Fatal(err)
		}
		if s.MessageCount != uint64(n) || c.appended[s.ID] != uint64(n) {
			t.Errorf("%s has %d messages and %d events, %d appends were acknowledged", s.ID, s.MessageCount,
				c.appended[s.ID], n)
		}
	}
}
