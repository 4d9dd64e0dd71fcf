package crash

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seshatdb/seshat"
)

// Promise: a store that was restored from a backup survives a loss of power
// like the original store. Its two meta pages are new ones, in the order in
// which the engine writes them.
func TestPowerFailureAfterRestoringABackup(t *testing.T) {
	for n := range *works {
		for _, done := range []int{7, 8} { // after odd and even transactions
			w := &work{seed: *seed + uint64(n), kind: "grow"}
			path := backedUp(t, w, done)
			found, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			events := recorded(t, path, w, done+1, done+*steps, fault{})
			before := asFound(found, events, done)
			replayed(t, w, append(before, events...), len(before)).report(t, "restored")
		}
	}
}

// backedUp creates a store after that many steps, backs it up, and returns the
// path of a restored copy.
func backedUp(t *testing.T, w *work, done int) string {
	t.Helper()
	path := storePath(t)
	s, err := seshat.Open(path, w.options())
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= done; n++ {
		if err := w.do(t.Context(), s, n); err != nil {
			t.Fatal(err)
		}
	}
	backup := filepath.Join(filepath.Dir(path), "backup")
	f, err := os.Create(backup)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := s.Backup(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	to := storePath(t)
	if err := seshat.RestoreBackup(t.Context(), backup, to); err != nil {
		t.Fatal(err)
	}
	return to
}

// asFound are the events that leave the file of these later events with the
// content that was found, durable and with its name.
func asFound(data []byte, later []event, done int) []event {
	file := later[slices.IndexFunc(later, func(e event) bool { return e.kind == wrote })].file
	return []event{
		{kind: wrote, file: file, data: data},
		{kind: synced, file: file},
		{kind: named, file: file},
		{kind: dirSynced},
		{kind: acked, n: done},
	}
}
