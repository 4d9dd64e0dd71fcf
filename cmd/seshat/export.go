package main

import (
	"bufio"
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/transfer"
)

// Formats of exports.
const (
	formatSeshat = "seshat"
	formatOpenAI = "openai"
)

// exportOptions select one session, one user or one namespace. If they name
// none of these, the whole store is exported.
type exportOptions struct {
	Place   place  `json:"place"`
	Session string `json:"session,omitempty"`
	User    string `json:"user,omitempty"`
	Format  string `json:"format"`
}

func (o exportOptions) check() error {
	switch {
	case o.Format != formatSeshat && o.Format != formatOpenAI:
		return usagef("--format: %q; give seshat or openai", o.Format)
	case o.Session != "" && o.User != "":
		return usagef("--session and --user exclude each other")
	case o.Format == formatOpenAI && o.Session != "":
		return usagef("--session: the openai format exports a namespace or a user")
	}
	return nil
}

// exported is the report of an export.
type exported struct {
	File string `json:"file"`
	transfer.Counts
}

func (a *app) exportCmd() *cobra.Command {
	var o exportOptions
	var force bool
	c := &cobra.Command{
		Use:   "export FILE",
		Short: "Write a store, a namespace, a user or a session as JSON lines",
		Long: `Write a store as JSON lines for seshat import: all of it, or one namespace
(--namespace), user (--user) or session (--session). With --format openai, write
the conversations of a namespace or a user in OpenAI's chat format. The file
appears when it is complete. FILE - is standard output.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.Place = a.target.place()
			if err := o.check(); err != nil {
				return err
			}
			return a.operate(c, "export", false, func(ctx context.Context, b operator) error {
				return a.export(ctx, b, o, args[0], force)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&o.Session, "session", "", "only this session")
	f.StringVar(&o.User, "user", "", "only this user's sessions and state")
	f.StringVar(&o.Format, "format", formatSeshat, "`format`: seshat or openai")
	f.BoolVar(&force, "force", false, "replace FILE if it exists")
	a.readOnlyFlag(c)
	return c
}

func (a *app) export(ctx context.Context, b operator, o exportOptions, path string, force bool) error {
	e := exported{File: path}
	bar := a.bar("exporting", 0)
	err := a.writeOut(path, force, func(w io.Writer) (err error) {
		e.Counts, err = b.Export(ctx, o, bar.writer(w))
		return err
	})
	bar.done()
	if err != nil || path == "-" {
		return err
	}
	return a.p.show(e, func() {
		a.p.line("%s: %d namespaces, %d sessions, %d messages", path, e.Namespaces, e.Sessions, e.Messages)
	})
}

// Export writes the selection o to w.
func (f *file) Export(ctx context.Context, o exportOptions, w io.Writer) (transfer.Counts, error) {
	b := bufio.NewWriterSize(w, 64<<10)
	n, err := f.export(ctx, o, b)
	if e := b.Flush(); err == nil {
		err = e
	}
	return n, err
}

func (f *file) export(ctx context.Context, o exportOptions, w io.Writer) (transfer.Counts, error) {
	whole := o.Session == "" && o.User == "" && o.Format == formatSeshat
	if whole && o.Place == (place{}) {
		return transfer.ExportStore(ctx, f.store, w)
	}
	t, err := f.tenant(ctx, o.Place)
	switch {
	case err != nil:
		return transfer.Counts{}, err
	case o.Format == formatOpenAI:
		return transfer.ExportOpenAI(ctx, t, seshat.Query{UserID: o.User, OldestFirst: true}, w)
	case o.Session != "":
		return transfer.ExportSession(ctx, t, o.Session, w)
	case o.User != "":
		return transfer.ExportUser(ctx, t, o.User, w)
	}
	return transfer.ExportTenant(ctx, t, w)
}
