package fscut

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
)

// tiny are file systems that fill up quickly.
var tiny = []kind{
	{name: "ext4", fs: "ext4", mkfs: "-q -F -E nodiscard -m 0 -J size=1", size: 8 << 20},
	{name: "ext4, blocks of 1 KiB", fs: "ext4", mkfs: "-q -F -E nodiscard -m 0 -b 1024 -J size=1", size: 8 << 20},
}

// filler writes sessions and remembers the acknowledged writes.
type filler struct {
	t      *seshat.Tenant
	counts map[string]uint64 // messages by session
	next   int
	spare  []string     // files that can be removed to free space
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
	t.Cleanup(func() { _ = s.Close() })
	if f.t, err = s.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"}); err != nil {
		t.Fatal(err)
	}
	return s
}

// fill creates sessions and appends until a call fails.
func (f *filler) fill(ctx context.Context, limit int) error {
	for range limit {
		id := fmt.Sprintf("s%d", f.next%40)
		var err error
		if _, there := f.counts[id]; there {
			_, err = f.t.Append(ctx, id, seshat.Message{Role: seshat.RoleUser, Content: strings.Repeat("f", 20_000)})
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

// differs returns a difference between the store and the acknowledged writes,
// or "".
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

// Promise: on a full disk a write fails and changes nothing, and reads
// continue. Deletions and expiry free space for new writes. If there is no room
// for the few pages that they need, they fail in the same way until there is.
// When the file is reopened, it has all acknowledged writes.
func TestFullFileSystem(t *testing.T) {
	for _, k := range tiny {
		t.Run(k.name, func(t *testing.T) {
			ctx := t.Context()
			v := volumeIn(t, k, memory(t))
			f := &filler{counts: map[string]uint64{}}
			f.load(t, v, 2)
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
		f.within(t, s, func() error {
			_, err := f.t.Delete(t.Context(), id)
			return err
		})
		delete(f.counts, id)
	}
	f.sweep(t, s)
}

// expire lets all sessions expire and removes them.
func (f *filler) expire(t *testing.T, s *seshat.Store) {
	t.Helper()
	f.clock.Add(int64(life / time.Hour))
	clear(f.counts)
	f.sweep(t, s)
}

func (f *filler) sweep(t *testing.T, s *seshat.Store) {
	t.Helper()
	f.within(t, s, func() error {
		_, err := s.Sweep(t.Context(), seshat.SweepOptions{})
		return err
	})
}

// within makes a call that frees space. If the call needs space itself, within
// provides it.
func (f *filler) within(t *testing.T, s *seshat.Store, call func() error) {
	t.Helper()
	err := call()
	if errors.Is(err, syscall.ENOSPC) && !errors.Is(err, seshat.ErrUnknown) {
		if bad := f.differs(t.Context(), s); bad != "" {
			t.Fatalf("after a call that would free room failed: %s", bad)
		}
		t.Log("a call that frees room found none for itself")
		f.lighten(t)
		err = call()
	}
	if err != nil {
		t.Fatalf("a call that frees room: %v", err)
	}
}

// load creates files on the volume that take up space.
func (f *filler) load(t *testing.T, v *volume, n int) {
	t.Helper()
	for range n {
		f.spare = append(f.spare, filepath.Join(v.dir, fmt.Sprint("spare", len(f.spare))))
		if err := os.WriteFile(f.spare[len(f.spare)-1], make([]byte, 256<<10), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// lighten removes one of those files.
func (f *filler) lighten(t *testing.T) {
	t.Helper()
	if len(f.spare) == 0 {
		t.Fatal("what room was made is used up")
	}
	if err := os.Remove(f.spare[0]); err != nil {
		t.Fatal(err)
	}
	f.spare = f.spare[1:]
}
