package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/postgres"
)

// TestOpenTogether opens one empty database many times at once.
func TestOpenTogether(t *testing.T) {
	dsn := database(t)
	name := fmt.Sprintf("together_%d", time.Now().UnixNano())
	t.Cleanup(func() {
		if _, err := schemas.Admin(t, dsn).Exec(context.Background(), "drop schema "+name+" cascade"); err != nil {
			t.Error(err)
		}
	})
	var done sync.WaitGroup
	for range 8 {
		done.Add(1)
		go func() {
			defer done.Done()
			d, err := postgres.Open(t.Context(), dsn, postgres.Options{Schema: name, MaxConns: 2})
			if err != nil {
				t.Error(err)
				return
			}
			closed(t, d)
		}()
	}
	done.Wait()
	audit(t, open(t, dsn, postgres.Options{Schema: name}))
}

// TestFormat proves that tables of a newer version are refused, and so are
// missing ones by who may not make them.
func TestFormat(t *testing.T) {
	dsn := database(t)
	o := postgres.Options{Schema: fmt.Sprintf("format_%d", time.Now().UnixNano()), ReadOnly: true}
	if _, err := postgres.Open(t.Context(), dsn, o); !errors.Is(err, driver.ErrFormat) {
		t.Errorf("without tables: %v, want %v", err, driver.ErrFormat)
	}
	o.ReadOnly = false
	closed(t, open(t, dsn, o))
	t.Cleanup(func() {
		if _, err := schemas.Admin(t, dsn).Exec(context.Background(), "drop schema "+o.Schema+" cascade"); err != nil {
			t.Error(err)
		}
	})
	if _, err := schemas.Admin(t, dsn).Exec(t.Context(), "update "+o.Schema+".schema set version = 99"); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Open(t.Context(), dsn, o); !errors.Is(err, driver.ErrFormat) {
		t.Errorf("tables of version 99: %v, want %v", err, driver.ErrFormat)
	}
	for _, bad := range []postgres.Options{{Schema: "a\x00"}, {MaxConns: -1}, {Partitions: -1}, {CommitTimeout: -1}} {
		if _, err := postgres.Open(t.Context(), dsn, bad); !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("%+v: %v, want %v", bad, err, driver.ErrInvalid)
		}
	}
}

// TestTwoStores lets two stores with connections of their own sweep and write
// the same sessions: each due one is handled once.
func TestTwoStores(t *testing.T) {
	dsn := database(t)
	o := postgres.Options{Schema: schemas.Get(t, dsn, 0)}
	var now atomic.Int64
	start := time.Now()
	clock := func() time.Time { return start.Add(time.Duration(now.Load())) }
	var stores [2]*seshat.Store
	var tenants [2]*seshat.Tenant
	for i := range stores {
		s, err := seshat.OpenDriver(open(t, dsn, o), seshat.Options{SweepEvery: seshat.Never, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		stores[i] = s
		if tenants[i], err = s.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"}); err != nil {
			t.Fatal(err)
		}
	}
	const due, writers = 300, 8
	for i := range due {
		n := seshat.NewSession{ID: fmt.Sprint(i), Lifecycle: seshat.Lifecycle{TTL: time.Hour}}
		if _, err := tenants[i%2].Create(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tenants[0].Create(t.Context(), seshat.NewSession{ID: "busy"}); err != nil {
		t.Fatal(err)
	}
	now.Store(int64(2 * time.Hour))
	var done sync.WaitGroup
	var expired atomic.Int64
	for i := range stores {
		done.Go(func() {
			r, err := stores[i].Sweep(t.Context(), seshat.SweepOptions{})
			if err = errors.Join(err, r.Err); err != nil {
				t.Error(err)
			}
			expired.Add(int64(r.Expired))
		})
	}
	for i := range writers {
		done.Go(func() {
			for range 20 {
				if _, err := tenants[i%2].Append(t.Context(), "busy",
					seshat.Message{Role: seshat.RoleUser, Content: "x"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done.Wait()
	if expired.Load() != due {
		t.Errorf("%d sessions were expired, want %d", expired.Load(), due)
	}
	oneFeed(t, tenants, due, 20*writers)
	audit(t, stores[0].Driver().(driver.Checker))
}

// oneFeed expects the same feed from both, with each expiry once and each
// message in its place.
func oneFeed(t *testing.T, tenants [2]*seshat.Tenant, due, appended int) {
	t.Helper()
	var feeds [2][]seshat.Event
	for i, tenant := range tenants {
		for {
			page, _, err := tenant.Events(t.Context(), uint64(len(feeds[i])), seshat.MaxEvents)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			feeds[i] = append(feeds[i], page...)
		}
	}
	gone, last := map[string]int{}, uint64(0)
	for i, e := range feeds[0] {
		if e != feeds[1][i] || e.Position != uint64(i+1) {
			t.Fatalf("event %d is %+v and %+v", i+1, e, feeds[1][i])
		}
		switch e.Kind {
		case seshat.EventExpired:
			gone[e.SessionID]++
		case seshat.EventAppended:
			if last++; e.LastSeq != last {
				t.Errorf("message %d comes as number %d", e.LastSeq, last)
			}
		}
	}
	if len(gone) != due || last != uint64(appended) {
		t.Errorf("%d sessions expired, %d messages were appended, want %d and %d", len(gone), last, due, appended)
	}
	for id, n := range gone {
		if n > 1 {
			t.Errorf("session %s expired %d times", id, n)
		}
	}
}

// TestWatchOther proves that a watch wakes by what another store did.
func TestWatchOther(t *testing.T) {
	dsn := database(t)
	o := postgres.Options{Schema: schemas.Get(t, dsn, 0), PollEvery: 10 * time.Millisecond}
	writer, watcher := storeOn(t, dsn, o), storeOn(t, dsn, o)
	there, err := writer.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	here, err := watcher.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	write := func(i int) {
		if _, err := there.Create(ctx, seshat.NewSession{ID: fmt.Sprint(i)}); err != nil {
			t.Error(err)
		}
	}
	write(0)
	n := 0
	for e, err := range here.Watch(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.SessionID != fmt.Sprint(n) {
			t.Fatalf("event %d is of session %s", n, e.SessionID)
		}
		if n++; n == 5 {
			break
		}
		go write(n) // while the watch waits, or is about to
	}
}
