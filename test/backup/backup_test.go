package backup

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
)

var (
	seed   = flag.Uint64("backup.seed", 1, "seed of the writers of the first store")
	copies = flag.Int("backup.copies", 20, "copies that are made and looked at")
)

// perStore is the number of copies of a store before the test creates the next
// store.
const perStore = 50

// scratch returns a directory in memory, if possible.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "backup-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

var options = seshat.Options{FeedEvents: 1 << 40, FeedAge: seshat.Never}

// Promise: a backup that was made during writes is complete, has all writes
// that were acknowledged before it, and shows the store after one commit.
func TestCopiesUnderLoad(t *testing.T) {
	calls := int64(0)
	for n := 0; n < *copies; n += perStore {
		calls += copyStore(t, *seed+uint64(n/perStore), min(perStore, *copies-n))
	}
	t.Logf("seed %d: %d backups, beside %d calls", *seed, *copies, calls)
}

func copyStore(t *testing.T, seed uint64, n int) (calls int64) {
	t.Helper()
	ctx, dir := context.Background(), scratch(t)
	s, err := seshat.Open(filepath.Join(dir, "seshat.db"), options)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	l, err := startLoad(ctx, s, seed)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "copy.db")
	for range n {
		b, err := l.take(ctx, s, copied)
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
			break
		}
		if bad := inspect(ctx, copied, options, b); bad != "" {
			t.Errorf("seed %d: %s", seed, bad)
		}
	}
	if err := l.end(); err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	return l.calls.Load()
}

// Promise: the test notices a copy that shows no single commit. Here, a session
// was changed without an event in the feed.
func TestAnotherStateIsFound(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(scratch(t), "seshat.db")
	s, err := seshat.Open(path, options)
	if err != nil {
		t.Fatal(err)
	}
	l, err := startLoad(ctx, s, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.end(), s.Close()); err != nil {
		t.Fatal(err)
	}
	var b bounds
	for w := range writers {
		b.least[w], b.most[w] = l.acked[w].Load(), l.begun[w].Load()
	}
	if bad := inspect(ctx, path, options, b); bad != "" {
		t.Fatalf("before: %s", bad)
	}
	later := options
	later.Now = func() time.Time { return time.Now().Add(time.Hour) }
	if s, err = seshat.Open(path, later); err != nil {
		t.Fatal(err)
	}
	again, err := s.Tenant(ctx, seshat.Namespace{Name: "t"})
	if err == nil {
		_, err = again.Touch(ctx, logOf(0))
	}
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	if bad := inspect(ctx, path, options, b); bad == "" {
		t.Error("not found")
	}
}
