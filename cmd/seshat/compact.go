package main

import (
	"context"

	"github.com/spf13/cobra"
)

// compacted holds the sizes of a file before and after Compact, in bytes.
type compacted struct {
	Before int64 `json:"before"`
	After  int64 `json:"after"`
}

func (a *app) compactCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "compact",
		Short: "Compact a store's file",
		Long: `Compact a store's file: copy the pages in use to a new file, and replace the old
file with it. Other calls wait until that is done. The new file contains no
erased data.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := inFile("compact", a.target.store); err != nil {
				return err
			}
			return a.operate(c, "compact", false, func(ctx context.Context, o operator) error {
				done := a.spin("compacting")
				r, err := o.Compact(ctx, nothing{})
				done()
				if err != nil {
					return err
				}
				return a.p.show(r, func() { a.p.line("%s, was %s", size(r.After), size(r.Before)) })
			})
		},
	}
}

// Compact makes the file smaller.
func (f *file) Compact(ctx context.Context, _ nothing) (r compacted, err error) {
	r.Before, r.After, err = f.store.Compact(ctx)
	return r, err
}
