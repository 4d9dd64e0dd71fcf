package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

// scaled is how much a test does: more if SESHAT_TEST_LONG is set.
func scaled(short, long int) int {
	if os.Getenv("SESHAT_TEST_LONG") != "" {
		return long
	}
	return short
}

// cutter cuts one of so many pieces that clients send, before or after.
func cutter(one int) func() pgserver.Cut {
	return func() pgserver.Cut {
		if rand.IntN(one) > 0 {
			return pgserver.Forward
		}
		return pgserver.CutBefore + pgserver.Cut(rand.IntN(2))
	}
}

// TestCut cuts connections at random while writers append, create and update.
// A writer that is told ErrUnknown repeats the call by its ids, or looks at the
// version, and so everything happens once. An error other than ErrUnknown means
// that nothing happened.
func TestCut(t *testing.T) {
	p := proxied(t)
	dsn, name := database(t), schemas.Get(t, database(t), 0)
	store := storeOn(t, p.DSN(), postgres.Options{Schema: name, MaxConns: 8})
	tenant, err := store.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	const writers = 8
	commits := scaled(600, 10_000)
	var unknown atomic.Int64
	p.Decide(cutter(20))
	var done sync.WaitGroup
	for i := range writers {
		done.Add(1)
		go func() {
			defer done.Done()
			w := cutWriter{t: t, tenant: tenant, id: fmt.Sprintf("w%d", i), unknown: &unknown}
			w.run(commits / writers / 2)
		}()
	}
	done.Wait()
	p.Decide(nil)
	t.Logf("%d of %d commits were of unknown outcome", unknown.Load(), commits)
	if unknown.Load() == 0 {
		t.Error("no cut met a commit")
	}
	audit(t, open(t, dsn, postgres.Options{Schema: name}))
}

// storeOn opens a store that does not sweep.
func storeOn(t *testing.T, dsn string, o postgres.Options) *seshat.Store {
	t.Helper()
	s, err := seshat.OpenDriver(open(t, dsn, o), seshat.Options{SweepEvery: seshat.Never})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// audit expects that all that is kept twice agrees.
func audit(t *testing.T, d driver.Checker) {
	t.Helper()
	got, err := d.Check(context.Background(), 10, driver.Visitor{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range got.Findings {
		t.Errorf("Check found at %s: %s", f.Where, f.What)
	}
}

// cutWriter is the only writer of one session.
type cutWriter struct {
	t       *testing.T
	tenant  *seshat.Tenant
	id      string
	unknown *atomic.Int64
}

// maybe reports whether a failed call may have happened, and counts.
func (w *cutWriter) maybe(err error) bool {
	if errors.Is(err, seshat.ErrUnknown) {
		w.unknown.Add(1)
		return true
	}
	return false
}

func (w *cutWriter) run(rounds int) {
	w.create()
	for i := range rounds {
		w.append(fmt.Sprintf("m%d", i))
		w.update(uint64(i + 2))
	}
	w.verify(rounds)
}

// verify expects each message once, in its place.
func (w *cutWriter) verify(rounds int) {
	for seen := 0; seen < rounds; {
		page, err := w.tenant.History(w.t.Context(), w.id, seshat.HistoryQuery{FromSeq: uint64(seen + 1)})
		if err != nil {
			continue // the reader's connections are cut too
		}
		for _, m := range page.Messages {
			if m.ID != fmt.Sprintf("m%d", seen) {
				w.t.Errorf("message %d of %s is %s", seen, w.id, m.ID)
				return
			}
			seen++
		}
		if len(page.Messages) == 0 {
			w.t.Errorf("%d messages of %d", seen, rounds)
			return
		}
	}
	s, err := w.tenant.Get(w.t.Context(), w.id)
	for err != nil {
		s, err = w.tenant.Get(w.t.Context(), w.id)
	}
	if s.MessageCount != uint64(rounds) {
		w.t.Errorf("%d messages, want %d", s.MessageCount, rounds)
	}
}

func (w *cutWriter) create() {
	for may := false; ; {
		_, err := w.tenant.Create(w.t.Context(), seshat.NewSession{ID: w.id})
		if err == nil || errors.Is(err, seshat.ErrExists) && may {
			return
		}
		if errors.Is(err, seshat.ErrExists) {
			w.t.Errorf("a creation happened that failed before")
			return
		}
		may = may || w.maybe(err)
	}
}

func (w *cutWriter) append(id string) {
	for {
		_, err := w.tenant.Append(w.t.Context(), w.id, seshat.Message{ID: id, Role: seshat.RoleUser, Content: id})
		if err == nil {
			return
		}
		if errors.Is(err, seshat.ErrConflict) {
			w.t.Errorf("%s: %v", id, err)
			return
		}
		w.maybe(err)
	}
}

// update makes the session of this version.
func (w *cutWriter) update(version uint64) {
	for may := false; ; {
		s, err := w.tenant.Get(w.t.Context(), w.id)
		if err != nil {
			continue
		}
		switch {
		case s.Version == version && may:
			return
		case s.Version != version-1:
			w.t.Errorf("version %d, want %d", s.Version, version-1)
			return
		}
		_, err = w.tenant.Update(w.t.Context(), w.id, func(s *seshat.Session) error {
			s.Name = fmt.Sprint(version)
			return nil
		}, seshat.UpdateOptions{IfVersion: version - 1})
		if err == nil {
			return
		}
		may = may || w.maybe(err)
	}
}
