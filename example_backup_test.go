package seshat_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/seshatdb/seshat"
)

// This example backs up a store while it is in use, verifies the backup, and
// restores it to another file.
func ExampleStore_Backup() {
	dir, err := os.MkdirTemp("", "seshat")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, err := seshat.Open(filepath.Join(dir, "agents.db"), seshat.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	acme, err := store.EnsureTenant(ctx, seshat.Namespace{Name: "acme"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := acme.Create(ctx, seshat.NewSession{ID: "chat"}); err != nil {
		log.Fatal(err)
	}

	backup := filepath.Join(dir, "backup.db")
	if err := writeBackup(ctx, store, backup); err != nil {
		log.Fatal(err)
	}
	report, err := seshat.Verify(ctx, backup)
	fmt.Println(report.Sessions, "session", err)

	restored := filepath.Join(dir, "restored.db")
	if err := seshat.RestoreBackup(ctx, backup, restored); err != nil {
		log.Fatal(err)
	}
	copied, err := seshat.Open(restored, seshat.Options{ReadOnly: true})
	if err != nil {
		log.Fatal(err)
	}
	defer copied.Close()
	acme, err = copied.Tenant(ctx, seshat.Namespace{Name: "acme"})
	if err != nil {
		log.Fatal(err)
	}
	s, err := acme.Get(ctx, "chat")
	fmt.Println(s, err)
	// Output:
	// 1 session <nil>
	// session "chat" (active, 0 messages) <nil>
}

// writeBackup writes a backup to path and syncs it, so that it is durable.
func writeBackup(ctx context.Context, store *seshat.Store, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := store.Backup(ctx, f); err != nil {
		return err
	}
	return f.Sync()
}
