package seshat_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// A backup that is taken during writes contains all writes acknowledged before
// it, opens, and passes Check.
func TestBackupWhileWritesGoOn(t *testing.T) {
	ctx := context.Background()
	s := seshattest.OpenFile(t)
	acme := fill(t, s.Store, 50)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if _, err := acme.Create(ctx, seshat.NewSession{UserID: "later"}); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	var b bytes.Buffer
	n, err := s.Backup(ctx, &b)
	close(stop)
	wg.Wait()
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("backup of %d bytes says %d, %v", b.Len(), n, err)
	}
	src := filepath.Join(t.TempDir(), "backup.db")
	dst := filepath.Join(t.TempDir(), "restored.db")
	must(t, os.WriteFile(src, b.Bytes(), 0o600))
	must(t, seshat.RestoreBackup(ctx, src, dst))
	if err := seshat.RestoreBackup(ctx, src, dst); !errors.Is(err, fs.ErrExist) {
		t.Errorf("restore onto a file: %v; want fs.ErrExist", err)
	}
	r, err := seshat.Open(dst, seshat.Options{ReadOnly: true, Now: s.Clock.Now})
	seshattest.Adopt(t, r, err)
	count(t, r, 50)
}

// bulk makes a session fill a few pages.
var bulk = map[string]any{"bulk": bytes.Repeat([]byte("x"), 12_000)}

func fill(t *testing.T, s *seshat.Store, n int) *seshat.Tenant {
	t.Helper()
	acme, err := s.EnsureTenant(context.Background(), seshat.Namespace{Name: "acme"})
	must(t, err)
	for range n {
		_, err := acme.Create(context.Background(), seshat.NewSession{UserID: "mia", Metadata: bulk})
		must(t, err)
	}
	return acme
}

func count(t *testing.T, s *seshat.Store, want uint64) {
	t.Helper()
	acme, err := s.Tenant(context.Background(), seshat.Namespace{Name: "acme"})
	must(t, err)
	if n, err := acme.Count(context.Background(), seshat.Query{UserID: "mia"}); err != nil || n != want {
		t.Errorf("%d sessions, %v; want %d", n, err, want)
	}
}

// Compact shrinks the file, and the store keeps working.
func TestCompactShrinksTheFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows replaces no open file")
	}
	ctx := context.Background()
	s := seshattest.OpenFile(t)
	acme := fill(t, s.Store, 100)
	_, err := acme.DeleteUser(ctx, "mia")
	must(t, err)
	before, after, err := s.Compact(ctx)
	must(t, err)
	if info, err := os.Stat(s.Path); err != nil || info.Size() != after || after >= before {
		t.Errorf("from %d to %d bytes; the file: %v, %v", before, after, info, err)
	}
	fill(t, s.Store, 3)
	count(t, s.Store, 3)
}

// After Compact, the file contains no byte of data that was erased before, even
// if no sweep has reclaimed it.
func TestCompactLeavesNothingErased(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows replaces no open file")
	}
	ctx := context.Background()
	s := seshattest.OpenFile(t)
	acme := fill(t, s.Store, 1)
	long, err := acme.Create(ctx, seshat.NewSession{UserID: "noah"})
	must(t, err)
	turn := slices.Repeat([]seshat.Message{{Role: seshat.RoleUser, Content: "erase me"}}, seshat.MaxTurnMessages)
	for range 4 {
		_, err := acme.Append(ctx, long.ID, turn...)
		must(t, err)
	}
	_, err = acme.Delete(ctx, long.ID)
	must(t, err)
	_, _, err = s.Compact(ctx)
	must(t, err)
	data, err := os.ReadFile(s.Path)
	must(t, err)
	if n := bytes.Count(data, []byte("erase me")); n > 0 {
		t.Errorf("the file has %d of the erased messages", n)
	}
	count(t, s.Store, 1)
}

// Verify finds a changed byte, and Salvage saves the rest of the file.
func TestDamageIsFoundAndTheRestSaved(t *testing.T) {
	ctx := context.Background()
	s := seshattest.OpenFile(t)
	acme := fill(t, s.Store, 100)
	marked, err := acme.Create(ctx, seshat.NewSession{Metadata: map[string]any{"mark": "find me"}})
	must(t, err)
	must(t, s.Close())
	if _, err := seshat.Verify(ctx, s.Path); err != nil {
		t.Fatalf("a sound file: %v", err)
	}
	data, err := os.ReadFile(s.Path)
	must(t, err)
	data[bytes.LastIndex(data, []byte("find me"))] ^= 1
	must(t, os.WriteFile(s.Path, data, 0o600))
	if r, err := seshat.Verify(ctx, s.Path); !errors.Is(err, seshat.ErrCorrupt) || len(r.Findings) == 0 {
		t.Errorf("a damaged file: %v, findings %v; want ErrCorrupt", err, r.Findings)
	}
	saved := filepath.Join(t.TempDir(), "saved.db")
	r, err := seshat.Salvage(ctx, s.Path, saved)
	must(t, err)
	if r.Sessions.Whole != 100 || r.Sessions.Lost != 1 {
		t.Errorf("salvaged sessions: %+v; want 100 whole, 1 lost", r.Sessions)
	}
	o, err := seshat.Open(saved, seshat.Options{Now: s.Clock.Now})
	seshattest.Adopt(t, o, err)
	count(t, o, 100)
	acme, err = o.Tenant(ctx, seshat.Namespace{Name: "acme"})
	must(t, err)
	if _, err := acme.Get(ctx, marked.ID); !errors.Is(err, seshat.ErrNotFound) {
		t.Errorf("the damaged session: %v; want ErrNotFound", err)
	}
}

// An impossible call returns an error that gives the reason.
func TestFileCallsThatCannotBe(t *testing.T) {
	ctx := context.Background()
	cancelled := cancelled()
	memory := seshattest.Open(t)
	file := seshattest.OpenFile(t)
	none := filepath.Join(t.TempDir(), "none.db")
	here := filepath.Join(t.TempDir(), "new.db")
	backup := func(ctx context.Context, s *seshattest.Store, w io.Writer) error {
		_, err := s.Backup(ctx, w)
		return err
	}
	compact := func(ctx context.Context, s *seshattest.Store) error { _, _, err := s.Compact(ctx); return err }
	verify := func(ctx context.Context) error { _, err := seshat.Verify(ctx, none); return err }
	salvage := func(ctx context.Context) error { _, err := seshat.Salvage(ctx, none, here); return err }
	for name, c := range map[string]struct{ got, want error }{
		"backup of a store in memory": {backup(ctx, memory, io.Discard), errors.ErrUnsupported},
		"compact a store in memory":   {compact(ctx, memory), errors.ErrUnsupported},
		"backup to nothing":           {backup(ctx, file, nil), seshat.ErrInvalid},
		"backup, cancelled":           {backup(cancelled, file, io.Discard), context.Canceled},
		"compact, cancelled":          {compact(cancelled, file), context.Canceled},
		"restore no file":             {seshat.RestoreBackup(ctx, none, here), fs.ErrNotExist},
		"restore, cancelled":          {seshat.RestoreBackup(cancelled, none, here), context.Canceled},
		"verify no file":              {verify(ctx), fs.ErrNotExist},
		"verify, cancelled":           {verify(cancelled), context.Canceled},
		"salvage no file":             {salvage(ctx), fs.ErrNotExist},
		"salvage, cancelled":          {salvage(cancelled), context.Canceled},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v; want %v", name, c.got, c.want)
		}
	}
	if _, err := os.Stat(here); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a failed call left a file: %v", err)
	}
	must(t, file.Close())
	if err := backup(ctx, file, io.Discard); !errors.Is(err, seshat.ErrClosed) {
		t.Errorf("backup of a closed store: %v; want ErrClosed", err)
	}
	if err := compact(ctx, file); !errors.Is(err, seshat.ErrClosed) {
		t.Errorf("compact of a closed store: %v; want ErrClosed", err)
	}
}

func cancelled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
