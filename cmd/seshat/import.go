package main

import (
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat/transfer"
)

// importOptions describe an import. Without a namespace, sessions go to the
// namespaces that the export names.
type importOptions struct {
	Place   place  `json:"place"`
	Format  string `json:"format"`
	Skip    bool   `json:"skip"`
	Workers int    `json:"workers"`
}

// imported is transfer.Report as JSON.
type imported struct {
	Sessions uint64 `json:"sessions"`
	Messages uint64 `json:"messages"`
	States   uint64 `json:"states"`
	Skipped  uint64 `json:"skipped"`
	Expired  uint64 `json:"expired"`
}

func (a *app) importCmd() *cobra.Command {
	var o importOptions
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Import sessions from the JSON lines of an export",
		Long: `Import sessions from the JSON lines that seshat export writes. They go to the
namespaces that the export names, which are created if missing, or to
--namespace, which must exist. With --format openai, read conversations in
OpenAI's chat format into --namespace. A missing store is created. FILE - is
standard input.

Each session is imported whole. If the import fails, the sessions imported so
far stay; repeat it with --skip-existing to continue.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if o.Format != formatSeshat && o.Format != formatOpenAI {
				return usagef("--format: %q; give seshat or openai", o.Format)
			}
			o.Place = a.target.place()
			return a.importFrom(c, args[0], o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Format, "format", formatSeshat, "`format`: seshat or openai")
	f.BoolVar(&o.Skip, "skip-existing", false, "skip sessions that exist")
	f.IntVar(&o.Workers, "workers", 0, "number of sessions to write at once (default 16)")
	return c
}

func (a *app) importFrom(c *cobra.Command, path string, o importOptions) error {
	in := a.in
	total := int64(0)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil {
			total = info.Size()
		}
		in = f
	}
	return a.operate(c, "import", true, func(ctx context.Context, b operator) error {
		bar := a.bar("importing", total)
		r, err := b.Import(ctx, o, bar.reader(in))
		bar.done()
		if err != nil {
			return err
		}
		v := imported(r)
		return a.p.show(v, func() {
			a.p.line("%d sessions, %d messages; %d skipped, %d expired", v.Sessions, v.Messages, v.Skipped, v.Expired)
		})
	})
}

// Import reads sessions from r.
func (f *file) Import(ctx context.Context, o importOptions, r io.Reader) (transfer.Report, error) {
	opts := transfer.Options{Workers: o.Workers}
	if o.Skip {
		opts.Existing = transfer.Skip
	}
	if o.Format == formatSeshat && o.Place.Namespace == "" {
		return transfer.ImportStore(ctx, f.store, r, opts)
	}
	t, err := f.tenant(ctx, o.Place)
	switch {
	case err != nil:
		return transfer.Report{}, err
	case o.Format == formatOpenAI:
		return transfer.ImportOpenAI(ctx, t, r, opts)
	}
	return transfer.Import(ctx, t, r, opts)
}
