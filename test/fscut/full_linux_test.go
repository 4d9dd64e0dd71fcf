package fscut

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
)

// tiny are file systems that are soon full.
var tiny = []kind{
	{name: "ext4", fs: "ext4", mkfs: "-q -F -E nodiscard -m 0 -J size=1", size: 8 << 20},
	{name: "ext4, blocks of 1 KiB", fs: "ext4", mkfs: "-q -F -E nodiscard -m 0 -b 1024 -J size=1", size: 8 << 20},
}

// filler writes sessions and knows what was acknowledged.
type filler struct {
	t      *seshat.Tenant
	counts map[string]uint64 // messages by session
	next   int
	clock  atomic.Int64 // hours
}

const life = time.Hour // of a session

func (f *filler) now() time.Time {
	return time.Date(2026, time.January, 5, int(f.clock.Load()), 0, 0, 0, time.UTC)
}

func openFiller(t *testing.T, v *volume, f *filler) *seshat.Store {
	t.Helper()
	s, err := seshat.Open(v.path(), seshat.Options{
		Now: f.now, SweepEvery: seshat.Never, Lifecycle: seshat.Lifecycle{TTL: life},
	})
	if err != nil {
		t.Fatal(err)
	}
	if f.t, err = s.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"}); err != nil {
		t.Fatal(err)
	}
	return s
}

// fill creates and appends until something fails.
func (f *filler) fill(ctx context.Context, limit int) error {
	for range limit {
		id := fmt.Sprintf("s%d", f.next%40)
		var err error
		if _, there := f.counts[id]; there {
			_, err = f.t.Append(ctx, id, seshat.Message{Role: seshat.User, Content: strings.Repeat("f", 20_000)})
			if err == nil {
				f.counts[id]++
			}
		} else if _, err = f.t.Create(ctx, seshat.NewSession{ID: id}); err == nil {
			f.counts[id] = 0
		}
		if err != nil {
			return err
		}
		f.next++
	}
	return nil
}

// differs returns where the store does not hold what was acknowledged, or "".
func (f *filler) differs(ctx context.Context, s *seshat.Store) string {
	for id, n := range f.counts {
		x, err := f.t.Get(ctx, id)
		if err != nil || x.MessageCount != n {
			return fmt.Sprintf("%s has not %d messages: %v", id, n, err)
		}
	}
	report, err := s.Check(ctx)
	if err != nil || len(report.Findings) > 0 {
		return fmt.Sprintf("check: %v, %v", report.Findings, err)
	}
	return ""
}

// Promise: on a full disk a write fails and changes nothing, reads go on,
// deletions and expiry work, and what they free lets writes work again; all of
// it is there when the file is opened again.
func TestFullFileSystem(t *testing.T) {
	for _, k := range tiny {
		t.Run(k.name, func(t *testing.T) {
			ctx := t.Context()
			v := volumeIn(t, k, memory(t))
			f := &filler{counts: map[string]uint64{}}
			s := openFiller(t, v, f)
			for round := range 2 {
				err := f.fill(ctx, 10_000)
				if !errors.Is(err, syscall.ENOSPC) || errors.Is(err, seshat.ErrUnknown) {
					t.Fatalf("round %d: %d calls, then %v, want ENOSPC", round, f.next, err)
				}
				if bad := f.differs(ctx, s); bad != "" {
					t.Fatalf("round %d, full: %s", round, bad)
				}
				if round%2 == 0 {
					f.free(t, s)
				} else {
					f.expire(t, s)
				}
				if err := f.fill(ctx, 20); err != nil {
					t.Fatalf("round %d: a write when there is room again: %v", round, err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openFiller(t, v, f)
			defer s.Close()
			if bad := f.differs(ctx, s); bad != "" {
				t.Errorf("opened again: %s", bad)
			}
			t.Logf("%d calls", f.next)
		})
	}
}

// free deletes half of the sessions.
func (f *filler) free(t *testing.T, s *seshat.Store) {
	t.Helper()
	n := 0
	for id := range f.counts {
		if n++; n%2 == 0 {
			continue
		}
		if _, err := f.t.Delete(t.Context(), id); err != nil {
			t.Fatalf("a deletion on a full disk: %v", err)
		}
		delete(f.counts, id)
	}
	sweep(t, s)
}

// expire lets all sessions end.
func (f *filler) expire(t *testing.T, s *seshat.Store) {
	t.Helper()
	f.clock.Add(int64(life / time.Hour))
	clear(f.counts)
	sweep(t, s)
}

func sweep(t *testing.T, s *seshat.Store) {
	t.Helper()
	if _, err := s.Sweep(t.Context(), seshat.SweepOptions{}); err != nil {
		t.Fatalf("a sweep on a full disk: %v", err)
	}
}
