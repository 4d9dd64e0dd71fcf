package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat"
)

// backedUp is the report of a backup.
type backedUp struct {
	File     string `json:"file"`
	Bytes    int64  `json:"bytes"`
	Verified bool   `json:"verified"`
}

func (a *app) backupCmd() *cobra.Command {
	var force, verify bool
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy a store to a new file in one durable snapshot",
		Long: `Copy a store to a new file in one durable snapshot, while others use the store.
The file appears when it is complete, or with --verify when it is verified. Until
then, a file that --force replaces stays. FILE - is standard output.

The copy may contain erased data in pages that have not been used again. To
avoid that, compact the store first.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if verify && args[0] == "-" {
				return usagef("--verify: give a file, not standard output")
			}
			if err := inFile("backup", a.target.store); err != nil {
				return err
			}
			var b backedUp
			err := a.operate(c, "backup", false, func(ctx context.Context, o operator) (err error) {
				b, err = a.backup(ctx, o, args[0], force, verify)
				return err
			})
			if err != nil || b.File == "-" {
				return err
			}
			return a.p.show(b, func() { a.p.line("%s: %s", b.File, size(b.Bytes)) })
		},
	}
	c.Flags().BoolVar(&force, "force", false, "replace FILE if it exists")
	c.Flags().BoolVar(&verify, "verify", false, "read the whole copy back and check it")
	a.readOnlyFlag(c)
	return c
}

func (a *app) backup(ctx context.Context, o operator, path string, force, verify bool) (backedUp, error) {
	b := backedUp{File: path, Verified: verify}
	s, err := o.Stats(ctx, place{})
	if err != nil {
		return b, err
	}
	bar := a.bar("backing up", s.FileSize)
	defer bar.done()
	err = a.writeOut(path, force, func(w io.Writer) error {
		counted := &counter{w: bar.writer(w)}
		defer func() { b.Bytes = counted.n }()
		err := o.Backup(ctx, counted)
		if f, ok := w.(*outFile); ok && verify && err == nil {
			_, err = seshat.Verify(ctx, f.Name())
		}
		return err
	})
	return b, err
}

// counter counts the bytes written through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Backup writes a copy of the file.
func (f *file) Backup(ctx context.Context, w io.Writer) error {
	_, err := f.store.Backup(ctx, w)
	return err
}

func (a *app) restoreBackupCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "restore-backup BACKUP [FILE]",
		Short: "Verify a backup and restore it to a file",
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			dst, err := a.pathArg(c, "restore-backup", args, 1)
			if err == nil {
				err = inFile("restore-backup", args[0])
			}
			if err != nil {
				return err
			}
			done := a.spin("restoring")
			err = seshat.RestoreBackup(c.Context(), args[0], dst)
			done()
			if err != nil {
				return fmt.Errorf("%s: %w", dst, err)
			}
			return a.p.show(map[string]string{"from": args[0], "file": dst}, func() {
				a.p.line("%s: restored from %s", dst, args[0])
			})
		},
	}
}
